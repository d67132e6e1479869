/**
 * Where things stand on the card's front, in mm from its upper left corner (ISO/IEC 7810 ID-1). The size is the
 * standard's; the places are those of our test cards: no official drawing with measures is public, so these boxes are to
 * be measured on a real specimen before the reader is used with real cards. Nothing else knows them.
 */
export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

export const cardSize = { width: 85.6, height: 53.98 } as const;

export const cardFrontLayout = {
  photo: { x: 5, y: 21, width: 21, height: 28 },
  /** 昭和55年2月17日生 */
  birthDate: { x: 29.5, y: 27.4, width: 28, height: 5 },
  /** 2035年2月17日まで有効 */
  expiry: { x: 29.5, y: 34.4, width: 33, height: 5 },
  securityCode: { x: 66, y: 43.4, width: 12, height: 5 },
} as const satisfies Record<string, Box>;
