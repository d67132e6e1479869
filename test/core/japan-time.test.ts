import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { surelyReachedMs, warningOf } from '../../src/core/certificate-life.ts';
import {
  addMonths,
  compareDates,
  daysInMonth,
  endOfJapanDay,
  formatJapanDate,
  formatJapanInstant,
  japanDate,
  minuteOfDay,
  parseJapanDate,
  startOfJapanDay,
  startOfJapanMonth,
} from '../../src/core/japan-time.ts';

const instant = (text: string): number => Date.parse(`${text}+09:00`);
const day = 86_400_000;

describe('Japanese time', () => {
  it('has its days from midnight to midnight in Japan, whatever the machine’s time zone', () => {
    expect(japanDate(instant('2026-03-01T00:00:00.000'))).toEqual({ year: 2026, month: 3, day: 1 });
    expect(japanDate(instant('2026-02-28T23:59:59.999'))).toEqual({ year: 2026, month: 2, day: 28 });
    expect(startOfJapanDay({ year: 2026, month: 3, day: 1 })).toBe(instant('2026-03-01T00:00:00'));
    expect(endOfJapanDay({ year: 2026, month: 2, day: 28 })).toBe(instant('2026-02-28T23:59:59.999'));
    expect(startOfJapanMonth(instant('2026-03-31T23:59:59'))).toBe(instant('2026-03-01T00:00:00'));
  });

  it('writes days and instants as the files of the field do, and reads its own days back', () => {
    expect(formatJapanInstant(instant('2026-01-02T03:04:05'))).toBe('20260102030405');
    expect(formatJapanDate({ year: 987, month: 11, day: 30 })).toBe('09871130');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40_000 }), (days) => {
        const date = japanDate(days * day);
        expect(parseJapanDate(formatJapanDate(date))).toEqual(date);
        expect(compareDates(date, japanDate((days + 1) * day))).toBe(-day);
      }),
    );
  });

  it.each([
    '',
    '2026010',
    '202601011',
    '2026010a',
    'x20260101',
    '20260001',
    '20261301',
    '20260100',
    '20260132',
    '20260229',
    '20260431',
  ])('%j is no day', (text) => {
    expect(parseJapanDate(text)).toBeNull();
  });

  it('knows leap days, and the first and last of a month and of a year', () => {
    expect(['20240229', '20261231', '20260101'].map(parseJapanDate)).toEqual([
      { year: 2024, month: 2, day: 29 },
      { year: 2026, month: 12, day: 31 },
      { year: 2026, month: 1, day: 1 },
    ]);
    expect([2, 4, 12].map((month) => daysInMonth(2026, month))).toEqual([28, 30, 31]);
    expect(daysInMonth(2024, 2)).toBe(29);
  });

  it.each([
    ['20260131', 1, '20260228'],
    ['20240131', 1, '20240229'],
    ['20261231', 2, '20270228'],
    ['20260115', -1, '20251215'],
    ['20260331', -1, '20260228'],
    ['20260115', 12, '20270115'],
    ['20260115', -13, '20241215'],
    ['20261115', 1, '20261215'],
  ])('%s and %i months is %s', (from, months, to) => {
    const date = parseJapanDate(from);
    if (date === null) throw new Error(from);
    expect(formatJapanDate(addMonths(date, months))).toBe(to);
  });

  it('counts the minutes of a day', () => {
    expect(['00:00', '07:30', '23:59', '08'].map(minuteOfDay)).toEqual([0, 450, 1_439, 480]);
  });
});

describe('a certificate that ends', () => {
  const nowMs = instant('2026-12-01T09:00:00');
  const time = { wallMs: nowMs, floorMs: nowMs - 100 * day, certainty: 'plausible' as const };

  it.each([
    [61 * day, null],
    [60 * day + 1, null],
    [60 * day, 60],
    [30 * day + 1, 60],
    [30 * day, 30],
    [14 * day, 14],
    [7 * day + 1, 14],
    [7 * day, 7],
    [-day, 7],
  ] as const)('in %i ms is warned of by the narrowest word that holds: %s', (ms, days) => {
    expect(warningOf(nowMs + ms, time)).toBe(days);
  });

  it('is not warned of by a clock that is doubted, unless that time is surely reached', () => {
    const doubted = { ...time, certainty: 'doubted' as const };
    expect(surelyReachedMs(doubted)).toBe(time.floorMs);
    expect(surelyReachedMs({ ...doubted, wallMs: time.floorMs - 1 })).toBe(time.floorMs - 1);
    expect(surelyReachedMs(time)).toBe(nowMs);
    expect(warningOf(nowMs + 7 * day, doubted)).toBeNull();
  });
});
