import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { certificateFor } from '../../../scripts/beds/evidence-fixtures.ts';
import { fewLanguages, fixtures, IntakeBed } from '../../../scripts/beds/intake-bed.ts';
import { simulatedStartMs } from '../../../scripts/beds/simulated-clock.ts';
import { testRequest, testSettings } from '../../../scripts/beds/test-facility.ts';
import { consentTexts } from '../../../src/agent/intake/consent-texts.ts';
import { receiveRequest } from '../../../src/agent/intake/receive-request.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { askedTopics } from '../../../src/core/catalogue/consent.ts';
import { failure } from '../../../src/core/failure.ts';
import { err } from '../../../src/core/result.ts';
import { consentTextOf } from '../../../src/core/screen/draw-screen-consent.ts';
import { dayMs, hourMs } from '../../../src/core/time-units.ts';
import { toBase64url } from '../../../src/protocol/base64url.ts';
import { hashOf } from '../../../src/trust/document-hash.ts';
import { seal } from '../../../src/trust/seal.ts';
import type { Consent, EligibilityRequest } from '../../../src/wire/messages.ts';

/* The gate that a request goes through: what is written down, what is receipted, and what goes on from there. */

const catalogue = fewLanguages(catalogueAt(simulatedStartMs));
const texts = consentTexts([catalogue]);
const minuteMs = 60_000;
const { front1, front2, keys, certificate, testFacility } = fixtures;
const renewed = await certificateFor(keys.auth, simulatedStartMs, {
  notBeforeMs: simulatedStartMs - 7 * dayMs + 1_000,
});
const inGrace = await certificateFor(keys.auth, simulatedStartMs, { notAfterMs: simulatedStartMs - 5 * dayMs });

let bed: IntakeBed;
beforeEach(() => {
  bed = new IntakeBed();
});
afterEach(() => bed.close());

const receive = (payload: Uint8Array, device = front1, on = bed) =>
  receiveRequest(
    { leaf: 'request', device, payload },
    {
      ...{ context: on.context, post: on.post, memory: on.memory, afterReceipt: on.afterReceipt },
      consentTexts: texts,
    },
  );
type Card = Parameters<IntakeBed['request']>[0];
/** What the terminal is told of one request: `accepted`, or the code of the refusal; else what the gate answers */
const told = async (card: Card, more: Partial<EligibilityRequest> = {}): Promise<string> => {
  const before = bed.told.length;
  const { sealed } = await bed.request(card, more);
  const received = await receive(sealed);
  const message = bed.told[before]?.message;
  if (message === undefined) return received.ok ? 'nothing' : `untold: ${received.failure.code}`;
  return String(message.code ?? message.verdict);
};
const [consent] = testRequest({ issuedAt: simulatedStartMs }).consents as [Consent];
const topics = askedTopics(catalogue.consents, testSettings);
const topic = topics.find(({ codes }) => codes.includes('TKK'));
const other = topics.find(({ codes }) => !codes.includes('TKK'));
if (topic === undefined || other === undefined) throw new Error('nothing is asked');
/** Confirmed by one touch, as it was answered beforehand */
const confirmed = (given: boolean, by = topic): Consent[] => {
  const question = { kind: 'pre-check-in', answers: [{ topic: by, given }] } as const;
  const textHash = hashOf(
    new TextEncoder().encode(consentTextOf(catalogue, 'ja', question, testSettings.institutionType)),
  );
  const common = { at: simulatedStartMs, catalogueVersion: catalogue.version, textHash, language: 'ja' };
  return by.codes.map((code) => ({ code, given, ...common }));
};

