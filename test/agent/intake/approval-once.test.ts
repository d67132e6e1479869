import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { personas } from '../../../drivers/virtual/personas.ts';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { until } from '../../../scripts/beds/simulated-clock.ts';
import { facility } from '../../../scripts/beds/test-facility.ts';
import { toBase64url } from '../../../src/protocol/base64url.ts';
import { sign } from '../../../src/trust/seal.ts';
import type { EligibilityRequest } from '../../../src/wire/messages.ts';

let bed: AgentBed;
const session = '0190a5b2-1c2d-4e3f-8a4b-5c6d7e8f9a0b';
beforeEach(async () => {
  made.clear();
  bed = await makeAgentBed();
});
afterEach(() => bed.close());

/** A card has one certificate for years; the authority of the tests would make another one each second. */
const made = new Map<string, Uint8Array>();
const certificateOf = async (persona: string): Promise<Uint8Array> => {
  const certificate = made.get(persona) ?? (await bed.certificate(serialOf(persona)));
  made.set(persona, certificate);
  return certificate;
};
const serialOf = (persona: string): string => personas.get(persona)?.serial ?? '';
/** As the desk signs it when staff press the button: good for ten minutes. */
const approve = async (): Promise<string> => {
  const approvedAt = bed.clock.now().wallMs;
  const approval = {
    facility,
    device: 'front-1',
    session,
    approver: 'nurse-1',
    approvedAt,
    expiresAt: approvedAt + 600_000,
  };
  bed.journal.addApproval(approval);
  return new TextDecoder().decode(await sign('staff-approval', approval, bed.testFacility.agent.signing));
};
const use = async (staffApproval: string, persona: string | null, more: Partial<EligibilityRequest> = {}) => {
  const authCertificate = persona === null ? {} : { authCertificate: toBase64url(await certificateOf(persona)) };
  const before = (await bed.receipts()).length;
  const signed = await bed.sign(
    { method: 'staff' },
    { session, staffApproval, consents: [], ...authCertificate, ...more },
  );
  await bed.request(signed.sealed, 'receipted');
  const receipt = (await bed.receipts())[before];
  return receipt?.code ?? receipt?.verdict;
};

describe('one approval of staff', () => {
  test('lets one certificate through, once: not four, not again at once', async () => {
    const approval = await approve();
    expect(await use(approval, 'hanako')).toBe('accepted');
    expect(await use(approval, 'hanako')).toBe('message.stale');
    for (const other of ['taro', 'unregistered', 'near-expiry'])
      expect(await use(approval, other)).toBe('message.stale');
    expect(await use(approval, null)).toBe('message.stale');
  });

  test('is used up nine minutes later and after a restart, too', async () => {
    const approval = await approve();
    expect(await use(approval, 'hanako')).toBe('accepted');
    bed.restart();
    await bed.clock.advance(9 * 60_000);
    expect(await use(approval, 'hanako')).toBe('message.stale');
    expect(await use(approval, 'taro')).toBe('message.stale');
  });

  test('signed once more by the same key for the same visit, it is the same approval', async () => {
    expect(await use(await approve(), 'hanako')).toBe('accepted');
    await bed.clock.advance(1_000);
    expect(await use(await approve(), 'taro')).toBe('message.stale');
  });

  test('a first registration is followed by its own eligibility, and by nobody else’s', async () => {
    const approval = await approve();
    expect(await use(approval, 'unregistered', { kind: 'registration' })).toBe('accepted');
    expect(await use(approval, 'taro')).toBe('message.forged');
    expect(await use(approval, 'unregistered')).toBe('accepted');
    expect(await use(approval, 'unregistered', { kind: 'registration' })).toBe('message.stale');
  });

  test('belongs to the card that the visit began with, as its lookup told', async () => {
    await bed.lookup(await certificateOf('hanako'), session);
    const approval = await approve();
    expect(await use(approval, 'taro')).toBe('message.forged');
    expect(await use(approval, null)).toBe('message.forged');
    expect(await use(approval, 'hanako')).toBe('accepted');
  });

  test('the card of the lookup stands over a restart once staff have approved it at the desk', async () => {
    await bed.lookup(await certificateOf('hanako'), session);
    const state = {
      ...{ device: 'front-1', lane: 1, version: '0.1.0', profile: 'demo', status: 'busy', session },
      ...{ catalogueVersion: bed.catalogueVersion, since: bed.clock.now().wallMs },
    };
    await bed.send('state', new TextEncoder().encode(JSON.stringify(state)));
    const sent = bed.desk.commands.approve('front-1', session, 'nurse-1');
    await until('the command', () => bed.broker.passedOn('command').length > 0);
    await bed.clock.advance(20_000);
    await sent;
    const approval = await approve();
    bed.restart();
    expect(await use(approval, 'taro')).toBe('message.forged');
    expect(await use(approval, 'hanako')).toBe('accepted');
  });

  test('a request that was refused for another reason has not used it', async () => {
    const approval = await approve();
    expect(await use(approval, 'hanako', { catalogueVersion: '2019-01-01.1' })).toBe('consent.text-unknown');
    expect(await use(approval, 'hanako')).toBe('accepted');
  });
});

describe('the face of one, the certificate of another', () => {
  const kinds = ['registration', 'eligibility'] as const;
  test.each(kinds.flatMap((kind) => [[kind, true] as const, [kind, false] as const]))(
    '%s, looked up before: %s: neither registered nor checked, 0 calls',
    async (kind, isLookedUp) => {
      const certificate = await bed.certificate(serialOf('unregistered'));
      const card = bed.face('19800218', '2');
      const more = { kind, session, authCertificate: toBase64url(certificate), consents: [] };
      if (isLookedUp) await bed.lookup(certificate, session);
      bed.asked.length = 0;
      await bed.request((await bed.sign(card, more)).sealed);
      expect(await bed.results()).toMatchObject([{ outcome: 'failed', code: 'card.identity-mismatch' }]);
      expect(bed.asked.filter((call) => call !== 'lookup')).toEqual([]);
      expect(bed.asked.length).toBe(isLookedUp ? 0 : 1);
      expect(bed.files()).toEqual([]);
    },
  );
});

test.each([
  ['in 2099', Date.UTC(2099, 0, 1), 'consent.time-implausible'],
  ['before the visit', -3 * 60 * 60_000, 'consent.time-implausible'],
  ['in this visit', -60_000, 'accepted'],
])('a consent given %s: %s', async (_when, when, verdict) => {
  const card = await bed.pin(serialOf('hanako'));
  const [consent] = (await import('../../../scripts/beds/test-facility.ts')).testRequest({
    issuedAt: bed.clock.now().wallMs,
  }).consents;
  if (consent === undefined) throw new Error('no consent');
  const at = when > 0 ? when : bed.clock.now().wallMs + when;
  await bed.request((await bed.sign(card, { consents: [{ ...consent, at }] })).sealed, 'receipted');
  expect((await bed.receipts()).map(({ verdict: told, code }) => code ?? told)).toEqual([verdict]);
});
