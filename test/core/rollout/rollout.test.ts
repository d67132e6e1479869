import { describe, expect, test } from 'vitest';
import {
  type HeldRollout,
  heldAsTaken,
  holdsBack,
  judgeRollout,
  nothingHeld,
  type Rollout,
  type RolloutReason,
} from '../../../src/core/rollout/rollout.ts';
import { hourMs } from '../../../src/core/time-units.ts';
import { toleratedMs } from '../../../src/core/trusted-time.ts';
import type { RolloutConsent, RolloutOrder, RolloutWord } from '../../../src/wire/rollout-papers.ts';

const nowMs = Date.parse('2026-12-01T13:00:00Z');
const tenYearsMs = 10 * 365 * 24 * hourMs;
const about = { chain: 'midori', kind: 'release' as const, number: 7 };
const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k' } as unknown as RolloutOrder['watch'];

type Changes = {
  readonly order?: Partial<RolloutOrder>;
  readonly word?: Partial<RolloutWord>;
  readonly consent?: Partial<RolloutConsent> | null;
  readonly hashes?: Partial<Pick<Rollout, 'orderHash' | 'wordHash'>>;
};

/** Order 7 for a (wave 1), b and c (wave 2), d (wave 3); its word says wave 2, an hour old. */
const rolloutOf = ({ order = {}, word = {}, consent = null, hashes = {} }: Changes = {}): Rollout => {
  const number = order.number ?? about.number;
  const orderHash = hashes.orderHash ?? `order-${number}`;
  const life = { issuedAt: nowMs - hourMs, expiresAt: nowMs + hourMs };
  const papers = { ...about, number, order: orderHash, ...life };
  const said = { ...papers, sequence: 5, wave: 2, stopped: false, ...word };
  return {
    order: {
      ...{ ...about, version: '0.3.0', watch: key, content: [], paceMs: 0, waves: [['a'], ['b', 'c'], ['d']] },
      ...{ ...life, expiresAt: nowMs + 240 * hourMs, ...order },
    },
    orderHash,
    word: said,
    wordHash: hashes.wordHash ?? `word-${said.sequence}`,
    consent: consent === null ? null : { ...papers, lifts: 4, ...consent },
  };
};
const here = {
  ...{ chain: 'midori', facility: 'b', hours: 'closed' as const, isKept: false },
  time: { wallMs: nowMs, certainty: 'plausible' as const },
};
const held: HeldRollout = {
  ...{ number: 7, order: 'order-7', sequence: 5, word: 'word-5', stop: 0, taken: false, floor: '0.2.0' },
};

test('an order whose wave is open is taken at night, and stays in force through the day', () => {
  const judged = judgeRollout(nothingHeld, rolloutOf(), here);
  expect(judged).toMatchObject({ go: true, why: null, held: { number: 7, sequence: 5, taken: false } });
  const taken = heldAsTaken(judged.held, { version: '0.3.0' });
  expect(taken).toMatchObject({ taken: true, floor: '0.3.0' });
  expect(judgeRollout(taken, rolloutOf(), { ...here, hours: 'open' })).toMatchObject({ go: true, held: taken });
});

test('an order of settings, which names no release, is none of an older release', () => {
  const { version: _version, ...settings } = rolloutOf({ order: { number: 8 } }).order;
  const rollout = { ...rolloutOf({ order: { number: 8 } }), order: settings };
  expect(judgeRollout(held, rollout, here)).toMatchObject({ go: true, why: null, held: { floor: '0.2.0' } });
});

test.each([
  ['word', null],
  ['order', 'not-yet'],
] as const)('clocks may differ by the time that is borne and no more: the %s’s', (paper, why) => {
  const at = (issuedAt: number) => judgeRollout(nothingHeld, rolloutOf({ [paper]: { issuedAt } }), here).why;
  expect(at(nowMs + toleratedMs)).toBe(why);
  expect(at(nowMs + toleratedMs + 1)).toBe('from-the-future');
});

