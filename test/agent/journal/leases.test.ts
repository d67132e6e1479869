import { beforeEach, expect, test } from 'vitest';
import { memoryEngine, memoryJournal } from '../../../scripts/beds/memory-journal.ts';
import type { Journal } from '../../../src/agent/journal/journal.ts';
import type { Lease } from '../../../src/agent/journal/leases.ts';
import { at, request } from '../../contract/journal.ts';

/* Which of several agents finishes what: never two of them, and never nobody. */

let nowMs: number;
let journal: Journal;
beforeEach(() => {
  nowMs = at;
  journal = memoryJournal(memoryEngine({ shared: true, nowMs: () => nowMs }));
});

const accept = (requestId: string, recordedBy?: string): Lease | null => {
  journal.addChallenges('front-1', [{ nonce: requestId, issuedAt: at, expiresAt: at + 1_000 }], 48);
  const more = recordedBy === undefined ? {} : { recordedBy };
  const recorded = journal.record(request({ requestId, challenge: requestId, session: requestId, ...more }));
  if (recorded.kind !== 'recorded' || recorded.visit.verdict !== 'accepted') throw new Error('not accepted');
  return recorded.lease;
};
const taken = (requestId: string, agent: string): Lease => {
  const lease = journal.leases.take(requestId, agent);
  if (lease === null) throw new Error('not taken');
  return lease;
};

test('who is there says so again and again; who has been silent for long is not', () => {
  expect(journal.leases.beat('b')).toEqual(['b']);
  nowMs += 1_000;
  expect(journal.leases.beat('a')).toEqual(['a', 'b']);
  expect([journal.leases.isFirst('a'), journal.leases.isFirst('b')]).toEqual([true, false]);
  nowMs = at + 2_500;
  expect([journal.leases.isAlive('b'), journal.leases.isAlive('nobody')]).toEqual([true, false]);
  expect(journal.leases.beat('c')).toEqual(['a', 'b', 'c']);
  nowMs += 1;
  expect(journal.leases.isAlive('b')).toBe(false);
  expect(journal.leases.beat('c')).toEqual(['a', 'c']);
  nowMs = at + 1_000 + 2_500;
  expect(journal.leases.isFirst('a')).toBe(true);
  nowMs += 1;
  expect([journal.leases.isFirst('a'), journal.leases.isFirst('c')]).toEqual([false, true]);
});

test('whoever records it goes on with it, until he is silent: then another does, and he may not', () => {
  journal.leases.beat('a');
  const first = accept('r1', 'a');
  expect(first).toEqual({ requestId: 'r1', agent: 'a', fence: 1, marked: null, file: null });
  expect(journal.leases.take('r1', 'b')).toBeNull();
  // After a restart he takes up his own.
  const again = taken('r1', 'a');
  expect(again.fence).toBe(2);
  nowMs += 2_501;
  const other = taken('r1', 'b');
  expect(other).toMatchObject({ agent: 'b', fence: 3, marked: null, file: null });
  expect([first, again, other].map((lease) => journal.leases.holds(lease as Lease))).toEqual([false, false, true]);
  expect(journal.leases.holds({ ...other, agent: 'a' })).toBe(false);
  expect(journal.leases.holds({ ...other, requestId: 'r2' })).toBe(false);
  expect(journal.finish('r1', { outcome: 'eligible', at }, again)).toBeNull();
  expect(journal.visit('r1')?.outcome).toBeNull();
  expect(journal.finish('r1', { outcome: 'eligible', at }, other)).toMatchObject({ visit: { outcome: 'eligible' } });
});

test('what nobody recorded for himself is anybody’s, and what has ended nobody’s', () => {
  expect(accept('open')).toBeNull();
  expect(taken('open', 'a').fence).toBe(1);
  for (const [requestId, end] of [
    ['handed-over', () => journal.handOver('handed-over', at)],
    ['given-up', () => journal.giveUp('given-up', at)],
  ] as const) {
    accept(requestId);
    end();
    expect(journal.leases.take(requestId, 'a')).toBeNull();
  }
  expect(journal.leases.take('unknown', 'a')).toBeNull();
});

test('a file that was about to take its name is known to whoever comes after', () => {
  const one = accept('r1', 'a') as Lease;
  expect(journal.leases.mark(one, 'face.xml')).toBe(true);
  const other = taken('r1', 'b');
  expect(other).toMatchObject({ fence: 2, marked: 1, file: 'face.xml' });
  expect(journal.leases.mark(one, 'another.xml')).toBe(false);
  expect(journal.leases.mark({ ...other, agent: 'a' }, 'another.xml')).toBe(false);
  expect(taken('r1', 'b')).toMatchObject({ fence: 3, marked: 1, file: 'face.xml' });
});

test('orphans: open, with nobody there who works on them', () => {
  journal.leases.beat('a');
  for (const requestId of ['of a', 'of a dead one', 'of nobody', 'handed over', 'given up'])
    accept(requestId, requestId === 'of nobody' ? undefined : requestId === 'of a' ? 'a' : 'b');
  journal.handOver('handed over', at);
  journal.giveUp('given up', at);
  expect([...journal.leases.orphans()].sort()).toEqual(['of a dead one', 'of nobody']);
  nowMs += 2_500;
  expect(journal.leases.orphans()).not.toContain('of a');
  nowMs += 1;
  expect(journal.leases.orphans()).toContain('of a');
  // What has ended is nobody's any more: there is no row of it.
  const left = (journal as unknown as { engine: ReturnType<typeof memoryEngine> }).engine;
  expect(left.all('SELECT request_id FROM lease ORDER BY request_id')).toEqual([
    { request_id: 'of a' },
    { request_id: 'of a dead one' },
  ]);
});

test('where one agent alone has the journal nothing is asked and nothing written', () => {
  const rows = memoryEngine();
  const written: string[] = [];
  const engine = {
    ...rows,
    write: (...asked: Parameters<typeof rows.write>) => {
      written.push(asked[0]);
      rows.write(...asked);
    },
  };
  journal = memoryJournal(engine);
  const lease = accept('r1', 'a') as Lease;
  expect(lease).toEqual({ requestId: 'r1', agent: 'a', fence: 0, marked: null, file: null });
  expect(taken('r1', 'b')).toEqual({ ...lease, agent: 'b' });
  expect([journal.leases.isShared, journal.leases.isFirst('z'), journal.leases.holds(lease)]).toEqual([
    false,
    true,
    true,
  ]);
  expect(journal.finish('r1', { outcome: 'eligible', at }, lease)).toMatchObject({ visit: { outcome: 'eligible' } });
  journal.handOver('r1', at);
  expect(engine.all('SELECT * FROM lease')).toEqual([]);
  expect(written.filter((sql) => sql.includes('lease'))).toEqual([]);
});
