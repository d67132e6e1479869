import 'reflect-metadata';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Crl } from '@peculiar/x509';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nextKeyFile, openCertificateEnds } from '../../scripts/beds/certificate-bed.ts';
import { makeTestFacility, type TestFacility } from '../../scripts/beds/test-facility.ts';
import { takeAuthorityKeyAway } from '../../src/agent/provisioning/authority-key.ts';
import { renewIssuers, revokeDevice } from '../../src/agent/provisioning/facility-authority.ts';
import { readIssued } from '../../src/agent/provisioning/issuing-authority.ts';
import { warningDays } from '../../src/core/certificate-life.ts';
import type { TrustedTime } from '../../src/core/trusted-time.ts';
import { newTlsKey, signCertificateRequest } from '../../src/trust/certificate-request.ts';
import { certificateOf, clientChainError } from '../../src/trust/client-chain.ts';
import { certificatesOf } from '../../src/trust/server-chain.ts';

const dayMs = 86_400_000;
let place: TestFacility;
let state: string;
let nowMs: number;
let certainty: TrustedTime['certainty'];
const time = (): TrustedTime => ({ wallMs: nowMs, floorMs: startedMs, certainty, fault: null, machineAheadMs: 0 });
let startedMs: number;

beforeEach(async () => {
  place = await makeTestFacility();
  // From here on nobody but the stick has the facility's key.
  await takeAuthorityKeyAway(place.directory, {}, join(place.directory, 'stick.pem'));
  state = mkdtempSync(join(tmpdir(), 'uketsuke-link-state-'));
  startedMs = Date.now();
  nowMs = startedMs;
  certainty = 'confirmed';
});
afterEach(() => {
  rmSync(state, { recursive: true, force: true });
  place.remove();
});

const at = () => ({ ...place, device: 'front-1', state });
const endOf = (pem: string): number => certificateOf(pem)?.validToDate.getTime() ?? 0;
const open = (carry?: Parameters<typeof openCertificateEnds>[2]) => openCertificateEnds(at(), time, carry);

test('warned 60, 30, 14 and 7 days before the end, by surely reached time alone', async () => {
  const { link, linkTls, desk } = await open();
  const endsMs = endOf(linkTls.certificate);
  const daysBefore = (days: number) => {
    nowMs = endsMs - days * dayMs;
    return link.end.days;
  };
  expect([61, 60, 31, 30, 15, 14, 8, 7, 0].map(daysBefore)).toEqual([null, 60, 60, 30, 30, 14, 14, 7, 7]);
  nowMs = endOf(desk === null ? '' : linkTls.certificate) - 20 * dayMs;
  expect(desk.warnings()).toMatchObject([{ what: 'agent', days: 30 }]);
  // A clock that is doubted warns of nothing, whatever it says.
  certainty = 'doubted';
  expect([link.end.days, desk.warnings()]).toEqual([null, []]);
  expect(warningDays).toEqual([60, 30, 14, 7]);
});

test('both ends renew themselves while the facility key is away; each new chain leads to the facility', async () => {
  const { look, linkTls, agentTls, adopted, refused } = await open();
  await look();
  expect(adopted).toEqual({ link: [], agent: [] });
  nowMs = endOf(linkTls.certificate) - 59 * dayMs;
  await look();
  expect(refused).toEqual([]);
  for (const [renewed, before] of [
    [adopted.link[0], linkTls],
    [adopted.agent[0], agentTls],
  ] as const) {
    expect(endOf(renewed?.certificate ?? '')).toBeGreaterThan(endOf(before.certificate) + 300 * dayMs);
    expect(renewed?.key).not.toBe(before.key);
    expect(clientChainError(certificatesOf(renewed?.certificate ?? ''), certificatesOf(before.ca), time())).toBeNull();
  }
  // After a restart of both: the renewed one is in force, and renews in its turn.
  const again = await open();
  expect([again.linkTls.certificate, again.agentTls.certificate].map((pem) => pem.trim())).toEqual(
    [adopted.link[0], adopted.agent[0]].map((tls) => tls?.certificate.trim()),
  );
});

