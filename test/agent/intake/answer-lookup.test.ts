import { randomUUID } from 'node:crypto';
import { CompactSign } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { certificateFor } from '../../../scripts/beds/evidence-fixtures.ts';
import { fixtures, goodAnswer, IntakeBed } from '../../../scripts/beds/intake-bed.ts';
import { simulatedStartMs } from '../../../scripts/beds/simulated-clock.ts';
import { facility, testRequest, testSettings } from '../../../scripts/beds/test-facility.ts';
import type { CardReference } from '../../../src/agent/eligibility/eligibility-service.ts';
import { answerLookup } from '../../../src/agent/intake/answer-lookup.ts';
import type { ConsentTexts } from '../../../src/agent/intake/consent-texts.ts';
import { RecentIds } from '../../../src/agent/intake/recent-ids.ts';
import { type FailureCode, failure } from '../../../src/core/failure.ts';
import { err, ok } from '../../../src/core/result.ts';
import { dayMs, hourMs } from '../../../src/core/time-units.ts';
import { toBase64url } from '../../../src/protocol/base64url.ts';
import { hashOf } from '../../../src/trust/document-hash.ts';
import { signAndSeal } from '../../../src/trust/seal.ts';
import { preCheckInType } from '../../../src/wire/pre-check-in-messages.ts';

/* The gate of a lookup: what a terminal learns of a card before it asks its patient anything, and what the agent keeps of it. */

const { front1, front2, keys, certificate, testFacility } = fixtures;
const serial = '0A0B0C0D';
const minuteMs = 60_000;
/** 00:00 of the next day in Japan */
const midnightMs = Date.parse('2026-11-19T00:00:00+09:00');
const graceCertificate = await certificateFor(keys.auth, simulatedStartMs, {
  notAfterMs: simulatedStartMs - 5 * dayMs,
});
const deadCertificate = await certificateFor(keys.auth, simulatedStartMs, {
  notAfterMs: simulatedStartMs - 140 * dayMs,
});

let bed: IntakeBed;
let answered: RecentIds;
beforeEach(() => {
  bed = new IntakeBed({ settings: { preCheckIn: true } });
  answered = new RecentIds();
});
afterEach(() => bed.close());

/** Whatever words a consent is given to, they are known. */
const consentTexts = {
  versions: new Set<string>(),
  isShown: () => true,
  isConfirmed: () => false,
} satisfies ConsentTexts;
const lookup = async (more: object = {}, by = testFacility.device) => {
  const [lookupId, session] = [randomUUID(), randomUUID()];
  const authCertificate = toBase64url(certificate);
  const message = { facility, device: 'front-1', lookupId, session, requestedAt: bed.nowMs, authCertificate, ...more };
  const [facilityKey] = testFacility.device.facilityKeys;
  if (facilityKey === undefined) throw new Error('no facility key');
  return { lookupId, session, payload: await signAndSeal('lookup', message, by.signing, facilityKey) };
};
const answer = (payload: Uint8Array, device = front1, texts = consentTexts as ConsentTexts) =>
  answerLookup({ leaf: 'lookup', device, payload }, bed.context, bed.post, {
    ...{ memory: bed.memory, answered, consentTexts: () => texts },
  });
/** What the terminal is told of a card, without the id of its question */
const told = async (der = certificate, session: string = randomUUID()) => {
  await answer((await lookup({ session, authCertificate: toBase64url(der) })).payload);
  const { lookupId: _, ...message } = bed.told.at(-1)?.message ?? {};
  return message;
};
const prescription = { use: testSettings.prescriptionUse, timing: testSettings.prescriptionTiming };
const unknown = { registered: 'unknown', certificateStatus: 'unknown', medicalSubsidy: false, prescription };

