import { expect, test } from 'vitest';
import { fromAscii, toAscii } from '../../../src/protocol/bytes.ts';
import {
  numberOfCardFront,
  parseBirthLine,
  parseExpiryLine,
  parseSecurityCode,
} from '../../../src/protocol/card/card-front-text.ts';
import { isDigitKey, PinDigits } from '../../../src/protocol/card/pin-digits.ts';
import {
  plausibleVerificationNumberB,
  toJapaneseDate,
  verificationNumberB,
} from '../../../src/protocol/card/verification-number.ts';

test.each([
  ['昭和55年2月17日生', { year: 55, month: 2, day: 17 }],
  ['平成元年3月31日生', { year: 1, month: 3, day: 31 }],
  [' 昭 和 5 5 年 1 2 月 1 7 日 生 ', { year: 55, month: 12, day: 17 }],
  ['和55年2月17日生', { year: 55, month: 2, day: 17 }],
  ['55年2月17日生', null],
  ['1昭和55年2月17日生', null],
  ['大昭和55年2月17日生', null],
  ['昭和555年2月17日生', null],
  ['昭和年2月17日生', null],
  ['昭和元5年2月17日生', null],
  ['昭和55年122月17日生', null],
  ['昭和55年2月177日生', null],
  ['昭和55年月17日生', null],
  ['昭和55年2月日生', null],
  ['昭和55年2月17日', null],
  ['昭和55年2月17日生x', null],
])('%j on a card: %o', (line, birth) => {
  expect(parseBirthLine(line)).toEqual(birth);
});

test.each([
  ['2035年2月17日まで有効', 2035],
  ['2035年12月7日まで有効', 2035],
  [' 2 0 3 5 年 2 月 1 7 日 ま で 有 効 ', 2035],
  ['1935年2月17日まで有効', null],
  ['203年2月17日まで有効', null],
  ['20355年2月17日まで有効', null],
  ['x2035年2月17日まで有効', null],
  ['2035年2月17日まで有効x', null],
  ['2035年月17日まで有効', null],
  ['2035年222月17日まで有効', null],
  ['2035年2月日まで有効', null],
  ['2035年2月177日まで有効', null],
])('%j on a card: %o', (line, year) => {
  expect(parseExpiryLine(line)).toBe(year);
});

test('a security code is four digits, and blanks between them', () => {
  expect(parseSecurityCode(' 22 85\n')).toBe('2285');
  for (const wrong of ['', '228', '22855', '228x', 'x2285', '2285x']) expect(parseSecurityCode(wrong)).toBeNull();
});

test('the number of a front has fourteen digits, each part at its place, filled up with zeros', () => {
  for (const [birth, expiryYear, securityCode, number] of [
    [{ year: 55, month: 2, day: 17 }, 2035, '2285', '55021720352285'],
    [{ year: 1, month: 12, day: 1 }, 2030, '0007', '01120120300007'],
    [{ year: 64, month: 1, day: 10 }, 2101, '9000', '64011021019000'],
  ] as const)
    expect(toAscii(numberOfCardFront({ birth, expiryYear, securityCode }))).toBe(number);
});

test('照合番号B is made of a birth in an era, a year of four digits and four digits', () => {
  const birth = { year: 2001, month: 1, day: 2 };
  expect(verificationNumberB(birth, 1000, '0000')).toBe('13010210000000');
  expect(verificationNumberB(birth, 9999, '0000')).toBe('13010299990000');
  for (const year of [999, 10_000]) expect(verificationNumberB(birth, year, '0000')).toBeNull();
  for (const code of ['', '000', '00000', '000x', 'x0000', '0000\n'])
    expect(verificationNumberB(birth, 2030, code), code).toBeNull();
  expect(verificationNumberB({ year: 1868, month: 1, day: 24 }, 2030, '0000')).toBeNull();
  expect(toJapaneseDate({ year: 1868, month: 1, day: 25 })).toEqual({ era: '明治', year: 1, month: 1, day: 25 });
  expect(toJapaneseDate({ year: 2026, month: 11, day: 30 })).toEqual({ era: '令和', year: 8, month: 11, day: 30 });
});

test('a number is plausible where its birth can have been in some era by now, and no sign in it but digits', () => {
  const plausible = (number: string, year = 2026): boolean => plausibleVerificationNumberB(fromAscii(number), year);
  // 令和31 is of no time yet, 平成31 has been until its last day, 昭和1 began on 25 December, 昭和64 ended on 7 January.
  expect(plausible('31043020302285')).toBe(true);
  expect(plausible('64010720302285')).toBe(true);
  expect(plausible('64010820302285')).toBe(false);
  expect(plausible('45073020302285')).toBe(true);
  expect(plausible('63023020302285')).toBe(false);
  expect(plausible('46010120302285')).toBe(true);
  expect(plausible('08113020302285')).toBe(true);
  expect(plausible('09091920299999')).toBe(true);
  // 昭和45 was that year itself, and 明治45 had ended before this day.
  expect([1969, 1970].map((year) => plausible('45081519752285', year))).toEqual([false, true]);
  for (let at = 0; at < 14; at += 1)
    for (const sign of ['/', ':']) {
      const number = '08113020302285';
      expect(plausible(number.slice(0, at) + sign + number.slice(at + 1)), `${sign} at ${at}`).toBe(false);
    }
  // A card lives ten years, and some months of grace.
  for (const [expiry, expected] of [
    [2024, false],
    [2025, true],
    [2037, true],
    [2038, false],
  ] as const)
    expect(plausible(`551130${expiry}2285`), `${expiry}`).toBe(expected);
});

test('the digits of a PIN: four, of digits alone, to the card alone, and nothing once they are wiped', () => {
  const digits = new PinDigits();
  for (const key of [0x2f, 0x3a, 0x41, 0, -1]) {
    expect(isDigitKey(key)).toBe(false);
    expect(digits.add(key)).toBe(false);
  }
  expect(digits.entered).toBe(0);
  for (const [index, key] of [0x30, 0x39, 0x35, 0x31].entries()) {
    expect(digits.isWhole).toBe(false);
    expect(digits.add(key)).toBe(true);
    expect(digits.entered).toBe(index + 1);
  }
  expect(digits.isWhole).toBe(true);
  expect(digits.add(0x30)).toBe(false);
  expect(digits.entered).toBe(4);
  const { body } = digits.toCommand().apdu;
  expect(toAscii(body ?? new Uint8Array())).toBe('0951');
  digits.wipe();
  expect(digits.entered).toBe(0);
  expect(digits.isWhole).toBe(false);
  expect(body).toEqual(new Uint8Array(4));
});
