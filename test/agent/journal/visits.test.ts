import { beforeEach, describe, expect, test } from 'vitest';
import { memoryPlace } from '../../../scripts/beds/memory-journal.ts';
import type { Journal, NewRequest } from '../../../src/agent/journal/journal.ts';
import type { Personal } from '../../../src/agent/journal/journal-schema.ts';
import { dayMs } from '../../../src/core/time-units.ts';
import { at, request } from '../../contract/journal.ts';

/* What was asked and what was answered: written once, counted once, in the chain. */

let nowMs: number;
let place: ReturnType<typeof memoryPlace>;
let committed: string[];
let journal: Journal;
beforeEach(() => {
  nowMs = 0;
  committed = [];
  place = memoryPlace({ committed });
  journal = place.open(() => nowMs);
});
const record = (requestId: string, more: Partial<NewRequest> = {}) => {
  journal.addChallenges('front-1', [{ nonce: requestId, issuedAt: at, expiresAt: at + 1_000 }], 48);
  return journal.record(request({ requestId, session: requestId, challenge: requestId, ...more }));
};
const chain = () => [...journal.audit.lines()].map(({ event, subject, code }) => [event, subject, code]);
const counts = () => journal.usage().map(({ kind, outcome, code, times }) => [kind, outcome, code, times]);
const eligible = { outcome: 'eligible', qualificationValidity: 1, at } as const;
const failed = { outcome: 'failed', code: 'eligibility.unavailable', at } as const;

describe('what was written is read back as it was, by whoever asks next', () => {
  test.each(['face', 'pin', 'staff'] as const)('who looked at the card’s holder: %s', (method) => {
    record('a', { method });
    expect(journal.visit('a')?.method).toBe(method);
  });

  test.each(['eligible', 'not-eligible', 'registered', 'failed', 'tested'] as const)('an outcome: %s', (outcome) => {
    record('a');
    journal.finish('a', { outcome, at });
    expect(journal.visit('a')?.outcome).toBe(outcome);
  });

  test.each<Partial<Personal>>([
    { sex: '1', prescriptionForm: 'electronic' },
    { sex: '2', prescriptionForm: 'paper' },
    { sex: '9', approvedDocuments: ['d1'] },
    { consentTimes: [{ code: 'TKK', given: false, at }] },
  ])('what the service is asked with: %o', (more) => {
    const personal = { limitApplication: true, approvedDocuments: [], consentTimes: [], ...more };
    record('a', { personal });
    expect(journal.personal('a')).toEqual(personal);
    expect(journal.unfinished()).toMatchObject([{ personal }]);
  });

  test('of a release that knew of no approved documents: none', () => {
    record('a', { personal: { limitApplication: false, consentTimes: [] } as unknown as Personal });
    expect(journal.personal('a')?.approvedDocuments).toEqual([]);
  });
});

