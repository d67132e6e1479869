import { expect, test } from 'vitest';
import { fromAscii } from '../../../src/protocol/bytes.ts';
import {
  plausibleVerificationNumberB,
  toJapaneseDate,
  verificationNumberB,
} from '../../../src/protocol/card/verification-number.ts';

test('the published example', () => {
  expect(verificationNumberB({ year: 1980, month: 2, day: 17 }, 2035, '2285')).toBe('55021720352285');
});

test.each([
  [{ year: 2019, month: 5, day: 1 }, '令和', 1],
  [{ year: 2019, month: 4, day: 30 }, '平成', 31],
  [{ year: 1989, month: 1, day: 8 }, '平成', 1],
  [{ year: 1989, month: 1, day: 7 }, '昭和', 64],
  [{ year: 1926, month: 12, day: 25 }, '昭和', 1],
  [{ year: 1926, month: 12, day: 24 }, '大正', 15],
  [{ year: 1912, month: 7, day: 30 }, '大正', 1],
  [{ year: 1912, month: 7, day: 29 }, '明治', 45],
])('%o is %s %i', (date, era, year) => {
  expect(toJapaneseDate(date)).toMatchObject({ era, year });
});

test.each([
  ['55021720352285', true],
  ['01050120352285', true],
  ['64010720302285', true],
  ['55023020352285', false], // no 30 February in any era
  ['55130120352285', false],
  ['00021720352285', false],
  ['65021720352285', false], // no era has a 65th year yet
  ['55021720242285', false],
  ['55021720252285', true],
  ['55021720372285', true],
  ['55021720382285', false],
  ['5502172035228', false],
  ['550217203522855', false],
  ['5502172035228A', false],
])('%s plausible in 2026: %s', (number, plausible) => {
  expect(plausibleVerificationNumberB(fromAscii(number), 2026)).toBe(plausible);
});