describe('a request that is right', () => {
  test('is written down, receipted with the hash of its document, and gone on with; all of it once', async () => {
    const { sealed, request, documentHash } = await bed.request(bed.pin());
    const { requestId, session } = request;
    bed.committed.length = 0;
    expect(await receive(sealed)).toEqual({ ok: true });
    // A receipt may not be signed before it is on the disk.
    expect(bed.committed).toEqual(['now']);
    const receipt = { requestId, documentHash, receivedAt: simulatedStartMs, agent: 'agent-1', verdict: 'accepted' };
    expect(bed.told).toEqual([{ device: 'front-1', leaf: 'receipt', correlation: requestId, message: receipt }]);
    const [visit] = bed.journal.visits();
    expect(visit).toMatchObject({
      ...{ requestId, session, documentHash, device: 'front-1', lane: 1, kind: 'eligibility', method: 'pin' },
      ...{ consents: { TKK: true }, verdict: 'accepted', code: null, certificateState: 'valid' },
      ...{ issuedAt: request.issuedAt, receivedAt: simulatedStartMs, expiresAt: request.expiresAt },
    });
    const personal = bed.journal.personal(requestId);
    expect(personal).toEqual({
      ...{ authCertificate: toBase64url(certificate), certificateSerial: '0A0B0C0D' },
      ...{ limitApplication: true, approvedDocuments: [], catalogueVersion: catalogue.version },
      consentTimes: [{ code: 'TKK', given: true, at: simulatedStartMs }],
    });
    const lease = { requestId, agent: 'agent-1', fence: 0, marked: null, file: null };
    expect(bed.started).toEqual([{ visit, device: 'front-1', fresh: { personal, lease } }]);
    expect(bed.logged).toEqual([
      { name: 'agent.request-journaled', fields: { request: requestId, session, device: 'front-1', ms: 0 } },
    ]);
    expect(bed.changes).toBe(1);
    // The terminal has not heard it and sends it once more: the same receipt, nothing new.
    bed.clock.skip(30_000);
    await receive(sealed);
    expect(bed.told.at(-1)?.message).toEqual(receipt);
    expect(bed.started.slice(1)).toEqual([{ visit, device: 'front-1', fresh: undefined }]);
    expect([bed.journal.visits().length, bed.logged.length, bed.changes]).toEqual([1, 1, 1]);
  });

  test('all that the patient chose is kept until it is done, and no longer than personal data may', async () => {
    const chosen = {
      ...{ prescriptionForm: 'paper' as const, approvedDocuments: ['letter-1'], medicalSubsidyUse: false },
      ...{ preCheckIn: randomUUID(), limitApplicationBasis: undefined },
    };
    const { sealed, request } = await bed.request(bed.face(), { ...chosen, consents: [{ ...consent, given: false }] });
    await receive(sealed);
    const { limitApplicationBasis: _, ...kept } = chosen;
    expect(bed.journal.personal(request.requestId)).toEqual({
      ...{ authCertificate: toBase64url(certificate), certificateSerial: '0A0B0C0D' },
      // From the signed 券面, for the comparison with what the service says.
      ...{ birthdate: '19800217', sex: '1', limitApplication: false, catalogueVersion: catalogue.version },
      ...kept,
      consentTimes: [{ code: 'TKK', given: false, at: simulatedStartMs }],
    });
    bed.clock.skip(dayMs - 1);
    expect(bed.journal.sweep()).toEqual([]);
    bed.clock.skip(1);
    expect(bed.journal.sweep()).toEqual([request.requestId]);
  });

  test('goes on although its receipt could not be sent: the terminal asks for it again', async () => {
    bed.post.fails = err(failure('delivery.offline'));
    const { sealed } = await bed.request(bed.pin());
    expect(await receive(sealed)).toMatchObject({ failure: { code: 'delivery.offline' } });
    expect(bed.started).toHaveLength(1);
  });

  test.each<[state: string | null, () => Card, Partial<EligibilityRequest>?]>([
    ['valid', () => bed.pin()],
    ['renewed', () => bed.pin(renewed)],
    ['grace', () => bed.pin(inGrace), { consents: [], certificateState: 'grace' }],
  ])('how its certificate stood is kept as a word: %s', async (state, card, more) => {
    expect(await told(card(), more)).toBe('accepted');
    expect(bed.journal.visits()[0]?.certificateState).toBe(state);
    // A week after its issue the service knows it.
    bed.clock.skip(1_000);
    expect(await told(card(), more)).toBe('accepted');
    expect(bed.journal.visits()[1]?.certificateState).toBe(state === 'renewed' ? 'valid' : state);
  });
});