describe('a request', () => {
  test('is told of as it was written, oldest first or newest first, from an instant on', () => {
    for (const [id, ms, certificateState] of [
      ['b', 0, 'valid'],
      ['a', 1, null],
      ['c', -5, 'grace'],
    ] as const) {
      const recorded = record(id, { receivedAt: at + ms, certificateState });
      expect(recorded).toMatchObject({ kind: 'recorded', visit: { verdict: 'accepted' }, lease: null });
      expect(recorded.kind === 'recorded' && recorded.visit).toEqual(journal.visit(id));
    }
    const ids = (visits: ReturnType<Journal['visits']>) => visits.map(({ requestId }) => requestId);
    expect(ids(journal.visits())).toEqual(['c', 'b', 'a']);
    expect(ids(journal.visits(at))).toEqual(['b', 'a']);
    expect(ids(journal.visits(at + 1))).toEqual(['a']);
    expect(ids(journal.newestVisits(at - 5, 2))).toEqual(['a', 'b']);
    expect(ids(journal.newestVisits(at + 1, 9))).toEqual(['a']);
    expect(journal.unfinished().map(({ visit }) => visit.requestId)).toEqual(['c', 'b', 'a']);
    expect(journal.visit('a')).toMatchObject({
      certificateState: null,
      consents: { TKK: true },
      lane: 1,
      session: 'a',
    });
    expect([journal.visit('b')?.certificateState, journal.visit('c')?.certificateState]).toEqual(['valid', 'grace']);
    expect(journal.visit('d')).toBeUndefined();
  });

  test('two of one instant stand in the order in which they came', () => {
    for (const id of ['z', 'y']) record(id);
    expect(journal.visits().map(({ requestId }) => requestId)).toEqual(['z', 'y']);
    expect(journal.newestVisits(0, 2).map(({ requestId }) => requestId)).toEqual(['y', 'z']);
    expect(journal.unfinished().map(({ visit }) => visit.requestId)).toEqual(['z', 'y']);
  });

  test.each<[string, Partial<NewRequest>, string, number?]>([
    ['good', {}, 'accepted'],
    ['that the gate refused', { code: 'message.forged' }, 'message.forged'],
    ['with no challenge of ours', { challenge: 'unknown' }, 'message.stale'],
    ['with no challenge of ours, refused before', { challenge: 'unknown', code: 'message.forged' }, 'message.forged'],
    ['of another terminal', { device: 'front-2' }, 'message.stale'],
    ['that would outlive its challenge', { expiresAt: at + 1_001 }, 'message.stale'],
    ['at the end of its challenge', { receivedAt: at + 1_000 }, 'accepted'],
    ['after it', { receivedAt: at + 1_001 }, 'message.stale'],
    ['after it, by a clock that is doubted', { receivedAt: at + 1_001, datesCount: false }, 'accepted'],
    ['at the end of its life by the journal', { datesCount: false }, 'accepted', 1_000],
    ['after its life by the journal', { datesCount: false }, 'message.stale', 1_001],
  ])('%s: %s', (_what, more, verdict, livedMs = 0) => {
    journal.addChallenges('front-1', [{ nonce: 'c', issuedAt: at, expiresAt: at + 1_000 }], 48);
    nowMs = livedMs;
    const recorded = journal.record(request({ challenge: 'c', ...more }));
    const { code = null, ...visit } = recorded.kind === 'recorded' ? recorded.visit : {};
    expect(code ?? ('verdict' in visit && visit.verdict)).toBe(verdict);
    const isAccepted = verdict === 'accepted';
    expect(chain()).toEqual([isAccepted ? ['request-accepted', 'r1', undefined] : ['request-refused', 'r1', verdict]]);
    // What was refused is counted, and nothing of its patient kept.
    expect(counts()).toEqual(isAccepted ? [] : [['eligibility', 'refused', verdict, 1]]);
    expect(journal.personal('r1') !== undefined).toBe(isAccepted);
  });

  test('a challenge is good once: for a request that the gate refused, too', () => {
    record('a', { code: 'message.forged' });
    for (const id of ['b', 'c']) record(id);
    const again = (requestId: string, challenge: string) => {
      const recorded = journal.record(request({ requestId, session: requestId, challenge }));
      return recorded.kind === 'recorded' && recorded.visit.code;
    };
    expect([again('d', 'a'), again('e', 'b')]).toEqual(['message.stale', 'message.stale']);
  });

  test('half as many again as a stock may be open; of more the oldest go, down to the stock', () => {
    const hand = (from: number, to: number): void => {
      for (let number = from; number <= to; number += 1)
        journal.addChallenges('front-1', [{ nonce: `n${number}`, issuedAt: at, expiresAt: at + 1_000 }], 4);
    };
    const open = () => place.engine.all('SELECT nonce FROM challenge ORDER BY rowid').map(({ nonce }) => String(nonce));
    hand(1, 6);
    expect(open()).toEqual(['n1', 'n2', 'n3', 'n4', 'n5', 'n6']);
    hand(7, 7);
    expect(open()).toEqual(['n4', 'n5', 'n6', 'n7']);
  });

  test('what was refused is nobody’s to go on with', () => {
    expect(record('r1', { code: 'message.forged', recordedBy: 'agent-1' })).toMatchObject({ lease: null });
    expect(record('r2', { recordedBy: 'agent-1' })).toMatchObject({ lease: { agent: 'agent-1' } });
  });

  test('the same again gives the first row, another under its id is refused; neither writes anything', () => {
    record('r1');
    const before = chain();
    const again = journal.record(request({ requestId: 'r1', session: 'another' }));
    expect(again).toEqual({ kind: 'repeated', visit: journal.visit('r1') });
    expect(journal.record(request({ requestId: 'r1', documentHash: 'other' }))).toEqual({ kind: 'other-document' });
    expect(journal.record(request({ requestId: 'r1', device: 'front-2' }))).toEqual({ kind: 'other-document' });
    expect(chain()).toEqual(before);
  });

  test('what it takes for granted is on the disk; what is asked again after a power cut may wait', () => {
    record('r1', { recordedBy: 'agent-1' });
    journal.finish('r1', eligible);
    journal.handOver('r1', at);
    expect(committed).toEqual(['soon', 'now', 'soon', 'forgotten']);
  });

  test('into a file that somebody took away nothing is written', () => {
    const taken = memoryPlace({ place: { isTakenAway: () => true } as never }).open();
    expect(() => taken.record(request())).toThrow('taken away');
    expect(() => taken.tryWrite()).toThrow('taken away');
    const there = memoryPlace({ place: { isTakenAway: () => false } as never }).open();
    expect(there.record(request()).kind).toBe('recorded');
    there.tryWrite();
  });
});

