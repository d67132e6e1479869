import { X509Certificate } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  type StatsFs,
  writeFileSync,
} from 'node:fs';
import type { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { facility, makeTestFacility, type TestFacility } from '../../../scripts/beds/test-facility.ts';
import { createAuthority, issueCertificate, validFor } from '../../../src/agent/provisioning/certificate-authority.ts';
import { makeDeviceKeys } from '../../../src/agent/provisioning/make-device-keys.ts';
import { freeBytesIn } from '../../../src/storage/free-bytes.ts';
import type { Examination } from '../../../src/terminal/doctor/examination.ts';
import { certificates, keys } from '../../../src/terminal/doctor/key-checks.ts';
import { shutOnTheWay } from '../../../src/terminal/doctor/machine-checks.ts';
import { cvIssuersFile } from '../../../src/trust/cv-trust.ts';
import { keyFiles } from '../../../src/trust/key-files.ts';
import { keepRenewed } from '../../../src/trust/tls-pairs.ts';
import { writeFileAtomically } from '../../../src/trust/write-file.ts';

const dayMs = 86_400_000;

describe('the doctor, of keys that are there,', () => {
  let place: TestFacility;
  let foreign: TestFacility;
  let folder = '';
  let provisioning = '';

  beforeAll(async () => {
    [place, foreign] = await Promise.all([makeTestFacility(), makeTestFacility()]);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'uketsuke-keys-'));
    provisioning = join(folder, 'provisioning');
    cpSync(place.deviceDirectory, provisioning, { recursive: true });
    writeFileSync(join(provisioning, 'terminal', cvIssuersFile), '[]');
    return () => rmSync(folder, { recursive: true });
  });
  afterAll(() => {
    place.remove();
    foreign.remove();
  });

  const about = (wallMs = Date.now() + 1_000): Examination =>
    ({
      config: { facility, device: 'front-1', lane: 1, paths: { provisioning, store: join(folder, 'link.sqlite') } },
      wallMs,
    }) as unknown as Examination;
  const link = (file: string): string => join(provisioning, 'link', file);
  const takeFrom = (directory: string, file: string): void => cpSync(join(directory, 'link', file), link(file));
  const otherTerminal = (): string => join(place.directory, 'devices/front-2');

  test('finds nothing where they are whole', async () => {
    expect(await keys(about())).toMatchObject({ state: 'ok' });
  });

  test.each<[string, () => void, fault: string, detail: string]>([
    ['cut', () => writeFileSync(link(keyFiles.tlsKey), '-----BEGIN PRIVATE'), 'keys.missing', keyFiles.tlsKey],
    ['empty', () => writeFileSync(link(keyFiles.tlsCertificate), ''), 'keys.missing', keyFiles.tlsCertificate],
    ['rubbish', () => writeFileSync(link(keyFiles.facilityCa), 'x'), 'keys.missing', keyFiles.facilityCa],
    [
      "another terminal's key",
      () => takeFrom(otherTerminal(), keyFiles.tlsKey),
      'keys.missing',
      `${keyFiles.tlsKey}: not the key of`,
    ],
    [
      "another facility's authority",
      () => takeFrom(foreign.deviceDirectory, keyFiles.facilityCa),
      'keys.missing',
      `${keyFiles.tlsCertificate}: UNABLE_TO_GET_ISSUER_CERT`,
    ],
    [
      "another terminal's certificate and key",
      () => {
        for (const file of [keyFiles.tlsKey, keyFiles.tlsCertificate]) takeFrom(otherTerminal(), file);
      },
      'keys.of-another-terminal',
      `${keyFiles.tlsCertificate}: front-2`,
    ],
    [
      'a directory',
      () => {
        rmSync(link(keyFiles.tlsKey));
        mkdirSync(link(keyFiles.tlsKey));
      },
      'keys.missing',
      `${keyFiles.tlsKey}: EISDIR`,
    ],
  ])('names the file that is %s', async (_, harm, fault, detail) => {
    harm();
    const finding = await keys(about());
    expect(finding).toMatchObject({ state: 'found', fault });
    expect(finding.detail).toContain(detail);
  });

  test('looks at the certificate that is in force: the one of provisioning grows old beside it', async () => {
    const endMs = new X509Certificate(readFileSync(link(keyFiles.tlsCertificate))).validToDate.getTime();
    expect(await certificates(about(endMs + dayMs))).toMatchObject({ fault: 'certificate.expired' });
    const authority = await createAuthority('renewing', validFor(endMs, 1));
    const renewed = await issueCertificate(authority, { commonName: 'front-1', ...validFor(endMs, 1) });
    await keepRenewed(folder, { ...renewed, ca: '' });
    expect(await certificates(about(endMs + dayMs))).toMatchObject({ state: 'ok' });
  });

  test('a directory where a key must be is moved away by whoever makes the key', async () => {
    for (const file of [keyFiles.tlsKey, keyFiles.tlsCertificate]) {
      rmSync(link(file));
      mkdirSync(link(file));
    }
    await makeDeviceKeys(provisioning);
    await writeFileAtomically(link(keyFiles.tlsCertificate), 'x');
    expect(readFileSync(link(keyFiles.tlsKey), 'utf8')).toContain('PRIVATE KEY');
    expect(readFileSync(link(keyFiles.tlsCertificate), 'utf8')).toBe('x');
    expect(readdirSync(join(provisioning, 'link')).filter((name) => /unreadable|moved-away/.test(name))).toHaveLength(
      2,
    );
  });
});

test('a place is shut by the first folder above it that nobody of ours may pass', async () => {
  const top = mkdtempSync(join(tmpdir(), 'uketsuke-shut-'));
  const file = join(top, 'etc/uketsuke/terminal.yaml');
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '');
  chmodSync(join(top, 'etc'), 0o755);
  chmodSync(join(top, 'etc/uketsuke'), 0o755);
  chmodSync(file, 0o644);
  expect(await shutOnTheWay(file, 4, top)).toBeNull();
  chmodSync(file, 0o600);
  expect(await shutOnTheWay(file, 4, top)).toBe(file);
  chmodSync(join(top, 'etc'), 0o700);
  expect(await shutOnTheWay(file, 4, top)).toBe(join(top, 'etc'));
  rmSync(top, { recursive: true });
});

test('a file system that has no name left has no room, and one that counts no names has', async () => {
  const has = (files: number, ffree: number) =>
    (async () => ({ bavail: 1_000_000, bsize: 4_096, files, ffree }) as StatsFs) as unknown as typeof statfs;
  expect(await freeBytesIn('/', has(1_000, 0))).toBe(0);
  expect(await freeBytesIn('/', has(1_000, 900))).toBe(4_096_000_000);
  expect(await freeBytesIn('/', has(0, 0))).toBe(4_096_000_000);
});
