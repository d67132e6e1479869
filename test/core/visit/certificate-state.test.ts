import { expect, test } from 'vitest';
import {
  addMonths,
  endOfJapanDay,
  formatJapanInstant,
  japanDate,
  parseJapanDate,
} from '../../../src/core/japan-time.ts';
import { certificateStateAt, graceEndMs } from '../../../src/core/visit/certificate-state.ts';

const jst = (text: string): number => Date.parse(`${text}+09:00`);

test.each([
  // A certificate that ends on 31 May 2027 at 23:59:59 JST.
  ['2027-05-31T23:59:59', '2027-02-27T23:59:59', 'valid'],
  ['2027-05-31T23:59:59', '2027-02-28T00:00:00', 'near-expiry'],
  ['2027-05-31T23:59:59', '2027-05-31T23:59:59', 'near-expiry'],
  ['2027-05-31T23:59:59', '2027-05-31T23:59:59.999', 'near-expiry'],
  ['2027-05-31T23:59:59', '2027-06-01T00:00:00', 'grace'],
  ['2027-05-31T23:59:59', '2027-08-31T23:59:59', 'grace'],
  ['2027-05-31T23:59:59', '2027-09-01T00:00:00', 'dead'],
  // Any day of January: until the end of April.
  ['2027-01-15T23:59:59', '2027-04-30T23:59:59', 'grace'],
  ['2027-01-15T23:59:59', '2027-05-01T00:00:00', 'dead'],
  ['2027-01-31T23:59:59', '2027-04-30T23:59:59', 'grace'],
  // November: the grace ends with February, 28 or 29 days long.
  ['2026-11-30T23:59:59', '2027-02-28T23:59:59', 'grace'],
  ['2026-11-30T23:59:59', '2027-03-01T00:00:00', 'dead'],
  ['2027-11-30T23:59:59', '2028-02-29T23:59:59', 'grace'],
  ['2027-11-30T23:59:59', '2028-03-01T00:00:00', 'dead'],
  // A holder born on 29 February.
  ['2028-02-29T23:59:59', '2027-11-29T00:00:00', 'near-expiry'],
  ['2028-02-29T23:59:59', '2027-11-28T23:59:59', 'valid'],
] as const)('a card whose certificate ends %s is, at %s JST, %s', (notAfter, now, state) => {
  expect(certificateStateAt('my-number-card', jst(notAfter), jst(now))).toBe(state);
});

test('a phone has no grace', () => {
  const notAfter = jst('2027-05-31T23:59:59');
  expect(certificateStateAt('iphone', notAfter, notAfter + 1000)).toBe('dead');
  expect(certificateStateAt('android-phone', notAfter, notAfter)).toBe('near-expiry');
});

test('days are Japanese: 15:00 UTC is the next day', () => {
  expect(japanDate(Date.parse('2026-12-31T14:59:59Z'))).toEqual({ year: 2026, month: 12, day: 31 });
  expect(japanDate(Date.parse('2026-12-31T15:00:00Z'))).toEqual({ year: 2027, month: 1, day: 1 });
  expect(formatJapanInstant(Date.parse('2026-12-31T15:00:00Z'))).toBe('20270101000000');
  expect(graceEndMs(jst('2027-01-15T23:59:59'))).toBe(endOfJapanDay({ year: 2027, month: 4, day: 30 }));
});

test('months are clamped to their last day, dates must exist', () => {
  expect(addMonths({ year: 2027, month: 5, day: 31 }, -3)).toEqual({ year: 2027, month: 2, day: 28 });
  expect(addMonths({ year: 2027, month: 11, day: 30 }, 3)).toEqual({ year: 2028, month: 2, day: 29 });
  expect(addMonths({ year: 2027, month: 1, day: 31 }, -1)).toEqual({ year: 2026, month: 12, day: 31 });
  expect(parseJapanDate('20270229')).toBeNull();
  expect(parseJapanDate('20280229')).toEqual({ year: 2028, month: 2, day: 29 });
  expect(parseJapanDate('2028022')).toBeNull();
});