test('killed after any step: the same key is asked with again and gets the same certificate', async () => {
  const lost = await open(() => null);
  nowMs = endOf(lost.linkTls.certificate) - 50 * dayMs;
  await lost.look();
  expect(lost.adopted.link).toEqual([]);
  const key = readFileSync(nextKeyFile(state), 'utf8');
  const issued = (await readIssued(place.agentDirectory)).filter(({ name }) => name === 'front-1');
  expect(issued).toHaveLength(1);
  // Both begin anew, with what is on the disk.
  const after = await open();
  await after.look();
  expect(after.adopted.link[0]?.key).toBe(key);
  expect((await readIssued(place.agentDirectory)).filter(({ name }) => name === 'front-1')).toEqual(issued);
  expect(existsSync(nextKeyFile(state))).toBe(false);
  // A renewed pair that the disk has spoilt: the one before it is there.
  truncateSync(join(state, 'tls-renewed.pem'), 400);
  expect((await open()).linkTls.key).toBe(place.device.tls.key);
});

test("a device that is revoked after a renewal stands in the issuing authority's list with the new certificate", async () => {
  const { look, adopted, linkTls } = await open();
  nowMs = endOf(linkTls.certificate) - 50 * dayMs;
  await look();
  const serial = certificateOf(adopted.link[0]?.certificate ?? '')?.serialNumber.toLowerCase();
  const listed = async () => {
    const text = readFileSync(join(place.agentDirectory, 'issuing-revoked.pem'), 'utf8');
    return new X509Crl(text).entries.map(({ serialNumber }) => serialNumber.toLowerCase());
  };
  expect(await listed()).toEqual([]);
  await revokeDevice(place.directory, 'front-1', { file: join(place.directory, 'stick.pem') });
  expect(await listed()).toEqual([serial]);
});

test('refused: another device, a revoked one, a certificate that was not issued, one that is not due, a doubted clock', async () => {
  const { link, linkTls, desk } = await open(() => null);
  const { facility } = place.agent;
  const ask = async (device = 'front-1', tls = linkTls) => {
    const requestId = crypto.randomUUID();
    const request = await signCertificateRequest({ facility, device, requestId }, tls, await newTlsKey());
    const answer = await desk.answer(device, request);
    return answer.ok ? 'answered' : `${answer.failure.code} ${answer.failure.detail}`;
  };
  expect(await ask()).toBe('message.stale not due');
  nowMs = endOf(linkTls.certificate) - 50 * dayMs;
  certainty = 'doubted';
  expect(await ask()).toBe('message.stale the time is not known');
  certainty = 'confirmed';
  expect(await ask('front-2')).toMatch('certificate of another');
  expect(await ask('front-9')).toMatch('no device of this facility');
  expect(await ask('front-1', { ...linkTls, key: await newTlsKey() })).toMatch('signature');
  expect(await ask()).toBe('answered');
  await revokeDevice(place.directory, 'front-1', { file: join(place.directory, 'stick.pem') });
  const later = await open(() => null);
  await later.link.look();
  expect(later.refused).toMatchObject([expect.stringContaining('no device of this facility')]);
  expect(link.end.days).toBe(60);
});

test('an answer that is not for the key that was asked with changes nothing', async () => {
  const forged = await open((answer) => {
    const { chain, ...rest } = JSON.parse(new TextDecoder().decode(answer)) as { chain: string[] };
    // The agent's own certificate has its own key.
    const own = readFileSync(join(place.agentDirectory, 'tls-certificate.pem'), 'utf8');
    return new TextEncoder().encode(JSON.stringify({ ...rest, chain: [`${own.trim()}\n`, chain[1]] }));
  });
  nowMs = endOf(forged.linkTls.certificate) - 50 * dayMs;
  await forged.link.look();
  await forged.look();
  expect(forged.adopted.link).toEqual([]);
  writeFileSync(join(state, 'tls-renewed.pem'), 'nothing of use');
  expect((await open()).linkTls).toEqual(forged.linkTls);
});

test('a new issuing authority is made with the key from the stick, and staff are told when the old one ends', async () => {
  const first = await open();
  await first.desk.look();
  nowMs = startedMs + 6 * 365.25 * dayMs - 10 * dayMs;
  expect(first.desk.warnings()).toContainEqual(expect.objectContaining({ what: 'issuer', days: 14 }));
  nowMs = startedMs;
  const brokerFile = join(place.directory, 'broker/tls-certificate.pem');
  const broker = readFileSync(brokerFile, 'utf8');
  expect(await renewIssuers(place.directory, { file: join(place.directory, 'stick.pem') })).toBe(false);
  const brokerNow = readFileSync(brokerFile, 'utf8');
  expect(brokerNow).not.toBe(broker);
  expect(certificateOf(brokerNow)?.subjectAltName).toBe(certificateOf(broker)?.subjectAltName);
  const again = await open();
  nowMs = endOf(again.linkTls.certificate) - 50 * dayMs;
  await again.look();
  expect(again.adopted.link).toHaveLength(1);
});
