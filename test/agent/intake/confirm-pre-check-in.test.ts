import { createHash, randomUUID } from 'node:crypto';
import { CompactSign } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { pinCard } from '../../../scripts/beds/evidence-fixtures.ts';
import { signOnPhone } from '../../../scripts/beds/phone-app.ts';
import { simulatedStartMs } from '../../../scripts/beds/simulated-clock.ts';
import { testSettings } from '../../../scripts/beds/test-facility.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { askedTopics } from '../../../src/core/catalogue/consent.ts';
import { consentTextOf } from '../../../src/core/screen/draw-screen-consent.ts';
import type { Consent } from '../../../src/wire/messages.ts';

const catalogue = catalogueAt(simulatedStartMs);

describe('a request that confirms', () => {
  let bed: AgentBed;
  afterEach(() => bed.close());
  const serial = '5E571001';
  /** Of this release's wire: a terminal of the first one is never offered anything. */
  const openBed = async (): Promise<void> => {
    bed = await makeAgentBed({ settings });
    await bed.say({ profile: 'demo', catalogueVersion: catalogue.version });
    await bed.quiet();
  };
  const settings = { ...testSettings, preCheckIn: true };
  const [topic] = askedTopics(catalogue.consents, settings);
  if (topic === undefined) throw new Error('nothing is asked');

  const confirmed = (given: boolean, said = given): Consent[] => {
    const question = { kind: 'pre-check-in', answers: [{ topic, given: said }] } as const;
    const text = consentTextOf(catalogue, 'ja', question, settings.institutionType);
    const textHash = createHash('sha256').update(text).digest('base64url');
    const common = { at: bed.clock.now().wallMs, catalogueVersion: catalogue.version, textHash, language: 'ja' };
    return topic.codes.map((code) => ({ code, given, ...common }));
  };
  const verdict = async (more: Parameters<AgentBed['sign']>[1], certificate?: Uint8Array) => {
    const card = certificate === undefined ? await bed.pin(serial) : pinCard(certificate, bed.keys.auth);
    await bed.request((await bed.sign(card, more)).sealed);
    const receipt = (await bed.receipts()).at(-1);
    return receipt?.code ?? receipt?.verdict;
  };

  test('what this agent offered is what it takes: no other id, no other answer', async () => {
    await openBed();
    const session = randomUUID();
    const certificate = await bed.certificate(serial);
    const signed = await signOnPhone({
      ...{ persona: 'hanako', wallMs: simulatedStartMs, catalogue, settings },
      answers: ({ id }) => id === topic.id || null,
    });
    const x5c = [Buffer.from(certificate).toString('base64')];
    const payload = Buffer.from(signed.jws.split('.')[1] ?? '', 'base64url');
    const jws = await new CompactSign(payload)
      .setProtectedHeader({ alg: 'RS256', typ: 'uketsuke-pre-check-in', x5c })
      .sign(bed.keys.auth);
    bed.leavePreCheckIn({ ...signed, certificateSerial: serial, jws });
    const offered = (await bed.lookup(certificate, session)).preCheckIn;
    expect(offered).toEqual({
      id: signed.id,
      consents: topic.codes.map((code) => ({ code, given: true })),
      // To the end of the Japanese day.
      lastsMs: Date.parse('2026-11-19T00:00:00+09:00') - bed.clock.now().wallMs,
    });
    const ask = (more: Parameters<AgentBed['sign']>[1]) => verdict({ session, ...more }, certificate);
    expect(await ask({ consents: confirmed(true), preCheckIn: randomUUID() })).toBe('message.forged');
    expect(await ask({ consents: confirmed(false), preCheckIn: signed.id })).toBe('message.forged');
    expect(await ask({ consents: confirmed(true), preCheckIn: signed.id })).toBe('accepted');
    // It has served: no second request of this visit confirms it, and the answers are kept no longer.
    expect(await ask({ consents: confirmed(true), preCheckIn: signed.id })).toBe('message.forged');
    expect((await bed.lookup(certificate)).preCheckIn).toBeUndefined();
  });

  test('the power fails between its use and the receipt: the same request is accepted still, another is not', async () => {
    bed = await makeAgentBed({ settings });
    const preCheckIn = randomUUID();
    const { sealed } = await bed.sign(await bed.pin(serial), { consents: confirmed(true), preCheckIn });
    await bed.request(sealed);
    bed.restart();
    await bed.request(sealed);
    expect((await bed.receipts()).map(({ verdict }) => verdict)).toEqual(['accepted', 'accepted']);
    expect(await verdict({ consents: confirmed(true), preCheckIn })).toBe('message.stale');
  });

  test('one pre-check-in, one visit: also after the agent began anew', async () => {
    bed = await makeAgentBed({ settings });
    const preCheckIn = randomUUID();
    expect(await verdict({ consents: confirmed(true), preCheckIn })).toBe('accepted');
    expect(await verdict({ consents: confirmed(true), preCheckIn })).toBe('message.stale');
    bed.restart();
    expect(await verdict({ preCheckIn })).toBe('message.stale');
    expect(bed.journal.isPreCheckInUsed(preCheckIn)).toBe(true);
  });
});
