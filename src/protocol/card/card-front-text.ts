import { unmovedBytes } from '../bytes.ts';

/** What is printed on a card's front, as an optical reader tells it: parsed strictly, since a wrong digit costs a try. */
export type CardFrontText = {
  /** 和暦 year of the birth date (元 = 1), month and day; the era is not part of 照合番号B. */
  readonly birth: { readonly year: number; readonly month: number; readonly day: number };
  readonly expiryYear: number;
  readonly securityCode: string;
};

const withoutSpaces = (text: string): string => text.replace(/\s/g, '');

/** `昭和55年2月17日生`, `平成元年3月31日生`; anything may stand in the era's place, nothing may be missing behind it. */
const birthPattern = /^\D{1,2}?(元|\d{1,2})年(\d{1,2})月(\d{1,2})日生$/;

export const parseBirthLine = (text: string): CardFrontText['birth'] | null => {
  const match = birthPattern.exec(withoutSpaces(text));
  if (match === null) return null;
  const [, year, month, day] = match;
  return { year: year === '元' ? 1 : Number(year), month: Number(month), day: Number(day) };
};

/** `2035年2月17日まで有効` */
export const parseExpiryLine = (text: string): number | null => {
  const match = /^(20\d{2})年(\d{1,2})月(\d{1,2})日まで有効$/.exec(withoutSpaces(text));
  return match === null ? null : Number(match[1]);
};

export const parseSecurityCode = (text: string): string | null => /^\d{4}$/.exec(withoutSpaces(text))?.[0] ?? null;

/** The 14 digits of 照合番号B. Never a text as a whole: bytes can be overwritten, a text stays in memory. */
export const numberOfCardFront = ({ birth, expiryYear, securityCode }: CardFrontText): Uint8Array => {
  const number = unmovedBytes(14).fill(0x30);
  const write = (value: number, end: number): void => {
    for (let at = end, rest = value; rest > 0; at -= 1, rest = Math.floor(rest / 10)) number[at] = 0x30 + (rest % 10);
  };
  for (const [index, value] of [birth.year, birth.month, birth.day].entries()) write(value, 2 * index + 1);
  write(expiryYear, 9);
  for (let at = 0; at < securityCode.length; at += 1) number[10 + at] = securityCode.charCodeAt(at);
  return number;
};