describe('a request that is nobody’s of here gets no receipt and takes no id', () => {
  const nothing = () => expect([bed.told, bed.journal.visits(), bed.started]).toEqual([[], [], []]);

  test('of another terminal, signed by another terminal, or for an agent that is none', async () => {
    const cases: [string, Partial<EligibilityRequest>, typeof testFacility.device?, typeof front1?][] = [
      ['message.forged', { device: 'front-2' }],
      ['message.forged', {}, testFacility.device, front2],
      ['message.forged', {}, testFacility.other],
      ['message.forged', { facility: 'other-clinic' }],
      ['message.stale', { agent: 'agent-9' }],
    ];
    for (const [code, more, by, from] of cases) {
      const { sealed } = await bed.request(bed.pin(), more, by);
      expect(await receive(sealed, from)).toMatchObject({ ok: false, failure: { code } });
    }
    nothing();
  });

  test('sealed to nobody here, or with something else in it', async () => {
    const [facilityKey] = testFacility.device.facilityKeys;
    const [deviceKey] = [front1.sealing];
    if (facilityKey === undefined) throw new Error('no key');
    const { document } = await bed.request(bed.pin());
    const words = new TextEncoder().encode('{}');
    expect(await receive(await seal('request', document, deviceKey))).toMatchObject({ ok: false });
    expect(await receive(await seal('lookup', document, facilityKey))).toMatchObject({ ok: false });
    expect(await receive(await seal('request', words, facilityKey))).toMatchObject({
      failure: { code: 'message.malformed' },
    });
    expect(await receive(document)).toMatchObject({ failure: { code: 'message.malformed' } });
    nothing();
  });
});

describe('two agents of a facility', () => {
  const another = { owner: 'agent-2', kid: 'k2', key: testFacility.agent.agents[0]?.key } as never;
  const withTwo = (shared: boolean): IntakeBed => {
    const two = new IntakeBed({ shared });
    const all = [...two.context.keys().agents, another];
    return Object.assign(two, { context: { ...two.context, keys: () => ({ ...testFacility.agent, agents: all }) } });
  };

  test.each([
    [false, 'nothing is told, nothing is wrong: the other one answers', []],
    [true, 'whoever answers the terminal takes it', ['accepted']],
  ])('one journal for both: %s; %s', async (shared, _what, verdicts) => {
    const two = withTwo(shared);
    const { sealed } = await two.request(two.pin(), { agent: 'agent-2' });
    expect(await receive(sealed, front1, two)).toEqual({ ok: true });
    expect(two.told.map(({ message }) => message.verdict)).toEqual(verdicts);
    expect(two.journal.visits().length).toBe(verdicts.length);
    two.close();
  });

  test('an approval of the other one counts where its use is kept in the same journal', async () => {
    for (const [shared, verdict] of [
      [false, 'message.forged'],
      [true, 'accepted'],
    ] as const) {
      const two = withTwo(shared);
      const session = randomUUID();
      const staffApproval = await two.approval(session);
      const { sealed } = await two.request({ method: 'staff' }, { session, staffApproval, consents: [] });
      const keysOf = two.context.keys();
      // Signed by agent-1, received by agent-2.
      Object.assign(two.context, { keys: () => ({ ...keysOf, agent: 'agent-2' }) });
      const other = await two.request({ method: 'staff' }, { session, staffApproval, consents: [], agent: 'agent-2' });
      await receive(shared ? sealed : other.sealed, front1, two);
      expect(two.told.map(({ message }) => message.code ?? message.verdict)).toEqual([verdict]);
      two.close();
    }
  });
});