describe('an approval of staff, a pre-check-in', () => {
  const staff = (requestId: string, more: Partial<NewRequest> = {}) => {
    const recorded = record(requestId, { method: 'staff', session: 's', certificate: 'x', ...more });
    return recorded.kind === 'recorded' ? (recorded.visit.code ?? recorded.visit.verdict) : recorded.kind;
  };

  test('lets one certificate through, once for each kind', () => {
    expect(staff('a')).toBe('accepted');
    expect(staff('b')).toBe('message.stale');
    expect(staff('c', { kind: 'registration', certificate: 'y' })).toBe('message.forged');
    expect(staff('d', { kind: 'registration' })).toBe('accepted');
    expect(staff('e', { session: 't', certificate: 'y' })).toBe('accepted');
    // Another way of proving who one is needs no approval, and uses none.
    expect(staff('f', { method: 'pin', certificate: 'z' })).toBe('accepted');
  });

  test('one that was refused has used nothing', () => {
    expect(staff('a', { code: 'message.malformed', certificate: 'y' })).toBe('message.malformed');
    expect(staff('b')).toBe('accepted');
  });

  test('is written down with its approver, for the certificate of the lookup where there was one', () => {
    const approval = { session: 's', device: 'front-1', approver: 'sato', approvedAt: at + 1, expiresAt: at + 9 };
    journal.addApproval({ ...approval, certificate: 'y' });
    journal.addApproval({ ...approval, session: 't', approvedAt: at });
    journal.addApproval({ ...approval, session: 't', approvedAt: at });
    expect(chain().slice(0, 2)).toEqual([
      ['approved-by sato', 's', undefined],
      ['approved-by sato', 't', undefined],
    ]);
    expect(journal.approvals()).toEqual([
      { session: 't', device: 'front-1', approver: 'sato', approvedAt: at },
      { session: 's', device: 'front-1', approver: 'sato', approvedAt: at + 1 },
    ]);
    expect([staff('a'), staff('b', { session: 't' })]).toEqual(['message.forged', 'accepted']);
  });

  test('one pre-check-in, one visit: noted with the request that is accepted', () => {
    const personal = { ...request().personal, preCheckIn: 'p' };
    const verdict = (id: string, more: Partial<NewRequest>) => staff(id, { method: 'pin', session: id, ...more });
    expect(verdict('a', { personal, code: 'message.malformed' })).toBe('message.malformed');
    expect(journal.isPreCheckInUsed('p')).toBe(false);
    expect(verdict('b', { personal })).toBe('accepted');
    expect([journal.isPreCheckInUsed('p'), journal.isPreCheckInUsed('q')]).toEqual([true, false]);
    expect(verdict('c', { personal })).toBe('message.stale');
    expect(verdict('d', { personal: { ...personal, preCheckIn: 'q' } })).toBe('accepted');
    // An approval that was used stands before it.
    expect([staff('e'), staff('f', { personal: { ...personal, preCheckIn: 'r' } })]).toEqual([
      'accepted',
      'message.stale',
    ]);
    expect(journal.isPreCheckInUsed('r')).toBe(false);
  });
});

