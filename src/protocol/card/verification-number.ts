import type { JapanDate } from '../../core/japan-time.ts';
import { compareDates, parseJapanDate } from '../../core/japan-time.ts';

/** Below this many tries of 照合番号B (10 on a fresh card) none is spent: ten burnt ones need a town hall. */
export const numberBTriesKept = 5;

/** Japanese eras (元号) with their first day. Meiji's oldest holders would be past 110: it is kept for the birth dates' sake. */
const eras = [
  { name: '令和', first: { year: 2019, month: 5, day: 1 } },
  { name: '平成', first: { year: 1989, month: 1, day: 8 } },
  { name: '昭和', first: { year: 1926, month: 12, day: 25 } },
  { name: '大正', first: { year: 1912, month: 7, day: 30 } },
  { name: '明治', first: { year: 1868, month: 1, day: 25 } },
] as const;

type EraName = (typeof eras)[number]['name'];
export type JapaneseDate = {
  readonly era: EraName;
  readonly year: number;
  readonly month: number;
  readonly day: number;
};

/** Gregorian → 和暦; null before Meiji. */
export const toJapaneseDate = (date: JapanDate): JapaneseDate | null => {
  const era = eras.find(({ first }) => compareDates(date, first) >= 0);
  return era === undefined
    ? null
    : { era: era.name, year: date.year - era.first.year + 1, month: date.month, day: date.day };
};

/**
 * 照合番号B: birth date in the Japanese calendar YYMMDD, expiry year YYYY, security code: 14 ASCII digits.
 * Worked example: 昭和55-02-17, 2035, 2285 → 55021720352285. The form for foreign residents, whose face prints the
 * Western year, is not public: this rule is for the Japanese form only.
 */
export const verificationNumberB = (birthDate: JapanDate, expiryYear: number, securityCode: string): string | null => {
  const japanese = toJapaneseDate(birthDate);
  if (japanese === null || !/^\d{4}$/.test(securityCode) || expiryYear < 1000 || expiryYear > 9999) return null;
  const two = (value: number): string => value.toString().padStart(2, '0');
  return `${two(japanese.year)}${two(japanese.month)}${two(japanese.day)}${expiryYear}${securityCode}`;
};

/**
 * Whether 14 digits can be a 照合番号B at all: shape, a month and a day that exist in some era, an expiry year from last
 * year (a card in its grace) to eleven years ahead. The security code has no check digit.
 */
export const plausibleVerificationNumberB = (number: Uint8Array, currentYear: number): boolean => {
  if (number.length !== 14 || number.some((digit) => digit < 0x30 || digit > 0x39)) return false;
  const read = (from: number, to: number): number =>
    number.subarray(from, to).reduce((value, digit) => value * 10 + digit - 0x30, 0);
  const [year, month, day, expiry] = [read(0, 2), read(2, 4), read(4, 6), read(6, 10)];
  const exists = eras.some(({ name, first }) => {
    const gregorian = first.year + year - 1;
    if (gregorian > currentYear) return false;
    const date = parseJapanDate(`${gregorian * 10000 + month * 100 + day}`);
    return date !== null && toJapaneseDate(date)?.era === name;
  });
  return exists && expiry >= currentYear - 1 && expiry <= currentYear + 11;
};
