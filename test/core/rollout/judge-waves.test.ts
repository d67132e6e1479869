import { describe, expect, test } from 'vitest';
import {
  type FacilityHealth,
  freshMemory,
  type Health,
  judgeWaves,
  type WaveLimits,
  withHeard,
  withOpened,
} from '../../../src/core/rollout/judge-waves.ts';
import { hourMs } from '../../../src/core/time-units.ts';
import type { RolloutOrder } from '../../../src/wire/rollout-papers.ts';

const limits: WaveLimits = { unwellPercent: 10, donePercent: 80, silentMs: 30 * 60_000, watchMs: 24 * hourMs };
const names = (from: number, count: number) => Array.from({ length: count }, (_, index) => `f-${from + index}`);
/** Waves of 1, 10 and 10. */
const waves = [names(0, 1), names(1, 10), names(11, 10)];
const order = { kind: 'release', number: 3, version: '0.3.0', waves } as unknown as RolloutOrder;
const openedAt = 100 * hourMs;

const through: FacilityHealth = { taken: { release: 3 }, done: { release: 3 }, kept: [], alerts: [], failed: [] };
const before: FacilityHealth = { ...through, taken: { release: 2 }, done: { release: 2 } };
const ring = { ...through, alerts: ['UketsukeReaderLost front-1'] };
/** All of them as before, but those named. */
const healthOf = (changed: Readonly<Record<string, FacilityHealth | null>> = {}): Health =>
  new Map(
    waves
      .flat()
      .map((facility) => [facility, facility in changed ? changed[facility] : before] as const)
      .filter((entry): entry is [string, FacilityHealth] => entry[1] != null),
  );
const all = (of: readonly string[], health: FacilityHealth) => Object.fromEntries(of.map((each) => [each, health]));
/** Wave 2 is open since `openedAt`, wave 1 through; all were heard when it opened. */
const secondWave = withOpened(
  { ...withHeard(freshMemory, healthOf(), openedAt), wave: 1 },
  order,
  2,
  healthOf({ 'f-0': ring, 'f-4': ring, 'f-8': ring }),
  openedAt,
);
const judge = (changed: Readonly<Record<string, FacilityHealth | null>>, afterMs = 25 * hourMs, memory = secondWave) =>
  judgeWaves(order, memory, healthOf(changed), limits, openedAt + afterMs);
const first = { 'f-0': through };

test('nobody begins before the first wave is there to be seen', () => {
  expect(judgeWaves(order, freshMemory, healthOf(), limits, openedAt)).toEqual({ step: 'open', wave: 1 });
  expect(judgeWaves(order, freshMemory, healthOf({ 'f-0': null }), limits, openedAt)).toEqual({
    ...{ step: 'wait', why: 'silent', facilities: ['f-0'] },
  });
});

describe('the next wave begins', () => {
  test('once enough of this one have carried it out, and a day has passed', () => {
    const eight = all(names(1, 8), through);
    expect(judge({ ...first, ...eight })).toEqual({ step: 'open', wave: 3 });
    expect(judge({ ...first, ...all(names(1, 7), through) })).toEqual({
      ...{ step: 'wait', why: 'for', facilities: names(8, 3) },
    });
    expect(judge({ ...first, ...eight }, 23 * hourMs)).toEqual({ step: 'wait', why: 'soak', facilities: [] });
    // Taken is not carried out: terminals wait for the night, or for an agent.
    expect(judge({ ...first, ...all(names(1, 10), { ...through, done: {} }) }).step).toBe('wait');
  });

  test('without those that keep their own', () => {
    const own = { ...before, kept: ['release' as const] };
    expect(judge({ ...first, ...all(names(1, 5), through), ...all(names(6, 5), own) })).toEqual({
      step: 'open',
      wave: 3,
    });
  });

  test('not into too many that are silent', () => {
    const ready = { ...first, ...all(names(1, 10), through) };
    expect(judge({ ...ready, 'f-11': null }).step).toBe('open');
    expect(judge({ ...ready, 'f-11': null, 'f-12': null })).toMatchObject({ step: 'wait', why: 'silent' });
  });

  test('when its day is over, to the millisecond, and not while the one that is open now is not through', () => {
    const ready = { ...first, ...all(names(1, 10), through) };
    expect(judge(ready, limits.watchMs - 1)).toMatchObject({ step: 'wait', why: 'soak' });
    expect(judge(ready, limits.watchMs)).toEqual({ step: 'open', wave: 3 });
    expect(judge(ready, limits.watchMs, { ...secondWave, wave: 3 })).toEqual({
      ...{ step: 'wait', why: 'for', facilities: names(11, 10) },
    });
  });

  test('at once where none is open yet: a person’s word before it is waited for by nobody', () => {
    expect(judge({}, 1, { ...freshMemory, openedAt })).toEqual({ step: 'open', wave: 1 });
  });

  test('and after the last one all is done', () => {
    const memory = { ...secondWave, wave: 3 };
    expect(judge(all(waves.flat(), through), 25 * hourMs, memory)).toEqual({ step: 'finished' });
  });
});