describe('a request that is refused', () => {
  test('is written down and receipted with its code, counted, and not gone on with', async () => {
    const { sealed, request, documentHash } = await bed.request(bed.pin(), { catalogueVersion: '2019-01-01.1' });
    const { requestId } = request;
    expect(await receive(sealed)).toEqual({ ok: true });
    const code = 'consent.text-unknown';
    const receipt = { requestId, documentHash, receivedAt: simulatedStartMs, agent: 'agent-1' };
    expect(bed.told.map(({ message }) => message)).toEqual([{ ...receipt, verdict: 'refused', code }]);
    expect(bed.journal.visits()).toMatchObject([{ requestId, verdict: 'refused', code }]);
    expect(bed.logged).toEqual([
      { name: 'agent.request-refused', fields: { request: requestId, device: 'front-1', code } },
    ]);
    expect([bed.started, bed.journal.personal(requestId), bed.changes]).toEqual([[], undefined, 1]);
    await receive(sealed);
    expect(bed.told.at(-1)?.message).toEqual({ ...receipt, verdict: 'refused', code });
    expect(bed.started).toEqual([]);
  });

  test('another document under a known id: told so; the first stands', async () => {
    const { sealed, request } = await bed.request(bed.pin());
    await receive(sealed);
    const other = await bed.request(bed.pin(), { requestId: request.requestId, consents: [] });
    bed.clock.skip(minuteMs);
    expect(await receive(other.sealed)).toMatchObject({ failure: { code: 'message.stale' } });
    expect(bed.told.at(-1)).toEqual({
      ...{ device: 'front-1', leaf: 'receipt', correlation: request.requestId },
      message: {
        ...{ requestId: request.requestId, documentHash: other.documentHash, receivedAt: bed.nowMs },
        ...{ agent: 'agent-1', verdict: 'refused', code: 'message.stale' },
      },
    });
    expect(bed.journal.visits()).toMatchObject([{ verdict: 'accepted', consents: { TKK: true } }]);
    expect(bed.started).toHaveLength(1);
  });

  test.each<[string, string, () => Card, () => Partial<EligibilityRequest>]>([
    ['a challenge that was never ours', 'message.stale', () => bed.pin(), () => ({ challenge: `${'c'.repeat(42)}A` })],
    [
      'that would outlive its challenge',
      'message.stale',
      () => bed.pin(),
      () => ({ ...bed.challenge(), expiresAt: bed.nowMs + 600_001 }),
    ],
    ['over', 'delivery.expired', () => bed.pin(), () => ({ expiresAt: bed.nowMs })],
    [
      'a forged card signature',
      'message.forged',
      () => ({ ...bed.face(), method: 'pin', authCertificate: certificate }) as Card,
      () => ({}),
    ],
    ['a catalogue that is none', 'consent.text-unknown', () => bed.pin(), () => ({ catalogueVersion: '2019-01-01.1' })],
    [
      'a catalogue that is none in a consent',
      'consent.text-unknown',
      () => bed.pin(),
      () => ({ consents: [{ ...consent, catalogueVersion: '2019-01-01.1' }] }),
    ],
    [
      'words that no screen shows',
      'consent.text-unknown',
      () => bed.pin(),
      () => ({ consents: [{ ...consent, language: 'en' }] }),
    ],
    [
      'words that no screen shows beside those of one',
      'consent.text-unknown',
      () => bed.pin(),
      () => ({ consents: [consent, { ...consent, code: 'YZK' }] }),
    ],
    [
      'signed later than clocks may differ',
      'message.stale',
      () => bed.pin(),
      () => ({ issuedAt: bed.nowMs + 5 * minuteMs + 1 }),
    ],
    [
      'signed as late as clocks may differ',
      'accepted',
      () => bed.pin(),
      () => ({ issuedAt: bed.nowMs + 5 * minuteMs, consents: [] }),
    ],
    [
      'agreed to before this visit',
      'consent.time-implausible',
      () => bed.pin(),
      () => ({ consents: [{ ...consent, at: bed.nowMs - 2 * hourMs - 1 }] }),
    ],
    [
      'agreed to at the longest visit’s beginning',
      'accepted',
      () => bed.pin(),
      () => ({ consents: [{ ...consent, at: bed.nowMs - 2 * hourMs }] }),
    ],
    [
      'agreed to in time to come',
      'consent.time-implausible',
      () => bed.pin(),
      () => ({ consents: [{ ...consent, at: bed.nowMs + 5 * minuteMs + 1 }] }),
    ],
    [
      'agreed to as late as clocks may differ',
      'accepted',
      () => bed.pin(),
      () => ({ consents: [{ ...consent, at: bed.nowMs + 5 * minuteMs }] }),
    ],
    [
      'one consent of this visit, one of years ago',
      'consent.time-implausible',
      () => bed.pin(),
      () => ({ consents: [consent, { ...confirmed(true, other)[0], at: 0 } as Consent], preCheckIn: randomUUID() }),
    ],
  ])('%s: %s', async (_what, code, card, more) => {
    expect(await told(card(), more())).toBe(code);
  });

  test('a clock that is doubted refuses nobody by a date', async () => {
    bed.time = { ...bed.time, certainty: 'doubted' };
    bed.clock.setWall(simulatedStartMs + dayMs);
    const issuedAt = bed.nowMs + hourMs;
    expect(await told(bed.pin(), { issuedAt, expiresAt: bed.nowMs - 1, consents: [] })).toBe('accepted');
    expect(await told(bed.pin(inGrace), { consents: [{ ...consent, at: bed.nowMs }] })).toBe('accepted');
  });

  test('the card that the service called revoked a moment ago, and no other', async () => {
    bed.memory.noteRevoked('0A0B0C0D', bed.nowMs);
    expect(await told(bed.pin())).toBe('card.certificate-revoked');
    const other = await certificateFor(keys.auth, simulatedStartMs, { serial: '0f' });
    expect(await told(bed.pin(other))).toBe('accepted');
  });

  test('another card than the visit began with', async () => {
    const [session, another] = [randomUUID(), randomUUID()];
    bed.memory.noteCertificate(session, hashOf(certificate), bed.nowMs);
    bed.memory.noteCertificate(another, hashOf(renewed), bed.nowMs);
    expect(await told(bed.pin(), { session: another })).toBe('message.forged');
    expect(await told(bed.pin(), { session })).toBe('accepted');
    const staffApproval = await bed.approval(another);
    expect(await told({ method: 'staff' }, { session: another, staffApproval, consents: [] })).toBe('message.forged');
  });
});

