import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mayRefuseByDate, type TimeKnowledge, tellTime, timeOffMs, toleratedMs } from '../../src/core/trusted-time.ts';

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