describe('all of it stops', () => {
  const fallen = { ...before, failed: ['0.3.0'] };

  test('when more than so many of a wave are unwell: 1 of 10 is borne, 2 are not', () => {
    expect(judge({ ...first, 'f-1': fallen }).step).toBe('wait');
    expect(judge({ ...first, 'f-1': fallen, 'f-2': ring })).toEqual({
      step: 'stop',
      unwell: [
        { facility: 'f-1', wave: 2, reason: 'fell-back', what: '0.3.0' },
        { facility: 'f-2', wave: 2, reason: 'alert', what: 'UketsukeReaderLost front-1' },
      ],
    });
  });

  test('also for an earlier wave: of one facility, one is too many', () => {
    expect(judge({ 'f-0': ring })).toMatchObject({ step: 'stop', unwell: [{ facility: 'f-0', wave: 1 }] });
  });

  test('for silence, after its time and not before', () => {
    const silent = { ...first, 'f-1': null, 'f-2': null };
    expect(judge(silent, limits.silentMs).step).toBe('wait');
    expect(judge(silent, limits.silentMs + 1)).toMatchObject({
      step: 'stop',
      unwell: ['f-1', 'f-2'].map((facility) => ({ facility, wave: 2, reason: 'silent', what: '' })),
    });
    // Heard meanwhile: counted from then.
    const heard = withHeard(secondWave, healthOf(), openedAt + 10 * 60_000);
    expect(judge(silent, limits.silentMs + 1, heard).step).toBe('wait');
  });

  test('not for what rang before, has not taken it, failed with another release, or is not open', () => {
    const other = { ...ring, taken: { release: 2 } };
    const former = { ...through, failed: ['0.2.0'] };
    const beyond = { 'f-11': fallen, 'f-12': fallen };
    const changed = {
      ...first,
      ...{ 'f-4': ring, 'f-8': ring },
      'f-5': other,
      'f-6': former,
      'f-7': { ...other, alerts: ['x'] },
      ...beyond,
    };
    expect(judge(changed).step).toBe('wait');
    // Another alert than the one that rang there before is new.
    const more = { ...ring, alerts: [...ring.alerts, 'UketsukeScreenDark front-1'] };
    expect(judge({ ...changed, 'f-4': more, 'f-5': { ...ring } }).step).toBe('stop');
  });

  test('not again for those whom a person has let pass', () => {
    const memory = { ...secondWave, excused: ['f-1', 'f-2'] };
    expect(judge({ ...first, 'f-1': fallen, 'f-2': null }, 25 * hourMs, memory).step).toBe('wait');
  });
});

test('a clinic may be called as a part of the language is: its silence is heard all the same', () => {
  const named = { ...order, waves: [['constructor']] };
  const opened = withOpened({ ...freshMemory, openedAt }, named, 1, new Map(), openedAt);
  expect(judgeWaves(named, opened, new Map(), limits, openedAt + limits.silentMs + 1)).toMatchObject({
    ...{ step: 'stop', unwell: [{ facility: 'constructor', reason: 'silent' }] },
  });
});