describe('a test visit', () => {
  test('that staff ordered is accepted, about nobody', async () => {
    const { sealed, request } = await bed.testVisit();
    await receive(sealed);
    expect(bed.told[0]?.message).toMatchObject({ verdict: 'accepted' });
    expect(bed.journal.visits()).toMatchObject([{ kind: 'test', certificateState: null }]);
    const { authCertificate, certificateSerial } = bed.journal.personal(request.requestId) ?? {};
    expect([authCertificate, certificateSerial]).toEqual([undefined, undefined]);
  });

  test('lets nobody through: no card, no consent, no approval of it for a patient, no patient’s approval for it', async () => {
    const codes: unknown[] = [];
    for (const more of [
      { consents: [consent] },
      { authCertificate: toBase64url(certificate) },
      { kind: 'eligibility' } as const,
    ]) {
      const { sealed } = await bed.testVisit(more);
      await receive(sealed);
      codes.push(bed.told.at(-1)?.message.code);
    }
    const session = randomUUID();
    const staffApproval = await bed.approval(session);
    codes.push(await told({ method: 'staff' }, { kind: 'test', session, staffApproval, consents: [] }));
    codes.push(await told(bed.pin(), { kind: 'test', consents: [] }));
    expect(codes).toEqual([
      ...['message.malformed', 'message.malformed', 'message.forged', 'message.forged', 'message.forged'],
    ]);
    expect(bed.started).toEqual([]);
  });
});

describe('what was answered beforehand', () => {
  const id = randomUUID();
  const consents = (given: boolean) => topic.codes.map((code) => ({ code, given }));
  const offer = (session: string): void =>
    bed.memory.notePreCheckIn(session, { id, consents: consents(true) }, bed.nowMs);

  test('two of them, with an answer each', async () => {
    const session = randomUUID();
    const [one, two] = [confirmed(true), confirmed(false, other)];
    bed.memory.notePreCheckIn(session, { id, consents: [...one, ...two] }, bed.nowMs);
    const ask = (consents: Consent[]) => told(bed.pin(), { session, preCheckIn: id, consents });
    expect(await ask([...one, ...confirmed(true, other)])).toBe('message.forged');
    expect(await ask([...confirmed(false), ...two])).toBe('message.forged');
    expect(await ask([...one, ...two])).toBe('accepted');
  });

  test.each<[string, boolean, string | undefined, readonly Consent[], string]>([
    ['as it was offered', true, id, confirmed(true), 'accepted'],
    ['with another answer', true, id, confirmed(false), 'message.forged'],
    ['with another id', true, randomUUID(), confirmed(true), 'message.forged'],
    ['without an id', true, undefined, confirmed(true), 'message.forged'],
    ['offered, and not confirmed', true, id, [], 'accepted'],
    ['offered, and asked anew', true, id, [consent], 'accepted'],
    ['offered, and passed over', true, undefined, [consent], 'accepted'],
    ['that this agent does not remember', false, id, confirmed(true), 'accepted'],
    ['never offered, without an id', false, undefined, confirmed(true), 'message.forged'],
  ])('confirmed %s', async (_what, isOffered, preCheckIn, given, verdict) => {
    const session = randomUUID();
    if (isOffered) offer(session);
    expect(await told(bed.pin(), { session, preCheckIn, consents: [...given] })).toBe(verdict);
    // Once a request is accepted nothing is confirmed by it again; one that was refused has used nothing.
    const left = bed.memory.preCheckInOf(session, bed.nowMs)?.consents;
    expect(left).toEqual(isOffered ? (verdict === 'accepted' ? [] : consents(true)) : undefined);
  });
});