test('an order of settings, which names no release, leaves the newest release taken here as it was', () => {
  expect(heldAsTaken(held, {})).toMatchObject({ taken: true, floor: '0.2.0' });
});

const refused: readonly (readonly [name: string, why: RolloutReason, before: HeldRollout, changes: Changes])[] = [
  ['another chain', 'other-chain', held, { order: { chain: 'aoi' } }],
  ['a word for another order', 'other-order', held, { word: { order: 'order-6' } }],
  ['a word of another chain', 'other-order', held, { word: { chain: 'aoi' } }],
  ['a word for another kind', 'other-order', held, { word: { kind: 'settings' } }],
  ['a word for another number', 'other-order', held, { word: { number: 6 } }],
  ['a lower number than the one held', 'older', held, { order: { number: 6 } }],
  ['an older release under a higher number', 'older', held, { order: { number: 8, version: '0.1.9' } }],
  ['a release that is no version', 'older', held, { order: { number: 8, version: '9' } }],
  ['another order under the same number', 'same-number', held, { hashes: { orderHash: 'order-7b' } }],
  ['a word from before the last one', 'replayed', held, { word: { sequence: 4 } }],
  ['another word under the same sequence', 'replayed', held, { hashes: { wordHash: 'word-5b' } }],
];
describe('what is no step forward is refused, and nothing of it remembered', () => {
  test.each(refused)('%s: %s', (_name, why, before, changes) => {
    expect(judgeRollout(before, rolloutOf(changes), here)).toEqual({ held: before, go: false, why });
  });
});

const doubted = { wallMs: nowMs, certainty: 'doubted' as const };
const waits: readonly (readonly [name: string, why: RolloutReason, Changes, Partial<typeof here>])[] = [
  ['a clock that nothing confirms', 'clock', {}, { time: doubted as never }],
  ['a clock ten years behind', 'from-the-future', {}, { time: { ...here.time, wallMs: nowMs - tenYearsMs } }],
  ['a clock ten years ahead', 'expired', {}, { time: { ...here.time, wallMs: nowMs + tenYearsMs } }],
  ['an order of next week', 'from-the-future', { order: { issuedAt: nowMs + 168 * hourMs } }, {}],
  ['an order that is over', 'expired', { order: { expiresAt: nowMs } }, {}],
  ['a copy of the folder of two hours ago', 'silent-watch', { word: { expiresAt: nowMs } }, {}],
  ['a facility in no wave', 'not-addressed', {}, { facility: 'e' }],
  ['a facility in two waves', 'in-two-waves', { order: { waves: [['b'], ['b']] } }, {}],
  ['a facility named twice in its wave', 'in-two-waves', { order: { waves: [['b', 'b']] } }, {}],
  ['a wave that is not open', 'not-yet', {}, { facility: 'd' }],
  ['a facility with its own release', 'kept', {}, { isKept: true }],
  ['opening hours', 'opening-hours', {}, { hours: 'open' as never }],
  ['hours that nobody knows', 'clock', {}, { hours: 'unknown' as never }],
];
describe('what is not for here and now waits', () => {
  test.each(waits)('%s: %s', (_name, why, changes, other) => {
    const judged = judgeRollout(nothingHeld, rolloutOf(changes), { ...here, ...other });
    expect(judged).toMatchObject({ go: false, why, held: { number: 7, taken: false } });
  });
});

