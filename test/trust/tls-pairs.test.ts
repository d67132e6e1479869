import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeTestFacility, type TestFacility } from '../../scripts/beds/test-facility.ts';
import { newTlsKey } from '../../src/trust/certificate-request.ts';
import { readLinkKeys, type TlsFiles } from '../../src/trust/key-files.ts';
import { keepRenewed, nextKey, readTlsPairs } from '../../src/trust/tls-pairs.ts';

let place: TestFacility;
let [first, second, third]: TlsFiles[] = [];
let directory: string;
const pair = (): [TlsFiles, TlsFiles, TlsFiles] => [first, second, third] as [TlsFiles, TlsFiles, TlsFiles];
beforeAll(async () => {
  place = await makeTestFacility();
  first = await readLinkKeys(place.deviceDirectory);
  second = await readLinkKeys(join(place.deviceDirectory, '..', 'front-2'));
  third = place.agent.tls;
});
afterAll(() => place.remove());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'uketsuke-pairs-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string): string => join(directory, name);
/** As it is handed to TLS: whatever stands around the certificates is gone. */
const trimmed = ({ key, certificate, ca }: TlsFiles): TlsFiles => ({
  ...{ key: `${key.trim()}\n`, certificate: certificate.trim(), ca },
});

describe('pairs that came after provisioning', () => {
  test('where there is none, the one of provisioning', async () => {
    const [provisioned] = pair();
    expect(await readTlsPairs(directory, provisioned)).toEqual([provisioned]);
  });

  test('newest first, the one before it, and last the one of provisioning, whose authority all keep', async () => {
    const [provisioned, next, last] = pair();
    await keepRenewed(directory, next);
    expect(await readTlsPairs(directory, provisioned)).toEqual([trimmed({ ...next, ca: provisioned.ca }), provisioned]);
    await keepRenewed(directory, last);
    const expected = [last, next].map((each) => trimmed({ ...each, ca: provisioned.ca }));
    expect(await readTlsPairs(directory, provisioned)).toEqual([...expected, provisioned]);
    expect(readdirSync(directory).sort()).toEqual(['tls-former.pem', 'tls-renewed.pem']);
    expect(statSync(file('tls-renewed.pem')).mode & 0o777).toBe(0o600);
  });

  test('key and chain stand in one file, each on lines of its own, whatever blanks came with them', async () => {
    const [, { key, certificate, ca }] = pair();
    await keepRenewed(directory, { key: `\n${key.trim()}`, certificate: `\n${certificate.trim()}\n\n`, ca });
    expect(readFileSync(file('tls-renewed.pem'), 'utf8')).toBe(`${key.trim()}\n${certificate.trim()}\n`);
  });

  test("what is spoilt, or has another's key, is passed over, and the next in turn stands", async () => {
    const [provisioned, next, last] = pair();
    await keepRenewed(directory, next);
    await keepRenewed(directory, last);
    const former = trimmed({ ...next, ca: provisioned.ca });
    const spoilt = [
      '',
      'nothing of use',
      last.key,
      last.certificate,
      `${next.key.trim()}\n${last.certificate}`,
      `-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n${last.certificate}`,
      `${last.key.trim()}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      readFileSync(file('tls-renewed.pem'), 'utf8').slice(0, 400),
    ];
    for (const text of spoilt) {
      writeFileSync(file('tls-renewed.pem'), text);
      expect(await readTlsPairs(directory, provisioned), text).toEqual([former, provisioned]);
    }
  });

  test('a disk that refuses is told, and is no missing file', async () => {
    const [provisioned] = pair();
    rmSync(directory, { recursive: true });
    writeFileSync(directory, 'a file in its place');
    await expect(readTlsPairs(directory, provisioned)).rejects.toMatchObject({ code: 'ENOTDIR' });
    rmSync(directory);
  });
});

describe('the key of the request that is on its way', () => {
  test('is made once, on the disk before it is used, and the same after a restart', async () => {
    const [provisioned] = pair();
    const made = await nextKey(directory, provisioned, newTlsKey);
    expect(readFileSync(file('tls-next-key.pem'), 'utf8')).toBe(made);
    expect(await nextKey(directory, provisioned, () => Promise.reject(new Error('made again')))).toBe(made);
  });

  test('is made anew where it is spoilt or already in force, however it is written', async () => {
    const [provisioned] = pair();
    const { key } = provisioned;
    for (const text of ['', 'nothing', key, `${key.trim()}\n\n`, `\n${key.trim()}`]) {
      writeFileSync(file('tls-next-key.pem'), text);
      for (const inForce of [key, `${key.trim()}\n\n`]) {
        const made = await nextKey(directory, { ...provisioned, key: inForce }, newTlsKey);
        expect(made, text).toContain('PRIVATE KEY');
        expect(made.trim()).not.toBe(key.trim());
        expect(readFileSync(file('tls-next-key.pem'), 'utf8')).toBe(made);
        writeFileSync(file('tls-next-key.pem'), text);
      }
    }
  });

  test('goes when its certificate is kept; where there is none, nothing is missed', async () => {
    const [provisioned, next] = pair();
    await nextKey(directory, provisioned, newTlsKey);
    await keepRenewed(directory, next);
    expect(existsSync(file('tls-next-key.pem'))).toBe(false);
    await keepRenewed(directory, next);
  });
});