test('the service is asked once about the card in the reader, and the terminal told what it says', async () => {
  const asked: CardReference[] = [];
  bed.service = {
    lookup: async (card) => {
      asked.push(card);
      return ok({ ...goodAnswer, registered: 'no', certificateStatus: 'good' });
    },
  };
  const { lookupId, session, payload } = await lookup();
  expect(await answer(payload)).toEqual({ ok: true });
  const message = { lookupId, registered: 'no', certificateStatus: 'good', medicalSubsidy: false, prescription };
  expect(bed.told).toEqual([{ device: 'front-1', leaf: 'lookup-result', correlation: lookupId, message }]);
  expect(asked).toEqual([{ certificateSerial: serial, authCertificate: certificate, requestId: session }]);
  // The request that follows is held against it.
  expect(bed.memory.certificateOf(session, bed.nowMs)).toBe(hashOf(certificate));
  expect(bed.memory.personOf(serial, bed.nowMs)).toEqual(goodAnswer.person);
  expect(bed.memory.isRevoked(serial, bed.nowMs)).toBe(false);
  expect(await answer(payload)).toMatchObject({ failure: { code: 'message.stale' } });
  expect([bed.told.length, asked.length]).toEqual([1, 1]);
});

test.each<[string, FailureCode, () => Promise<Uint8Array>, typeof front1?]>([
  ['that another terminal signed', 'message.forged', async () => (await lookup({}, testFacility.other)).payload],
  ['for another terminal', 'message.forged', async () => (await lookup({ device: 'front-2' })).payload],
  ['that another terminal plays', 'message.forged', async () => (await lookup()).payload, front2],
  ['of nothing', 'message.malformed', async () => new Uint8Array()],
  ['of bytes that are none', 'message.malformed', async () => (await lookup({ authCertificate: 'A' })).payload],
])('a lookup %s is not answered and asks nobody', async (_name, code, payload, device = front1) => {
  bed.service = { lookup: () => Promise.reject(new Error('asked')) };
  expect(await answer(await payload(), device)).toMatchObject({ ok: false, failure: { code } });
  expect(bed.told).toEqual([]);
});

test('a broker that does not take the answer is no fault of the terminal', async () => {
  bed.post.fails = err(failure('delivery.offline'));
  expect(await answer((await lookup()).payload)).toEqual(err(failure('delivery.offline')));
});

describe('nothing is told of a card', () => {
  test.each([
    ['that nobody vouches for', () => certificate.slice(0, -1)],
    ['that is over', () => deadCertificate],
  ])('%s: nobody is asked about it, nothing kept', async (_name, der) => {
    bed.service = { lookup: () => Promise.reject(new Error('asked')) };
    const session = randomUUID();
    expect(await told(der(), session)).toEqual(unknown);
    expect(bed.memory.certificateOf(session, bed.nowMs)).toBeUndefined();
  });

  test('while a clock that is doubted calls it over, the service is asked', async () => {
    bed.time = { ...bed.time, certainty: 'doubted' };
    expect(await told(deadCertificate)).toMatchObject({ registered: 'yes' });
  });

  test.each<[FailureCode, object]>([
    ['eligibility.unavailable', {}],
    ['eligibility.maintenance', { maintenance: { until: simulatedStartMs + 30 * minuteMs } }],
  ])('while the service says %s', async (code, more) => {
    bed.service = { lookup: async () => err(failure(code)) };
    const session = randomUUID();
    expect(await told(certificate, session)).toEqual({ ...unknown, ...more });
    expect(bed.logged).toEqual([{ name: 'agent.service-failed', fields: { code } }]);
    expect(bed.memory.personOf(serial, bed.nowMs)).toBeUndefined();
    // The visit began with this card all the same.
    expect(bed.memory.certificateOf(session, bed.nowMs)).toBe(hashOf(certificate));
  });
});

test('a card that is revoked is remembered: its request is refused in the receipt already', async () => {
  bed.service = { lookup: async () => ok({ ...goodAnswer, certificateStatus: 'revoked' }) };
  expect(await told()).toMatchObject({ certificateStatus: 'revoked' });
  expect(bed.memory.isRevoked(serial, bed.nowMs)).toBe(true);
});