describe('an answer', () => {
  test('of a request that nobody knows is none', () => {
    expect(journal.finish('r9', eligible)).toEqual({
      failedBefore: false,
      visit: undefined,
      isAnsweredOtherwise: false,
    });
    expect(counts()).toEqual([]);
  });

  test('the first stands, unless it is a failure that is still asked about; counted in the month in which it was first told', () => {
    const nextMonth = Date.UTC(2026, 10, 30, 15);
    record('r1');
    expect(journal.finish('r1', failed)).toMatchObject({
      failedBefore: false,
      visit: { outcome: 'failed', code: failed.code, qualificationValidity: null, finishedAt: at },
    });
    expect(journal.finish('r1', { ...failed, code: 'eligibility.no-answer', at: at + 1 })).toMatchObject({
      failedBefore: true,
    });
    expect(counts()).toEqual([['eligibility', 'failed', 'eligibility.no-answer', 1]]);
    const told = journal.finish('r1', { ...eligible, at: nextMonth });
    expect(told).toEqual({ failedBefore: true, isAnsweredOtherwise: false, visit: journal.visit('r1') });
    expect(told?.visit).toMatchObject({
      outcome: 'eligible',
      code: null,
      qualificationValidity: 1,
      finishedAt: nextMonth,
    });
    expect(journal.usage()).toMatchObject([{ month: '202611', outcome: 'eligible', code: '', times: 1 }]);
    expect(journal.finish('r1', failed)).toMatchObject({ failedBefore: false, visit: { outcome: 'eligible' } });
    expect(journal.visit('r1')?.outcome).toBe('eligible');
    expect([journal.cardUses(at), journal.cardUses(nextMonth)]).toEqual([1, 0]);
  });

  test('a failure of which nobody said why is taken back like any other', () => {
    record('r1');
    journal.finish('r1', { outcome: 'failed', at });
    expect(counts()).toEqual([['eligibility', 'failed', '', 1]]);
    journal.finish('r1', eligible);
    expect(counts()).toEqual([['eligibility', 'eligible', '', 1]]);
  });

  test.each([
    ['handed over', () => journal.handOver('r1', at)],
    ['given up', () => journal.giveUp('r1', at)],
  ])('a failure that was %s stands', (_how, end) => {
    record('r1');
    journal.finish('r1', failed);
    end();
    expect(journal.finish('r1', eligible)).toMatchObject({ failedBefore: false, visit: { outcome: 'failed' } });
    expect(counts()).toEqual([['eligibility', 'failed', failed.code, 1]]);
  });

  test('a visit is counted once, whatever number of requests it took', () => {
    for (const id of ['a', 'b', 'c']) record(id, { session: 's' });
    record('other', { session: 't' });
    record('registration', { session: 's', kind: 'registration' });
    expect(journal.finish('a', eligible)).toMatchObject({ isAnsweredOtherwise: false });
    expect(journal.finish('b', { ...eligible, outcome: 'not-eligible' })).toMatchObject({ isAnsweredOtherwise: true });
    // A failure is counted whatever else the visit has: it may be taken back.
    expect(journal.finish('c', failed)).toMatchObject({ isAnsweredOtherwise: true });
    expect(journal.finish('other', eligible)).toMatchObject({ isAnsweredOtherwise: false });
    expect(journal.finish('registration', { outcome: 'registered', at })).toMatchObject({ isAnsweredOtherwise: false });
    expect(counts()).toEqual([
      ['eligibility', 'eligible', '', 2],
      ['eligibility', 'failed', failed.code, 1],
      ['registration', 'registered', '', 1],
    ]);
    journal.finish('c', eligible);
    expect(counts()[1]).toEqual(['registration', 'registered', '', 1]);
    expect([journal.cardUses(at), journal.cardUses(at + 40 * dayMs)]).toEqual([2, 0]);
  });

  test('a test is counted nowhere', () => {
    record('t', { kind: 'test' });
    record('u', { kind: 'test', code: 'message.malformed' });
    journal.finish('t', { outcome: 'tested', at });
    expect([journal.visit('t')?.outcome, counts()]).toEqual(['tested', []]);
  });

  test('patients who had left: told once, of their own terminal, and never of a test', () => {
    for (const id of ['a', 'b']) record(id);
    record('t', { kind: 'test' });
    expect(journal.markLate('a', 'front-2', at)).toBe(false);
    for (const id of ['t', 'unknown']) expect(journal.markLate(id, 'front-1', at)).toBe(false);
    for (const id of ['a', 'b']) expect(journal.markLate(id, 'front-1', at)).toBe(true);
    expect(journal.markLate('a', 'front-1', at + 1)).toBe(false);
    expect(['a', 'b', 't'].map((id) => journal.visit(id)?.lateAt)).toEqual([at, at, null]);
  });
});

