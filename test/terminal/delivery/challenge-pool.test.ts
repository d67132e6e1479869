import { beforeEach, describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../../scripts/beds/simulated-clock.ts';
import { ok } from '../../../src/core/result.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import { type ChallengePool, createChallengePool } from '../../../src/terminal/delivery/challenge-pool.ts';
import type { Challenge } from '../../../src/wire/messages.ts';

/* Delays are the product's: a visit needs 5 minutes, one below 6 has its successor fetched, 4 are asked for, 16 kept. */

const minute = 60_000;
const visit = 5 * minute;
const life = 10 * minute;

let clock: SimulatedClock;
let pool: ChallengePool;
let asked: { readonly id: string; readonly wanted: number; readonly atMs: number }[];
let stocked: number[];
let turns: number;
let startMs: number;
let letGo: (() => void) | null;
let made: number;
/** The agent's clock is ahead of ours. ms */
let aheadMs: number;

beforeEach(() => {
  clock = new SimulatedClock();
  [asked, stocked, turns, made, aheadMs, letGo] = [[], [], 0, 0, 1_000_000, null];
  startMs = clock.now().monotonicMs;
  const log = createEventLog({ format: 'silent' });
  log.event = ((name: string, { challenges }: { challenges: number }) => {
    if (name === 'challenge.stocked') stocked.push(challenges);
  }) as never;
  pool = createChallengePool({
    ...{ clock, log },
    ask: async (id, wanted) => {
      asked.push({ id, wanted, atMs: clock.now().monotonicMs - startMs });
      if (letGo !== null)
        await new Promise<void>((resolve) => {
          letGo = resolve;
        });
      return ok(undefined);
    },
    changed: () => {
      turns += 1;
    },
  });
});

const agentNowMs = (): number => clock.now().monotonicMs + aheadMs;
const make = (count: number, lifeMs = life, agent = 'agent-1'): readonly Challenge[] =>
  Array.from({ length: count }, () => {
    made += 1;
    return { nonce: `nonce-${made}`, agent, issuedAt: agentNowMs(), expiresAt: agentNowMs() + lifeMs };
  });
/** Answers the newest question at once. */
const answer = (challenges: readonly Challenge[], agent = 'agent-1', id = asked.at(-1)?.id ?? ''): boolean =>
  pool.stock(agent, id, agentNowMs(), challenges);
const drain = (lifeMs = 0): readonly string[] => {
  const nonces: string[] = [];
  for (let one = pool.take(lifeMs); one !== null; one = pool.take(lifeMs)) nonces.push(one.nonce);
  return nonces;
};
const askedAt = (): readonly number[] => asked.map(({ atMs }) => atMs);

describe('a pool', () => {
  test('asks when there is a connection, and is ready when it was answered', () => {
    expect([pool.ready(0), pool.take(0), pool.agentNowMs()]).toEqual([false, null, null]);
    expect(asked).toEqual([]);
    pool.setConnected(true);
    expect(asked).toMatchObject([{ wanted: 4 }]);
    expect(answer(make(4))).toBe(true);
    expect([pool.ready(life), pool.ready(life + 1)]).toEqual([true, false]);
    expect([pool.agentNowMs(), stocked]).toEqual([agentNowMs(), [4]]);
    expect(asked).toHaveLength(1);
  });

  test('gives each challenge once, those that last longest first, and none that does not last', () => {
    pool.setConnected(true);
    const [short, long] = [make(1, 7 * minute), make(1, 9 * minute)];
    answer([...short, ...long]);
    expect(pool.take(9 * minute + 1)).toBeNull();
    expect(pool.take(visit)).toEqual(long[0]);
    expect(pool.take(visit)).toEqual(short[0]);
    expect(pool.take(0)).toBeNull();
  });

  test('counts a life from when it was asked for: time on the way shortens it', async () => {
    pool.setConnected(true);
    const challenges = make(2);
    const agentTime = agentNowMs();
    await clock.advance(2_000);
    expect(pool.stock('agent-1', asked[0]?.id ?? '', agentTime, challenges)).toBe(true);
    expect([pool.ready(life - 2_000), pool.ready(life - 1_999)]).toEqual([true, false]);
    expect(pool.agentNowMs()).toBe(agentTime + 2_000);
  });

  test('tells the agent’s time in whole milliseconds', () => {
    pool.setConnected(true);
    aheadMs = 1_000_000.4;
    answer(make(2));
    expect(pool.agentNowMs()).toBe(clock.now().monotonicMs + 1_000_000);
  });

  test('takes an answer within three seconds, and none that nobody asked for', async () => {
    pool.setConnected(true);
    const [first] = asked;
    expect(answer(make(1), 'agent-1', 'another')).toBe(false);
    await clock.advance(3_000);
    expect(answer(make(1), 'agent-1', first?.id)).toBe(true);
    await clock.advance(1);
    expect(answer(make(1), 'agent-1', first?.id)).toBe(false);
    // A new connection: what was asked over the old one is of no account.
    const late = asked.at(-1)?.id;
    pool.setConnected(false);
    pool.setConnected(true);
    expect(answer(make(1), 'agent-1', late)).toBe(false);
  });

  test('is brought nothing back by an answer that comes twice', () => {
    pool.setConnected(true);
    const challenges = make(3);
    const [question] = asked;
    answer(challenges);
    const taken = [pool.take(0), pool.take(0)];
    // Also while the next is asked for.
    expect(asked).toHaveLength(2);
    answer(challenges, 'agent-1', question?.id);
    expect(drain()).toEqual(challenges.filter((one) => !taken.includes(one)).map(({ nonce }) => nonce));
  });

  test('keeps sixteen, those that last longest', () => {
    pool.setConnected(true);
    answer([...make(10, 7 * minute), ...make(10, 8 * minute)]);
    expect(stocked).toEqual([16]);
    expect([drain(8 * minute).length, drain(7 * minute).length]).toEqual([10, 6]);
  });
});

describe('it asks again', () => {
  test('of nobody who answers: after half a second, a second, and every one and a half', async () => {
    pool.setConnected(true);
    await clock.advance(6_000);
    expect(askedAt()).toEqual([0, 500, 1_500, 3_000, 4_500, 6_000]);
    pool.setConnected(true);
    await clock.advance(500);
    expect(askedAt().slice(6)).toEqual([6_000, 6_500]);
    answer(make(4));
    drain();
    await clock.advance(500);
    // Answered: it begins with the short pause again.
    expect(askedAt().slice(8)).toEqual([6_500, 7_000]);
  });

  test('only once a question has left', async () => {
    letGo = () => undefined;
    pool.setConnected(true);
    await clock.advance(10_000);
    expect(askedAt()).toEqual([0]);
    letGo();
    await clock.advance(499);
    expect(askedAt()).toEqual([0]);
    await clock.advance(1);
    expect(askedAt()).toEqual([0, 10_500]);
  });

  test('when fewer than two last six minutes: not sooner, and without anybody taking one', async () => {
    pool.setConnected(true);
    answer([...make(1, 8 * minute), ...make(1, 7 * minute), ...make(1, 9 * minute)]);
    expect(asked).toHaveLength(1);
    await clock.advance(2 * minute);
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    expect(asked).toHaveLength(2);
  });

  test('when one was taken and fewer than two are left, and not before', () => {
    pool.setConnected(true);
    answer(make(4));
    for (const expected of [1, 1, 2]) {
      pool.take(0);
      expect(asked).toHaveLength(expected);
    }
    // One question at a time.
    pool.take(0);
    expect(asked).toHaveLength(2);
  });

  test('with a pause of whoever gives none, or such as do not last', async () => {
    for (const challenges of [[], make(4, minute)]) {
      asked = [];
      pool.setConnected(true);
      const before = turns;
      answer(challenges);
      expect(turns).toBeGreaterThan(before);
      expect(asked).toHaveLength(1);
      await clock.advance(1_499);
      expect(asked).toHaveLength(1);
      await clock.advance(1);
      expect(asked).toHaveLength(2);
    }
  });

  test('not without a connection, and tells when the last has become too short for a visit', async () => {
    pool.setConnected(true);
    answer(make(2));
    pool.setConnected(false);
    const before = turns;
    await clock.advance(life - visit);
    expect([pool.ready(visit), turns]).toEqual([true, before]);
    await clock.advance(1);
    expect([pool.ready(visit), turns]).toEqual([false, before + 1]);
    await clock.advance(life);
    expect([asked.length, turns]).toEqual([1, before + 1]);
  });

  test('not once it is closed', async () => {
    pool.setConnected(true);
    answer(make(4));
    pool.close();
    drain();
    pool.setConnected(true);
    await clock.advance(life);
    expect(asked).toHaveLength(1);
  });

  test('not once it is closed, where an answer comes after that', async () => {
    pool.setConnected(true);
    pool.close();
    expect(answer(make(1, minute))).toBe(true);
    await clock.advance(life);
    expect(asked).toHaveLength(1);
  });

  test('not at all while there was never a connection', async () => {
    pool.heard('agent-1');
    expect(asked).toEqual([]);
    pool.setConnected(false);
    await clock.advance(life);
    expect([asked, pool.ready(0)]).toEqual([[], false]);
  });

  test('not once it is closed while a question is on its way', async () => {
    pool.setConnected(true);
    pool.close();
    await clock.advance(life);
    expect(asked).toHaveLength(1);
  });
});

describe('of several agents', () => {
  test('the one that was heard last comes first; one that is named alone', () => {
    pool.setConnected(true);
    const [first, second] = [make(2, life), make(2, life - minute, 'agent-2')];
    answer(first);
    answer(second, 'agent-2');
    // Both answered the same question; the second one was heard last.
    expect(pool.take(0)).toEqual(second[0]);
    pool.heard('agent-1');
    expect(pool.take(0)).toEqual(first[0]);
    expect(pool.take(0, 'agent-2')).toEqual(second[1]);
    expect(pool.take(0, 'agent-2')).toBeNull();
    expect(pool.take(0, 'agent-3')).toBeNull();
    expect(pool.take(0)).toEqual(first[1]);
  });

  test('where the one heard last has given none, another’s serve, and its own are fetched', () => {
    pool.setConnected(true);
    const first = make(4);
    answer(first);
    const before = turns;
    pool.heard('agent-1');
    expect([turns, asked.length]).toEqual([before, 1]);
    pool.heard('agent-2');
    expect(asked).toHaveLength(2);
    expect(pool.take(0)).toEqual(first[0]);
    answer(make(4, life, 'agent-2'), 'agent-2');
    pool.heard('agent-2');
    expect(asked).toHaveLength(2);
  });
});

describe('what an agent has lost', () => {
  test('is dropped when it was issued before; what it has just handed out stays', async () => {
    pool.setConnected(true);
    const old = make(2);
    answer(old);
    await clock.advance(minute);
    const voidBefore = agentNowMs();
    void pool.probe(1);
    const fresh = make(2);
    answer(fresh);
    pool.forget('agent-1', voidBefore, fresh);
    expect(drain()).toEqual(fresh.map(({ nonce }) => nonce));
  });

  test('is not what another agent made', () => {
    pool.setConnected(true);
    const [own, others] = [make(2), make(2, life, 'agent-2')];
    answer([...own, ...others]);
    pool.forget('agent-1', agentNowMs() + 1, []);
    expect(drain()).toEqual(others.map(({ nonce }) => nonce));
  });

  test('said again of the same instant is no news', () => {
    pool.setConnected(true);
    const voidBefore = agentNowMs();
    const first = make(4);
    answer(first);
    pool.forget('agent-1', voidBefore, first);
    const before = [asked.length, turns];
    pool.forget('agent-1', voidBefore, []);
    expect([asked.length, turns]).toEqual(before);
    expect(drain()).toEqual(first.map(({ nonce }) => nonce));
  });

  test('said again: what bears an instant before it, by a clock that came back behind, goes once it was not just handed out', () => {
    pool.setConnected(true);
    const [own, others] = [make(2), make(1, life, 'agent-2')];
    answer([...own, ...others]);
    const voidBefore = agentNowMs() + minute;
    pool.forget('agent-1', voidBefore, own);
    expect(pool.ready(0)).toBe(true);
    pool.forget('agent-1', voidBefore, []);
    expect(drain()).toEqual(others.map(({ nonce }) => nonce));
  });

  test('and does not know of: all are dropped, and fetched anew', () => {
    pool.setConnected(true);
    answer(make(4));
    pool.dropAll();
    expect([pool.ready(0), asked.length]).toEqual([false, 2]);
  });

  test('by its clock is over sooner: as soon as it says so', () => {
    pool.setConnected(true);
    const challenges = make(4);
    answer(challenges);
    const others = make(2, life, 'agent-2');
    answer(others, 'agent-2');
    aheadMs += 6 * minute;
    void pool.probe();
    answer([]);
    expect([pool.ready(4 * minute), pool.take(4 * minute + 1, 'agent-1')]).toEqual([true, null]);
    // Of whoever is left the longest life comes first again.
    pool.heard('agent-3');
    expect(pool.take(0)).toEqual(others[0]);
    pool.heard('agent-1');
    // Set back it lengthens no life.
    aheadMs -= 60 * minute;
    void pool.probe();
    answer([]);
    expect([pool.take(4 * minute + 1, 'agent-1'), pool.take(4 * minute, 'agent-1')]).toEqual([null, challenges[0]]);
  });
});

test('a sign of life is asked for by itself: it costs no challenge, brings the time, and leaves the pool as it was', async () => {
  pool.setConnected(true);
  answer(make(4));
  await pool.probe();
  expect(asked.at(-1)).toMatchObject({ wanted: 0 });
  const before = [stocked.length, turns];
  expect(answer([])).toBe(true);
  aheadMs -= 5;
  expect(answer([])).toBe(true);
  expect([pool.agentNowMs(), [stocked.length, turns]]).toEqual([agentNowMs(), before]);
  await clock.advance(minute);
  expect(asked).toHaveLength(2);
  await pool.probe(1);
  expect(asked.at(-1)).toMatchObject({ wanted: 1 });
});
