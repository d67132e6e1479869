import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Journal, NewRequest } from '../../src/agent/journal/journal.ts';
import { dayMs } from '../../src/core/time-units.ts';

export const at = Date.UTC(2026, 10, 21, 3);
export const request = (more: Partial<NewRequest> = {}): NewRequest => ({
  requestId: 'r1',
  device: 'front-1',
  lane: 1,
  session: 's1',
  kind: 'eligibility',
  documentHash: 'h1',
  method: 'pin',
  consents: { TKK: true },
  challenge: 'c1',
  certificate: '',
  code: undefined,
  issuedAt: at,
  receivedAt: at,
  expiresAt: at + 1_000,
  personal: { limitApplication: false, approvedDocuments: [], consentTimes: [] },
  personalLifeMs: 10_000,
  ...more,
});

/** One place in which a journal lies; opened as often as asked, on a clock that stands where the test puts it. */
export type JournalPlace = { readonly open: (steadyMs?: () => number) => Journal };

/** What every journal promises, whoever keeps its rows. `newPlace`: an empty one. */
export const journalContract = (name: string, newPlace: () => JournalPlace, numRuns = 25): void => {
  describe(name, () => {
    let place: JournalPlace;
    beforeEach(() => {
      place = newPlace();
    });
    const opened = (steadyMs = () => 0): Journal => place.open(steadyMs);
    const accept = (journal: Journal, requestId: string, more: Partial<NewRequest> = {}): void => {
      journal.addChallenges('front-1', [{ nonce: requestId, issuedAt: at, expiresAt: at + 1_000 }], 48);
      const recorded = journal.record(request({ requestId, challenge: requestId, session: requestId, ...more }));
      expect(recorded).toMatchObject({ kind: 'recorded', visit: { verdict: 'accepted' } });
    };

    test('whatever comes in whatever order, with restarts between: one document an id, one request a challenge', () => {
      const step = fc.record({
        id: fc.constantFrom('a', 'b', 'c'),
        hash: fc.constantFrom('1', '2'),
        device: fc.constantFrom('front-1', 'front-2'),
        challenge: fc.constantFrom('x', 'y', 'z', 'unknown'),
        late: fc.boolean(),
        restart: fc.boolean(),
      });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
          place = newPlace();
          let journal = opened();
          const challenges = ['x', 'y'].map((nonce) => ({ nonce, issuedAt: at, expiresAt: at + 1_000 }));
          journal.addChallenges('front-1', challenges, 48);
          journal.addChallenges('front-2', [{ nonce: 'z', issuedAt: at, expiresAt: at + 1_000 }], 48);
          const owners = { x: 'front-1', y: 'front-1', z: 'front-2' } as Record<string, string>;
          const used = new Set<string>();
          const known = new Map<string, { hash: string; device: string; verdict: string }>();
          for (const { id, hash, device, challenge, late, restart } of steps) {
            if (restart) {
              journal.close();
              journal = opened();
            }
            const receivedAt = late ? at + 1_001 : at;
            const recorded = journal.record(
              request({ requestId: id, documentHash: hash, device, challenge, receivedAt, expiresAt: at + 1_000 }),
            );
            const first = known.get(id);
            if (first !== undefined) {
              expect(recorded.kind).toBe(
                first.hash === hash && first.device === device ? 'repeated' : 'other-document',
              );
              continue;
            }
            const good = owners[challenge] === device && !late && !used.has(challenge);
            if (good) used.add(challenge);
            expect(recorded).toMatchObject({
              kind: 'recorded',
              visit: { verdict: good ? 'accepted' : 'refused', code: good ? null : 'message.stale' },
            });
            // What is told about the new row is what stands there.
            expect(recorded.kind === 'recorded' && recorded.visit).toEqual(journal.visit(id));
            known.set(id, { hash, device, verdict: good ? 'accepted' : 'refused' });
          }
          const rows = Object.fromEntries(journal.visits().map((visit) => [visit.requestId, visit.verdict]));
          expect(rows).toEqual(Object.fromEntries([...known].map(([id, { verdict }]) => [id, verdict])));
          const unfinished = journal.unfinished().map(({ visit }) => visit.requestId);
          expect(unfinished.sort()).toEqual(
            [...known].flatMap(([id, { verdict }]) => (verdict === 'accepted' ? [id] : [])).sort(),
          );
          expect(journal.audit.verify().brokenAt).toBe(null);
          journal.close();
        }),
        { numRuns },
      );
    });

    test('the oldest open challenges give way, used ones never', () => {
      const journal = opened();
      const add = (nonce: string): void =>
        journal.addChallenges('front-1', [{ nonce, issuedAt: at, expiresAt: at + 1_000 }], 2);
      add('used');
      expect(journal.record(request({ challenge: 'used' }))).toMatchObject({ visit: { verdict: 'accepted' } });
      // A few more than may stay go together.
      for (const nonce of ['oldest', 'older', 'middle', 'newest']) add(nonce);
      const outcomes = ['used', 'oldest', 'older', 'middle', 'newest'].map((challenge, number) => {
        const recorded = journal.record(request({ requestId: `again-${number}`, challenge }));
        return recorded.kind === 'recorded' ? recorded.visit.verdict : recorded.kind;
      });
      expect(outcomes).toEqual(['refused', 'refused', 'refused', 'accepted', 'accepted']);
      journal.close();
    });

    test('counts: a use is counted once, whatever is told again; a month has its own', () => {
      const journal = opened();
      const nextMonth = Date.UTC(2026, 10, 30, 15); // 1 December, 00:00 JST
      accept(journal, 'one');
      journal.addChallenges('front-1', [{ nonce: 'c2', issuedAt: nextMonth, expiresAt: nextMonth + 1_000 }], 48);
      const times2 = { receivedAt: nextMonth, issuedAt: nextMonth, expiresAt: nextMonth + 1_000 };
      journal.record(request({ requestId: 'two', challenge: 'c2', ...times2 }));
      for (let times = 0; times < 3; times += 1) {
        journal.finish('one', { outcome: 'eligible', qualificationValidity: 1, at });
        journal.finish('two', { outcome: 'failed', code: 'eligibility.unavailable', at: nextMonth });
      }
      expect(journal.cardUses(at)).toBe(1);
      expect(journal.cardUses(nextMonth)).toBe(0);
      expect(journal.usage()).toEqual([
        { month: '202611', lane: 1, kind: 'eligibility', method: 'pin', outcome: 'eligible', code: '', times: 1 },
        {
          ...{ month: '202612', lane: 1, kind: 'eligibility', method: 'pin', outcome: 'failed' },
          ...{ code: 'eligibility.unavailable', times: 1 },
        },
      ]);
      // A failure that is answered after all is taken back.
      const finished = journal.finish('two', { outcome: 'eligible', qualificationValidity: 1, at: nextMonth });
      // What is told about the row is what stands there.
      expect(finished).toEqual({ failedBefore: true, visit: journal.visit('two'), isAnsweredOtherwise: false });
      expect(journal.usage().map(({ outcome }) => outcome)).toEqual(['eligible', 'eligible']);
      journal.close();
    });

    test('settings: the version rises with the content and never goes back, across restarts and a rolled-back journal', () => {
      const issue = (of: Journal, contentHash: string, nowMs: number) =>
        of.settingsIssue({ facility: 'clinic', device: 'front-1', contentHash }, nowMs);
      let journal = opened();
      const first = issue(journal, 'a', at);
      expect(issue(journal, 'a', at + 5_000)).toEqual(first);
      expect(issue(journal, 'b', at + 6_000)).toEqual({ version: first.version + 1, validFrom: at + 6_000 });
      journal.close();
      journal = opened();
      expect(issue(journal, 'a', at + 7_000).version).toBe(first.version + 2);
      expect(journal.learnSettingsFloor('front-1', first.version)).toBe(false);
      expect(journal.learnSettingsFloor('front-1', 2_000_000_000)).toBe(true);
      expect(issue(journal, 'a', at).version).toBe(2_000_000_001);
      journal.noteRolledBack(at + 9_000.5);
      expect(issue(journal, 'a', at).version).toBe(2_001_000_002);
      expect(journal.mishaps().map(({ code }) => code)).toEqual(['storage.rolled-back']);
      expect(journal.rolledBackAt()).toBe(at + 9_001);
      journal.close();
    });

    test('the end of a visit: what is about a person goes with it, what staff need stays for the day', () => {
      const journal = opened();
      accept(journal, 'one', { personal: { ...request().personal, birthdate: '19800102', sex: '2' } });
      expect(journal.personal('one')).toMatchObject({ birthdate: '19800102', sex: '2' });
      journal.finish('one', { outcome: 'eligible', qualificationValidity: 1, at });
      journal.atOnceAndForgotten(() => {
        journal.handOver('one', at + 10, 'OQS.xml');
        journal.rememberToday('one', { referenceNumber: '4711', notices: ['kept-name-differs'] }, at + 10);
        journal.certificateEnds.see('4711', at + dayMs, at);
      });
      expect(journal.personal('one')).toBe(undefined);
      expect(journal.unfinished()).toEqual([]);
      expect(journal.visit('one')).toMatchObject({ file: 'OQS.xml', handedOverAt: at + 10 });
      const note = { referenceNumber: '4711', notices: ['kept-name-differs'], openNames: [] };
      expect([...journal.todayNotes(['one', 'two'])]).toEqual([['one', note]]);
      expect([...journal.todayNotes()]).toEqual([['one', note]]);
      expect(journal.cardSeen('4711', at)).toBe(true);
      expect(journal.cardSeen('4712', at)).toBe(false);
      expect(journal.cardSeen('4711', at + 40 * dayMs)).toBe(false);
      expect(journal.certificateEnds.since(at)).toEqual([{ referenceNumber: '4711', endsAt: at + dayMs, seenAt: at }]);
      journal.certificateEnds.see('4711', null, at);
      expect(journal.certificateEnds.since(at)).toEqual([]);
      journal.close();
    });

    test('kept names, bulk inquiries and approvals outlive a restart and go when they are told to', () => {
      let journal = opened();
      journal.names.keep('4711', { Name: '髙﨑' });
      journal.names.keep('4711', { NameKana: 'タカサキ' });
      expect(journal.receiveBulk({ receptionNumber: 'n1', source: 'file 1', questions: '[]' }, dayMs)).toBe('n1');
      expect(journal.receiveBulk({ receptionNumber: 'n2', source: 'file 1', questions: '[]' }, dayMs)).toBe('n1');
      journal.addApproval({
        session: 's1',
        device: 'front-1',
        approver: 'sato',
        approvedAt: at,
        expiresAt: at + 1_000,
        certificate: 'x',
      });
      journal.close();
      journal = opened();
      expect(journal.names.of('4711')).toEqual({ Name: '髙﨑', NameKana: 'タカサキ' });
      expect(journal.names.of('4712')).toEqual({});
      journal.names.used('4711');
      expect(journal.names.count).toBe(1);
      expect(journal.names.forget('4711')).toBe(true);
      expect(journal.names.forget('4711')).toBe(false);
      expect(journal.bulkInquiries()).toEqual([{ receptionNumber: 'n1', source: 'file 1', questions: '[]' }]);
      journal.forgetBulk('n1');
      expect(journal.bulkInquiries()).toEqual([]);
      expect(journal.approvals()).toEqual([{ session: 's1', device: 'front-1', approver: 'sato', approvedAt: at }]);
      const nonces = ['a', 'b', 'c'].map((nonce) => ({ nonce, issuedAt: at, expiresAt: at + 1_000 }));
      journal.addChallenges('front-1', nonces, 48);
      const staff = (requestId: string, certificate: string) =>
        journal.record(request({ requestId, challenge: requestId, method: 'staff', certificate }));
      expect(staff('a', 'y')).toMatchObject({ visit: { code: 'message.forged' } });
      expect(staff('b', 'x')).toMatchObject({ visit: { verdict: 'accepted' } });
      expect(staff('c', 'x')).toMatchObject({ visit: { code: 'message.stale' } });
      journal.close();
    });

    test('retention: by the age of the journal alone; a request that nobody finished stays', () => {
      let nowMs = 0;
      const journal = opened(() => nowMs);
      accept(journal, 'finished');
      accept(journal, 'open', { personalLifeMs: 500 * dayMs });
      accept(journal, 'overdue');
      journal.handOver('finished', at);
      journal.rememberToday('finished', { referenceNumber: '4711', notices: [] }, at);
      journal.reject('front-1', 'message.forged', 2, at);
      journal.reject('front-1', 'message.forged', 3, at + 1);
      expect(journal.rejections()).toEqual([
        { day: '20261121', device: 'front-1', code: 'message.forged', times: 5, lastAt: at + 1 },
      ]);
      nowMs = dayMs;
      expect(journal.sweep()).toEqual(['overdue']);
      expect(journal.personal('overdue')).toBe(undefined);
      expect(journal.todayNotes().size).toBe(0);
      expect(journal.cardSeen('4711', at)).toBe(true);
      nowMs = 401 * dayMs;
      expect(journal.sweep()).toEqual([]);
      expect(journal.visits().map(({ requestId }) => requestId)).toEqual(['open', 'overdue']);
      expect(journal.cardSeen('4711', at)).toBe(false);
      expect(journal.rejections()).toEqual([]);
      journal.close();
    });

    test('guesses, self-tests, calls for help, shares of receipts: what is written again replaces what stood there', () => {
      const journal = opened();
      journal.guesses.set('sato', { approver: 'sato', wrong: 1, lockedUntil: 0, lastAt: at });
      journal.guesses.set('sato', { approver: 'sato', wrong: 2, lockedUntil: at, lastAt: at });
      expect(journal.guesses.of('sato')).toEqual({ approver: 'sato', wrong: 2, lockedUntil: at, lastAt: at });
      journal.guesses.useOneTimeCode('sato', 7);
      journal.guesses.useOneTimeCode('sato', 8);
      expect(journal.guesses.lastOneTimeCode('sato')).toBe(8);
      journal.selfTests.began('front-1', 1, at);
      journal.selfTests.began('front-1', 1, at);
      expect(journal.selfTests.newest('front-1')).toEqual({ device: 'front-1', lane: 1, at, report: null });
      journal.selfTests.putAway('front-1', true, at);
      expect(journal.selfTests.isAway('front-1')).toBe(true);
      journal.selfTests.putAway('front-1', false, at);
      expect(journal.selfTests.isAway('front-1')).toBe(false);
      expect(journal.deskEvents.called('front-1', 1, at)).toBe(true);
      expect(journal.deskEvents.called('front-1', 1, at)).toBe(false);
      journal.deskEvents.answered('front-1', at, at + 5);
      expect(journal.deskEvents.callsSince(at)).toEqual([
        { device: 'front-1', lane: 1, calledAt: at, answeredAt: at + 5 },
      ]);
      expect(journal.deskEvents.abandoned({ session: 's', device: 'front-1', lane: 1, at, reason: 'left' })).toBe(true);
      expect(journal.deskEvents.abandonedSince(at)).toHaveLength(1);
      journal.receiptShares.set({ month: '202611', people: 1, receipts: 2 }, at);
      journal.receiptShares.set({ month: '202611', people: 2, receipts: 3 }, at);
      expect(journal.receiptShares.all).toEqual([{ month: '202611', people: 2, receipts: 3 }]);
      journal.setOfficialUsage({ month: '202611', cardUses: 1, confirmations: 2 }, at);
      expect(journal.officialUsage()).toEqual([{ month: '202611', cardUses: 1, confirmations: 2 }]);
      journal.setDisasterArea(at);
      expect(journal.disasterSince()).toBe(at);
      journal.setDisasterArea(null);
      expect(journal.disasterSince()).toBe(null);
      journal.close();
    });

    test('the chain: whole across restarts and what was rolled back; its oldest part may go', () => {
      let journal = opened();
      const append = (number: number): void =>
        journal.atOnce(() => journal.audit.append({ atMs: at + number + 0.25, event: 'e', subject: `${number}` }));
      for (let number = 0; number < 6; number += 1) append(number);
      expect(() =>
        journal.atOnce(() => {
          journal.audit.append({ atMs: at, event: 'e', subject: 'never' });
          throw new Error('rolled back');
        }),
      ).toThrow('rolled back');
      append(6);
      journal.close();
      journal = opened();
      append(7);
      expect(journal.audit.verify()).toEqual({ entries: 8, brokenAt: null });
      const end = journal.audit.end();
      expect(journal.audit.reaches(end)).toBe(true);
      expect(journal.audit.reaches({ number: end.number, hash: 'x' })).toBe(false);
      journal.atOnce(() => journal.audit.rotate(3));
      expect(journal.audit.verify()).toEqual({ entries: 3, brokenAt: null });
      expect([...journal.audit.lines()].map(({ number }) => number)).toEqual([6, 7, 8]);
      journal.close();
    });

    test('written together: in one transaction, told after it; what fails is undone alone, and takes nobody along', async () => {
      const journal = opened();
      const nonces = Array.from({ length: 40 }, (_, number) => `n${number}`);
      const challenges = nonces.map((nonce) => ({ nonce, issuedAt: at, expiresAt: at + 1_000 }));
      journal.addChallenges('front-1', challenges, 48);
      const written = nonces.map((challenge) =>
        journal.together('now', () => journal.record(request({ requestId: challenge, session: challenge, challenge }))),
      );
      // The same document twice among them, and one whose work fails in its midst.
      const again = journal.together('now', () =>
        journal.record(request({ requestId: 'n3', session: 'n3', challenge: 'n3' })),
      );
      const failing = journal.together('now', () => {
        journal.audit.append({ atMs: at, event: 'e', subject: 'never' });
        throw new Error('its own');
      });
      const ended = journal.together('forgotten', () => journal.handOver('n0', at));
      expect(journal.visits()).toEqual([]);
      await expect(failing).rejects.toThrow('its own');
      for (const one of written) expect(await one).toMatchObject({ kind: 'recorded', visit: { verdict: 'accepted' } });
      expect(await again).toMatchObject({ kind: 'repeated' });
      await ended;
      expect(journal.unfinished()).toHaveLength(39);
      expect(journal.audit.verify()).toEqual({ entries: 41, brokenAt: null });
      // What waits when it is closed is written before.
      const last = journal.together('soon', () => journal.finish('n1', { outcome: 'eligible', at }));
      journal.close();
      expect(await last).toMatchObject({ failedBefore: false, visit: { outcome: 'eligible' } });
    });

    test('age: what was lived is there at the next opening', () => {
      let nowMs = 0;
      let journal = opened(() => nowMs);
      nowMs = 5_000;
      journal.see({ wallMs: at, confirmed: true });
      journal.tryWrite();
      journal.close();
      journal = opened(() => 0);
      expect(journal.livedMs).toBe(5_000);
      expect(journal.timeSeen).toEqual({ wallMs: at, confirmed: true });
      journal.close();
    });
  });
};
