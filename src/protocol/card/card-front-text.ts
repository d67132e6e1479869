/** What is printed on a card's front, as an optical reader tells it: parsed strictly, since a wrong digit costs a try. */
export type CardFrontText = {
  /** 和暦 year of the birth date (元 = 1), month and day; the era is not part of 照合番号B. */
  readonly birth: { readonly year: number; readonly month: number; readonly day: number };
  readonly expiryYear: number;
  readonly securityCode: string;
};

const withoutSpaces = (text: string): string => text.replace(/\s+/g, '');

/** `昭和55年2月17日生`, `平成元年3月31日生`; anything may stand in the era's place, nothing may be missing behind it. */
const birthPattern = /^\D{1,2}?(元|\d{1,2})年(\d{1,2})月(\d{1,2})日生$/;

export const parseBirthLine = (text: string): CardFrontText['birth'] | null => {
  const match = birthPattern.exec(withoutSpaces(text));
  if (match === null) return null;
  const [, year = '', month = '', day = ''] = match;
  return { year: year === '元' ? 1 : Number(year), month: Number(month), day: Number(day) };
};

/** `2035年2月17日まで有効` */
export const parseExpiryLine = (text: string): number | null => {
  const match = /^(20\d{2})年(\d{1,2})月(\d{1,2})日まで有効$/.exec(withoutSpaces(text));
  return match === null ? null : Number(match[1]);
};

export const parseSecurityCode = (text: string): string | null => /^\d{4}$/.exec(withoutSpaces(text))?.[0] ?? null;

/** The 14 digits of 照合番号B. */
export const numberOfCardFront = ({ birth, expiryYear, securityCode }: CardFrontText): Uint8Array => {
  const two = (value: number): string => value.toString().padStart(2, '0');
  const digits = `${two(birth.year)}${two(birth.month)}${two(birth.day)}${expiryYear}${securityCode}`;
  return Uint8Array.from(digits, (digit) => digit.charCodeAt(0));
};
