import { expect, test } from 'vitest';
import { memoryPlace } from '../../../scripts/beds/memory-journal.ts';
import { dayMs } from '../../../src/core/time-units.ts';
import { at, request } from '../../contract/journal.ts';

/* What has had its time by the age of the journal goes with the sweep, to the millisecond, and nothing else does. */

type Place = ReturnType<typeof memoryPlace>;
type Journal = ReturnType<Place['open']>;
const record = (journal: Journal, requestId: string, challenge = requestId): void => {
  journal.addChallenges('front-1', [{ nonce: requestId, issuedAt: at, expiresAt: at + 1_000 }], 48);
  journal.record(request({ requestId, session: requestId, challenge, personalLifeMs: 1_000 * dayMs }));
};
const reportless = 'SELECT * FROM self_test';

test.each<[table: string, lastsMs: number, make: (journal: Journal) => void, left?: string]>([
  [
    'approval_use',
    dayMs - 1,
    (journal) =>
      journal.addApproval({
        session: 's',
        device: 'd',
        approver: 'a',
        approvedAt: at,
        expiresAt: at,
        certificate: 'c',
      }),
  ],
  ['challenge', 30 * dayMs, (journal) => journal.addChallenges('d', [{ nonce: 'n', issuedAt: at, expiresAt: at }], 48)],
  ['rejection', 30 * dayMs, (journal) => journal.reject('d', 'message.forged', 1, at)],
  [
    'abandoned',
    400 * dayMs,
    (journal) => void journal.deskEvents.abandoned({ session: 's', device: 'd', lane: 1, at, reason: 'r' }),
  ],
  ['help_call', 400 * dayMs, (journal) => void journal.deskEvents.called('d', 1, at)],
  ['self_test', 400 * dayMs, (journal) => journal.selfTests.began('d', 1, at), reportless],
  ['request', 400 * dayMs, (journal) => record(journal, 'refused', 'unknown')],
  [
    'request',
    400 * dayMs,
    (journal) => {
      record(journal, 'done');
      journal.handOver('done', at);
    },
  ],
  [
    'request',
    400 * dayMs,
    (journal) => {
      record(journal, 'given-up');
      journal.giveUp('given-up', at);
    },
  ],
  ['card_seen', 31 * dayMs, (journal) => journal.rememberToday('r', { referenceNumber: '1', notices: [] }, at)],
  // Its marks went a round before it: both are due at once.
  ['month_key', 31 * dayMs, (journal) => journal.rememberToday('r', { referenceNumber: '1', notices: [] }, at)],
])('%s: %d ms', (table, lastsMs, make, all = `SELECT * FROM ${table}`) => {
  let nowMs = 0;
  const place = memoryPlace();
  const journal = place.open(() => nowMs);
  nowMs = 5 * dayMs;
  make(journal);
  const keptFor = (ms: number): boolean => {
    nowMs = 5 * dayMs + ms;
    journal.sweep();
    return place.engine.all(all).length > 0;
  };
  expect([keptFor(lastsMs), keptFor(lastsMs + 1)]).toEqual([true, false]);
});

test('what is open stays, however old; what went is wiped from every file, and only then', () => {
  let nowMs = 0;
  let forgotten = 0;
  const place = memoryPlace({
    forget: () => {
      forgotten += 1;
      return true;
    },
  });
  const journal = place.open(() => nowMs);
  journal.forgetDeleted();
  record(journal, 'open');
  const wipes = (atMs: number): [string[], number] => {
    const before = forgotten;
    nowMs = atMs;
    return [journal.sweep(), forgotten - before];
  };
  expect(wipes(1)).toEqual([[], 0]);
  expect(wipes(900 * dayMs)).toEqual([[], 1]);
  expect(journal.visit('open')).toBeDefined();
  expect(wipes(1_000 * dayMs - 1)).toEqual([[], 0]);
  // Its personal data has its end all the same, and whoever works on it is told.
  expect(wipes(1_000 * dayMs)).toEqual([['open'], 1]);
  expect(journal.personal('open')).toBeUndefined();
  expect(journal.visit('open')).toBeDefined();
});