describe('the end of a request', () => {
  test('handed over with its file, or without one; given up only while it was not', () => {
    for (const id of ['a', 'b', 'c']) record(id);
    journal.handOver('a', at + 1, 'face.xml');
    journal.handOver('b', at + 2);
    journal.giveUp('c', at + 3);
    journal.giveUp('a', at + 4);
    const ends = ['a', 'b', 'c']
      .map((id) => journal.visit(id))
      .map((visit) => [visit?.file, visit?.handedOverAt, visit?.givenUpAt]);
    expect(ends).toEqual([
      ['face.xml', at + 1, null],
      [null, at + 2, null],
      [null, null, at + 3],
    ]);
    expect([journal.unfinished(), journal.personal('a'), journal.personal('c')]).toEqual([[], undefined, undefined]);
    expect(chain().slice(3)).toEqual([
      ['handed-over', 'a', undefined],
      ['handed-over', 'b', undefined],
      ['given-up', 'c', undefined],
      ['given-up', 'a', undefined],
    ]);
  });
});

describe('what is counted and noted beside visits', () => {
  test('messages that nobody can answer, by day, terminal and code, the last first', () => {
    journal.reject('front-1', 'message.forged', 2, at);
    journal.reject('front-1', 'message.stale', 1, at + 2);
    journal.reject('front-1', 'message.forged', 1, at + 1);
    journal.reject('unknown', 'message.forged', 1, at + dayMs);
    expect(
      journal.rejections().map(({ day, device, code, times, lastAt }) => [day, device, code, times, lastAt - at]),
    ).toEqual([
      ['20261122', 'unknown', 'message.forged', 1, dayMs],
      ['20261121', 'front-1', 'message.stale', 1, 2],
      ['20261121', 'front-1', 'message.forged', 3, 1],
    ]);
  });

  test('months in their order: official figures and shares', () => {
    for (const month of ['202612', '202611']) {
      journal.setOfficialUsage({ month, cardUses: 1, confirmations: 2 }, at);
      journal.receiptShares.set({ month, people: 1, receipts: 2 }, at);
    }
    journal.setOfficialUsage({ month: '202611', cardUses: 3, confirmations: 4 }, at);
    expect(journal.officialUsage()).toEqual([
      { month: '202611', cardUses: 3, confirmations: 4 },
      { month: '202612', cardUses: 1, confirmations: 2 },
    ]);
    expect(journal.receiptShares.all.map(({ month }) => month)).toEqual(['202611', '202612']);
  });

  test('a disaster, since when; the last word of staff holds', () => {
    expect(journal.disasterSince()).toBeNull();
    journal.setDisasterArea(at);
    journal.setDisasterArea(at + 1);
    expect(journal.disasterSince()).toBe(at + 1);
    expect(place.engine.all('SELECT * FROM disaster_area')).toHaveLength(1);
    journal.setDisasterArea(null);
    expect(journal.disasterSince()).toBeNull();
  });

  test('wrong staff codes: each approver’s own, until they are forgotten', () => {
    const wrong = (approver: string) => ({ approver, wrong: 3, lockedUntil: at + 5, lastAt: at });
    for (const approver of ['sato', 'suzuki']) journal.guesses.set(approver, wrong(approver));
    journal.guesses.forget('sato');
    expect([journal.guesses.of('sato'), journal.guesses.of('suzuki')]).toEqual([undefined, wrong('suzuki')]);
    journal.guesses.useOneTimeCode('suzuki', 9);
    expect([journal.guesses.lastOneTimeCode('suzuki'), journal.guesses.lastOneTimeCode('sato')]).toEqual([9, 0]);
  });

  test('始業前点検: of each terminal the newest, with what a person has added to it', () => {
    const report = { byHand: true, tookMs: 5, parts: [{ part: 'speaker', outcome: 'good' }] } as const;
    const { selfTests } = journal;
    for (const [device, lane, when] of [
      ['front-1', 1, at],
      ['front-1', 1, at + 2],
      ['front-1', 1, at + 1],
      ['front-2', 2, at + 9],
    ] as const)
      selfTests.began(device, lane, when);
    selfTests.keep('front-1', at + 1, { ...report, parts: [...report.parts] });
    // Told once more that it began, it has its report still.
    selfTests.began('front-1', 1, at + 1);
    const common = { device: 'front-1', lane: 1 };
    expect(selfTests.newest('front-1')).toEqual({ ...common, at: at + 2, report: null });
    expect(selfTests.since('front-1', at + 1)).toEqual([
      { ...common, at: at + 2, report: null },
      { ...common, at: at + 1, report },
    ]);
    expect([selfTests.newest('front-3'), selfTests.since('front-1', at).length]).toEqual([undefined, 3]);
    selfTests.putAway('front-1', true, at);
    selfTests.putAway('front-1', true, at + 1);
    expect([selfTests.isAway('front-1'), selfTests.isAway('front-2')]).toEqual([true, false]);
    selfTests.putAway('front-2', false, at);
    selfTests.putAway('front-1', false, at);
    expect(selfTests.isAway('front-1')).toBe(false);
  });

  test('calls for help and visits that were left', () => {
    const events = journal.deskEvents;
    const left = (session: string, when: number) => ({
      session,
      device: 'front-1',
      lane: 1,
      at: when,
      reason: 'card.removed',
    });
    expect([
      events.abandoned(left('s2', at + 1)),
      events.abandoned(left('s1', at)),
      events.abandoned(left('s1', at + 9)),
    ]).toEqual([true, true, false]);
    expect(events.abandonedSince(at)).toEqual([left('s1', at), left('s2', at + 1)]);
    expect(events.abandonedSince(at + 1)).toEqual([left('s2', at + 1)]);
    // A request of it came after all: a registration alone is no visit.
    record('r1', { session: 's1', kind: 'registration' });
    expect(events.abandonedSince(at)).toHaveLength(2);
    record('r2', { session: 's1' });
    expect(events.abandonedSince(at)).toEqual([left('s2', at + 1)]);

    expect([events.called('front-1', 1, at + 1), events.called('front-2', 2, at)]).toEqual([true, true]);
    events.answered('front-1', at + 1, at + 5);
    events.answered('front-1', at + 1, at + 9);
    events.answered('front-2', at + 1, at + 9);
    expect(events.callsSince(at)).toEqual([
      { device: 'front-2', lane: 2, calledAt: at, answeredAt: null },
      { device: 'front-1', lane: 1, calledAt: at + 1, answeredAt: at + 5 },
    ]);
    expect(events.callsSince(at + 1)).toHaveLength(1);
  });
});
