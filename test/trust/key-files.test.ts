import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { facility, makeTestFacility, type TestFacility } from '../../scripts/beds/test-facility.ts';
import {
  importVerificationKey,
  keyFiles,
  keyFolders,
  readLinkKeys,
  readTerminalKeys,
} from '../../src/trust/key-files.ts';
import { openSealedAndSigned, openSigned, sign, signAndSeal } from '../../src/trust/seal.ts';
import { receiptSchema } from '../../src/wire/messages.ts';

let made: TestFacility;
let trustFile: string;
beforeEach(async () => {
  made = await makeTestFacility();
  trustFile = join(made.deviceDirectory, keyFolders.terminal, keyFiles.trust);
});
afterEach(() => made.remove());

const trust = () => JSON.parse(readFileSync(trustFile, 'utf8')) as Record<'agents' | 'facilityKeys', object[]>;
const lay = (changed: object): void => writeFileSync(trustFile, JSON.stringify({ ...trust(), ...changed }));
const receipt = {
  ...{
    facility,
    device: 'front-1',
    requestId: '7b1c0c4e-6d0a-4f6e-9a55-2f6f0a4f7a11',
    receivedAt: 1,
    agent: 'agent-1',
  },
  ...{ documentHash: `${'a'.repeat(42)}A`, verdict: 'accepted' as const },
};
const addressee = { facility, device: 'front-1' };

test('what lies on a terminal opens what an agent signs and seals for it', async () => {
  const keys = await readTerminalKeys(made.deviceDirectory);
  expect(keys).toMatchObject({ facility, device: 'front-1', lane: 1 });
  const signed = await sign('receipt', receipt, made.agent.signing);
  const opened = await openSigned('receipt', signed, receiptSchema, keys.agents, addressee);
  expect(opened).toEqual({ ok: true, value: { message: receipt, signer: 'agent-1' } });
});

test('what lies on the link is text, as TLS takes it, each part from its file', async () => {
  const keys = await readLinkKeys(made.deviceDirectory);
  const text = (name: string): string => readFileSync(join(made.deviceDirectory, keyFolders.link, name), 'utf8');
  expect(keys).toEqual({
    key: text('tls-key.pem'),
    certificate: text('tls-certificate.pem'),
    ca: text('facility-ca.pem'),
  });
});

test('each key is the one of its file: two agents are told apart, and the first of two sealing keys is current', async () => {
  const [agent, facilityKey] = [trust().agents[0], trust().facilityKeys[0]];
  const next = 'n'.repeat(43);
  const { kid: _kid, ...point } = facilityKey as { kid: string };
  lay({ agents: [agent, { ...agent, agent: 'agent-2' }], facilityKeys: [facilityKey, { kid: next, ...point }] });
  const keys = await readTerminalKeys(made.deviceDirectory);
  expect(keys.agents.map(({ owner, kid }) => [owner, kid])).toEqual([
    ['agent-1', made.agent.signing.kid],
    ['agent-2', made.agent.signing.kid],
  ]);
  expect(keys.facilityKeys.map(({ kid }) => kid)).toEqual([(facilityKey as { kid: string }).kid, next]);
});

test('a terminal that would believe nobody, or could seal to nobody, says which file is wrong', async () => {
  for (const wrong of [{ agents: [] }, { facilityKeys: [] }, { lane: 0 }, { lane: 100 }]) {
    const whole = readFileSync(trustFile, 'utf8');
    lay(wrong);
    await expect(readTerminalKeys(made.deviceDirectory), JSON.stringify(wrong)).rejects.toThrow(keyFiles.trust);
    writeFileSync(trustFile, whole);
  }
  expect((await readTerminalKeys(made.deviceDirectory)).lane).toBe(1);
});

test('a key to share among several, where one of one’s own is due, is none', async () => {
  const shared = { kid: 'k', kty: 'oct', k: Buffer.alloc(32, 1).toString('base64url') } as never;
  await expect(importVerificationKey('agent-1', shared)).rejects.toThrow(/symmetric/);
});

test('what was sealed to a terminal is opened with its own key alone', async () => {
  const [own, others] = [await readTerminalKeys(made.deviceDirectory), made.other];
  const to = made.registry.get('front-1')?.sealing;
  if (to === undefined) throw new Error('no such terminal in the registry');
  const sealed = await signAndSeal('receipt', receipt, made.agent.signing, to);
  const opened = (sealing: typeof own.sealing) =>
    openSealedAndSigned('receipt', sealed, receiptSchema, [sealing], own.agents, addressee);
  expect((await opened(own.sealing)).ok).toBe(true);
  expect((await opened(others.sealing)).ok).toBe(false);
});