describe('a stop', () => {
  const stop = rolloutOf({ word: { sequence: 6, stopped: true } });

  test('is believed by whoever has a wrong clock, has taken it, or was away until now', () => {
    for (const before of [nothingHeld, held, { ...held, taken: true }])
      for (const time of [here.time, doubted, { ...here.time, wallMs: nowMs + tenYearsMs }])
        expect(judgeRollout(before, stop, { ...here, time: time as typeof here.time })).toMatchObject({
          ...{ go: false, why: 'stopped', held: { stop: 6, taken: before.taken } },
        });
  });

  test('is lifted by a consent to that very stop, and by no word of the watch alone', () => {
    const stopped = judgeRollout(held, stop, here).held;
    const lifted = (consent: Changes['consent']) =>
      judgeRollout(stopped, rolloutOf({ word: { sequence: 7 }, consent: consent ?? null }), here);
    expect(lifted(null)).toMatchObject({ go: false, why: 'no-consent', held: { stop: 6 } });
    expect(lifted({ lifts: 5 }).why).toBe('no-consent');
    expect(lifted({ lifts: 6, order: 'order-6' }).why).toBe('no-consent');
    expect(lifted({ lifts: 6, number: 6 }).why).toBe('no-consent');
    expect(lifted({ lifts: 6 })).toMatchObject({ go: true, why: null });
    // The consent of the first stop is none to the second.
    const again = judgeRollout(
      lifted({ lifts: 6 }).held,
      rolloutOf({ word: { sequence: 8, stopped: true } }),
      here,
    ).held;
    const word = { sequence: 9 };
    expect(judgeRollout(again, rolloutOf({ word, consent: { lifts: 6 } }), here).why).toBe('no-consent');
  });

  test('ends with the next order of a person, never with an older one', () => {
    const stopped = judgeRollout(held, stop, here).held;
    expect(judgeRollout(stopped, rolloutOf({ order: { number: 8 } }), here)).toMatchObject({
      go: true,
      held: { stop: 0 },
    });
    expect(judgeRollout(stopped, rolloutOf({ order: { number: 6 } }), here)).toMatchObject({ go: false, why: 'older' });
  });
});

test('whoever has the key of the watch skips no wave before its time, and leaves no word behind for years', () => {
  const { issuedAt } = rolloutOf().order;
  const at = (sinceMs: number) => ({ ...here, time: { ...here.time, wallMs: issuedAt + sinceMs } });
  const hurried = rolloutOf({ order: { paceMs: 24 * hourMs }, word: { wave: 99, expiresAt: nowMs + tenYearsMs } });
  const c = (sinceMs: number) => judgeRollout(held, hurried, at(sinceMs));
  expect(c(24 * hourMs - 1)).toMatchObject({ go: false, why: 'not-yet' });
  const first = { ...at(hourMs), facility: 'a' };
  expect(judgeRollout(held, hurried, first)).toMatchObject({ go: true });
  const last = rolloutOf({
    order: { paceMs: 24 * hourMs },
    word: { wave: 99, issuedAt: issuedAt + 47 * hourMs, expiresAt: nowMs + tenYearsMs },
  });
  expect(judgeRollout(held, last, { ...at(48 * hourMs - 1), facility: 'd' })).toMatchObject({ why: 'not-yet' });
  expect(judgeRollout(held, last, { ...at(48 * hourMs), facility: 'd' })).toMatchObject({ go: true });
  expect(judgeRollout(held, last, { ...at(71 * hourMs), facility: 'd' })).toMatchObject({ why: 'silent-watch' });
});

test.each([...(['unreadable', 'forged', 'other-chain', 'other-order', 'older', 'same-number', 'replayed'] as const)])(
  'a stop that was heard is not lifted by what lies in the folder: %s',
  (why) => {
    expect(holdsBack({ ...held, stop: 6 }, why, '0.9.0')).toBe(true);
    expect(holdsBack(held, why, '0.9.0')).toBe(false);
  },
);

test('terminals that have fetched a release are held back when it is stopped, or nobody has spoken for it', () => {
  const taken = { ...held, taken: true, floor: '0.3.0' };
  expect(holdsBack({ ...taken, stop: 6 }, 'stopped', '0.9.0')).toBe(true);
  expect(holdsBack({ ...taken, stop: 6 }, 'no-consent', '0.3.0')).toBe(true);
  expect(holdsBack(taken, 'silent-watch', '0.3.0')).toBe(true);
  // What somebody installed by hand since is nobody's here.
  expect(holdsBack(taken, 'silent-watch', '0.4.0')).toBe(false);
  expect(holdsBack(taken, 'opening-hours', '0.3.0')).toBe(false);
  expect(holdsBack(held, 'silent-watch', '0.2.0')).toBe(false);
});