describe('what the patient may choose from', () => {
  const [letter, recipe] = ['letter', 'recipe'].map((id) => ({ id, title: id, from: 'clinic', date: '20261101' })) as [
    (typeof goodAnswer)['pendingDocuments'][number],
    (typeof goodAnswer)['pendingDocuments'][number],
  ];
  const known = { ...goodAnswer, medicalSubsidy: true, pendingDocuments: [letter], waitingPrescriptions: [recipe] };
  const [pharmacy, clinic] = ['pharmacy', 'medical'] as const;

  test.each<[string, Partial<typeof testSettings>, object]>([
    [
      'a clinic that takes letters of referral',
      { institutionType: clinic, referralDocuments: true },
      { pendingDocuments: [letter] },
    ],
    ['a clinic that takes none', { institutionType: clinic, referralDocuments: false }, {}],
    [
      'a pharmacy',
      { institutionType: pharmacy, referralDocuments: true, prescriptionUse: 1 },
      { pendingDocuments: [recipe] },
    ],
    ['a pharmacy without e-prescriptions', { institutionType: pharmacy, prescriptionUse: 0 }, {}],
    ['one that takes part in PMH', { medicalSubsidy: true, referralDocuments: false }, { medicalSubsidy: true }],
    ['one that does not', { medicalSubsidy: false, referralDocuments: false }, {}],
  ])('%s', async (_kind, settings, offered) => {
    bed.settings = { ...bed.settings, medicalSubsidy: false, ...settings };
    bed.service = { lookup: async () => ok(known) };
    const { use, timing } = { use: bed.settings.prescriptionUse, timing: bed.settings.prescriptionTiming };
    const plain = {
      registered: 'yes',
      certificateStatus: 'good',
      medicalSubsidy: false,
      prescription: { use, timing },
    };
    expect(await told()).toEqual({ ...plain, ...offered });
  });

  test('nothing waits: nothing is offered; a subsidy that the patient has not is not asked about', async () => {
    bed.settings = { ...bed.settings, medicalSubsidy: true, referralDocuments: true };
    const message = await told();
    expect(message).not.toHaveProperty('pendingDocuments');
    expect(message).toMatchObject({ medicalSubsidy: false });
  });

  test.each([true, false])('特定疾病療養受療証: %s, where the service says it', async (specificDisease) => {
    expect(await told()).not.toHaveProperty('specificDisease');
    bed.service = { lookup: async () => ok({ ...goodAnswer, specificDisease }) };
    expect(await told()).toMatchObject({ specificDisease });
  });
});

