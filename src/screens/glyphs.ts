const sizePx = 24;
/** Private use, last of its plane: no font draws it, so this is what a missing glyph looks like here. */
const nobodyDraws = '\u{10FFFD}';
const known = new Map<string, boolean>();
const context = new OffscreenCanvas(sizePx * 2, sizePx * 2).getContext('2d', { willReadFrequently: true });

const pixelsOf = (character: string, font: string): string => {
  if (context === null) return character;
  context.font = font;
  context.clearRect(0, 0, sizePx * 2, sizePx * 2);
  context.fillText(character, sizePx / 2, sizePx * 1.5);
  return context.getImageData(0, 0, sizePx * 2, sizePx * 2).data.join();
};

/** Whether the installed fonts have the character. */
const hasGlyph = (character: string, font: string): boolean => {
  const key = `${font} ${character}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const has = pixelsOf(character, font) !== pixelsOf(nobodyDraws, font);
  known.set(key, has);
  return has;
};

/** A name or title as it is; what no installed font can draw stands as its code, which staff can look up: U+3134B. */
export const withCodes = (text: string): string => {
  const font = `${sizePx}px ${getComputedStyle(document.documentElement).fontFamily}`;
  return text.replace(/\P{ASCII}/gu, (character) =>
    hasGlyph(character, font) ? character : `U+${character.codePointAt(0)?.toString(16).toUpperCase()}`,
  );
};
