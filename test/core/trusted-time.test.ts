import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  longestLifeMs,
  type MachineTime,
  mayRefuseByDate,
  type TimeKnowledge,
  tellTime,
  timeOffMs,
  toleratedMs,
} from '../../src/core/trusted-time.ts';

const day = 86_400_000;
const built = Date.UTC(2026, 10, 21);
const began = { steadyMs: 5_000, wallMs: built + 30 * day };
const known = (more: Partial<TimeKnowledge> = {}): TimeKnowledge => ({
  floorMs: built,
  ceilingMs: built + 15 * 365 * day,
  lastSeenMs: null,
  began,
  word: null,
  synchronised: false,
  ...more,
});
/** The machine after `ms`, its wall clock set by `setMs` meanwhile. */
const later = (ms: number, setMs = 0) => ({ steadyMs: began.steadyMs + ms, wallMs: began.wallMs + ms + setMs });

describe('what may be believed of a clock', () => {
  test('a clock within its bounds that nobody set is plausible, and good for a date', () => {
    const time = tellTime(known(), later(day));
    expect(time).toMatchObject({
      wallMs: began.wallMs + day,
      floorMs: built,
      certainty: 'plausible',
      fault: null,
      machineAheadMs: 0,
    });
    expect(mayRefuseByDate(time)).toBe(true);
  });

  test('a board that wakes in 1970 goes on from its build date, doubted, until the agent has signed a time', () => {
    const woken = known({ began: { steadyMs: 5_000, wallMs: 0 } });
    const machine = { steadyMs: 65_000, wallMs: 60_000 };
    expect(tellTime(woken, machine)).toMatchObject({ wallMs: built + 60_000, certainty: 'doubted', fault: 'behind' });
    const told = tellTime({ ...woken, word: { wallMs: built + day, steadyMs: 60_000, doubted: false } }, machine);
    expect(told).toMatchObject({ wallMs: built + day + 5_000, certainty: 'confirmed', fault: 'behind' });
  });

  test.each([
    ['ahead by a day', day],
    ['back by an hour', -3_600_000],
  ])('a clock that is set while the machine runs, %s, moves nothing', (_name, setMs) => {
    const time = tellTime(known(), later(60_000, setMs));
    expect(time).toMatchObject({ wallMs: began.wallMs + 60_000, certainty: 'doubted', fault: 'moved' });
    expect(time.machineAheadMs).toBe(setMs);
    expect(mayRefuseByDate(time)).toBe(false);
  });

  test('a year beyond every device of ours is a fault, not a date', () => {
    const time = tellTime(known({ began: { steadyMs: 5_000, wallMs: Date.UTC(2099, 0) } }), {
      steadyMs: 5_000,
      wallMs: Date.UTC(2099, 0),
    });
    expect(time).toMatchObject({ certainty: 'doubted', fault: 'ahead' });
  });

  test('weeks since the last time seen are doubted at the end that serves the time', () => {
    expect(tellTime(known({ lastSeenMs: began.wallMs - 10 * day }), later(0)).fault).toBeNull();
    expect(tellTime(known({ lastSeenMs: began.wallMs - 60 * day }), later(0))).toMatchObject({
      certainty: 'doubted',
      fault: 'long-away',
    });
  });

  test('a synchronised clock is believed, but not before the software was made', () => {
    expect(tellTime(known({ synchronised: true }), later(0, 40 * day))).toMatchObject({ certainty: 'confirmed' });
    const early = known({ synchronised: true, began: { steadyMs: 0, wallMs: 0 } });
    expect(tellTime(early, { steadyMs: 0, wallMs: 0 })).toMatchObject({ certainty: 'doubted', fault: 'behind' });
  });

  const { floorMs, ceilingMs } = known();
  const woken = (wallMs: number) => [{ began: { steadyMs: 5_000, wallMs } }, { steadyMs: 5_000, wallMs }] as const;
  const heard = (aheadMs: number, doubted = false) =>
    [{ word: { steadyMs: began.steadyMs, wallMs: began.wallMs, doubted } }, later(1_000, aheadMs)] as const;
  const away = (ms: number) => [{ lastSeenMs: began.wallMs - ms }, later(0)] as const;
  test.each<[string, readonly [Partial<TimeKnowledge>, MachineTime], string, string | null]>([
    ['the first millisecond that can be true', woken(floorMs), 'plausible', null],
    ['one before it', woken(floorMs - 1), 'doubted', 'behind'],
    ['the last millisecond that can be true', woken(ceilingMs), 'plausible', null],
    ['one after it', woken(ceilingMs + 1), 'doubted', 'ahead'],
    ['synchronised, at the floor', [{ synchronised: true }, { steadyMs: 5_000, wallMs: floorMs }], 'confirmed', null],
    ['synchronised, at the end', [{ synchronised: true }, { steadyMs: 5_000, wallMs: ceilingMs }], 'confirmed', null],
    [
      'synchronised, before the floor',
      [{ synchronised: true }, later(0, floorMs - 1 - began.wallMs)],
      'doubted',
      'moved',
    ],
    [
      'synchronised, after the end',
      [{ synchronised: true }, later(0, ceilingMs + 1 - began.wallMs)],
      'doubted',
      'moved',
    ],
    ['ahead of a signed word by what is tolerated', heard(toleratedMs), 'confirmed', null],
    ['ahead by a millisecond more', heard(toleratedMs + 1), 'confirmed', 'ahead'],
    ['behind a signed word by what is tolerated', heard(-toleratedMs), 'confirmed', null],
    ['behind by a millisecond more', heard(-toleratedMs - 1), 'confirmed', 'behind'],
    ['the word of one who doubts its own clock', heard(0, true), 'doubted', null],
    ['set forward by what is tolerated', [{}, later(1_000, toleratedMs)], 'plausible', null],
    ['set forward by a millisecond more', [{}, later(1_000, toleratedMs + 1)], 'doubted', 'moved'],
    ['set back by what is tolerated', [{}, later(1_000, -toleratedMs)], 'plausible', null],
    ['set back by a millisecond more', [{}, later(1_000, -toleratedMs - 1)], 'doubted', 'moved'],
    ['closed for fourteen days', away(14 * day), 'plausible', null],
    ['closed for a millisecond more', away(14 * day + 1), 'doubted', 'long-away'],
    ['seen later than it tells now', away(-day), 'plausible', null],
  ])('%s', (_name, [more, machine], certainty, fault) => {
    expect(tellTime(known(more), machine)).toMatchObject({ certainty, fault });
  });

  test('people set clocks to the minute, and a device is in use for fifteen years', () => {
    expect(toleratedMs).toBe(300_000);
    expect(longestLifeMs / day).toBe(15 * 365);
  });

  test('a clock that was wrong at first and has been put right is taken as it stands, doubted', () => {
    const time = tellTime(known({ began: { steadyMs: 5_000, wallMs: 0 } }), later(60_000));
    expect(time).toEqual({
      ...{ wallMs: began.wallMs + 60_000, floorMs: built, machineAheadMs: 0 },
      ...{ certainty: 'doubted', fault: 'moved' },
    });
  });

  test('times are told in whole milliseconds, also where the steady clock has parts of one', () => {
    const machine = { steadyMs: began.steadyMs + 1_000.4, wallMs: began.wallMs + 3_600_000 };
    expect(tellTime(known(), machine)).toMatchObject({ wallMs: began.wallMs + 1_000, machineAheadMs: 3_599_000 });
  });

  test('whatever is done to the wall clock, an unconfirmed time never runs away from the steady clock', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 30 * day }),
        fc.integer({ min: -400 * day, max: 400 * day }),
        (ranMs, setMs) => {
          const { wallMs } = tellTime(known(), later(ranMs, setMs));
          expect(Math.abs(wallMs - (began.wallMs + ranMs))).toBeLessThanOrEqual(toleratedMs);
        },
      ),
    );
  });

  test('a machine that was off has aged by what two confirmed clocks say, else not at all', () => {
    expect(timeOffMs({ wallMs: 1_000, confirmed: true }, { wallMs: 9_000, confirmed: true })).toBe(8_000);
    expect(timeOffMs({ wallMs: 1_000, confirmed: false }, { wallMs: 9_000, confirmed: true })).toBe(0);
    expect(timeOffMs({ wallMs: 1_000, confirmed: true }, { wallMs: 9_000, confirmed: false })).toBe(0);
    expect(timeOffMs({ wallMs: 9_000, confirmed: true }, { wallMs: 1_000, confirmed: true })).toBe(0);
    expect(timeOffMs(null, { wallMs: 1_000, confirmed: true })).toBe(0);
  });
});