describe('what was signed beforehand', () => {
  const { medicalInstitutionCode } = testSettings;
  const { consents } = testRequest({ issuedAt: simulatedStartMs });
  const offered = consents.map(({ code, given }) => ({ code, given }));
  /** As an app on the patient's phone has it signed, right in everything but what `more` says */
  const signed = async (more: object = {}, der = certificate) => {
    const form = { preCheckIn: 1, id: randomUUID(), medicalInstitutionCode, day: '20261118', consents };
    const preCheckIn = { ...form, issuedAt: simulatedStartMs, expiresAt: midnightMs, ...more };
    const jws = await new CompactSign(new TextEncoder().encode(JSON.stringify(preCheckIn)))
      .setProtectedHeader({ alg: 'RS256', typ: preCheckInType, x5c: [Buffer.from(der).toString('base64')] })
      .sign(keys.auth);
    return { id: preCheckIn.id, jws };
  };
  const serve = (preCheckIns: NonNullable<IntakeBed['service']['preCheckIns']>): void => {
    bed.service = { ...bed.service, preCheckIns };
  };

  test('the first of those brought that holds is offered, and remembered for the request', async () => {
    const [used, old, good, other] = [
      await signed(),
      await signed({ day: '20261117' }),
      await signed(),
      await signed(),
    ];
    bed.journal.isPreCheckInUsed = (id) => id === used.id;
    const asked: unknown[] = [];
    serve(async (...question) => {
      asked.push(question);
      return ok([used, old, good, other].map(({ jws }) => jws));
    });
    const session = randomUUID();
    const lastsMs = midnightMs - simulatedStartMs;
    expect(await told(certificate, session)).toMatchObject({
      ...{ registered: 'yes', preCheckIn: { id: good.id, consents: offered, lastsMs } },
    });
    const card = { certificateSerial: serial, authCertificate: certificate, requestId: session };
    expect(asked).toEqual([[card, medicalInstitutionCode]]);
    expect(bed.memory.preCheckInOf(session, bed.nowMs)).toEqual({ id: good.id, consents: offered });
    const refused = { name: 'agent.pre-check-in-refused', fields: { session, code: 'message.stale' } };
    expect(bed.logged).toEqual([refused, refused]);
  });

  test('it lasts to its end, or that of its day', async () => {
    const { jws } = await signed({ expiresAt: simulatedStartMs + hourMs });
    serve(async () => ok([jws]));
    expect(await told()).toMatchObject({ preCheckIn: { lastsMs: hourMs } });
    const day = await signed({ expiresAt: midnightMs + hourMs });
    serve(async () => ok([day.jws]));
    bed.clock.skip(hourMs + 1);
    expect(await told()).toMatchObject({ preCheckIn: { lastsMs: midnightMs - bed.nowMs } });
  });

  test('of more than a few no more is verified', async () => {
    const bad = await signed({ day: '20261117' });
    const { jws } = await signed();
    serve(async () => ok([bad.jws, bad.jws, bad.jws, jws]));
    expect(await told()).toHaveProperty('preCheckIn');
    serve(async () => ok([bad.jws, bad.jws, bad.jws, bad.jws, jws]));
    expect(await told()).not.toHaveProperty('preCheckIn');
  });

  test.each<[string, () => unknown, Uint8Array?]>([
    ['where the facility has it off', () => Object.assign(bed, { settings: { ...bed.settings, preCheckIn: false } })],
    ['with a card in its months of grace', () => {}, graceCertificate],
    ['while the clock is doubted', () => Object.assign(bed, { time: { ...bed.time, certainty: 'doubted' } })],
    ['when the journal that knew which were used is gone', () => bed.journal.noteRolledBack(bed.nowMs)],
    ['by a service that knows no such thing', () => Object.assign(bed, { service: { lookup: bed.service.lookup } })],
    ['by a service that has none', () => serve(async () => ok([]))],
    [
      'of another facility',
      () => Object.assign(bed, { settings: { ...bed.settings, medicalInstitutionCode: '1399999999' } }),
    ],
  ])('nothing is offered %s', async (_when, spoil, der = certificate) => {
    const { jws } = await signed({}, der);
    serve(async () => ok([jws]));
    spoil();
    const session = randomUUID();
    expect(await told(der, session)).toMatchObject({ registered: 'yes', certificateStatus: 'good' });
    expect(bed.told.at(-1)?.message).not.toHaveProperty('preCheckIn');
    expect(bed.memory.preCheckInOf(session, bed.nowMs)).toBeUndefined();
  });

  test('a consent to words that no screen shows is none', async () => {
    const { jws } = await signed();
    serve(async () => ok([jws]));
    const { payload } = await lookup();
    await answer(payload, front1, { ...consentTexts, isShown: () => false });
    expect(bed.told[0]?.message).not.toHaveProperty('preCheckIn');
    expect(bed.logged).toMatchObject([{ fields: { code: 'consent.text-unknown' } }]);
  });

  test.each<[string, NonNullable<IntakeBed['service']['preCheckIns']>, object]>([
    ['is refused', async () => err(failure('eligibility.unavailable')), { name: 'agent.pre-check-in-refused' }],
    ['throws', () => Promise.reject(new TypeError('odd')), { name: 'process.error', fields: { error: 'TypeError' } }],
  ])('a question for it that %s keeps nobody from what the lookup tells', async (_how, preCheckIns, event) => {
    serve(preCheckIns);
    const message = await told();
    expect(message).toMatchObject({ registered: 'yes' });
    expect(message).not.toHaveProperty('preCheckIn');
    expect(bed.logged).toMatchObject([event]);
  });

  test('of a visit whose lookup was not answered nothing is offered', async () => {
    const { jws } = await signed();
    bed.service = { lookup: async () => err(failure('eligibility.unavailable')), preCheckIns: async () => ok([jws]) };
    const session = randomUUID();
    expect(await told(certificate, session)).toEqual(unknown);
    expect(bed.memory.preCheckInOf(session, bed.nowMs)).toBeUndefined();
  });
});
