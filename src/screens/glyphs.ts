type Ranges = readonly (readonly [number, number])[];

/** Of a family, the characters that the terminal's own fonts draw (fonts/fonts.css: its ranges are those of the files). */
const drawn = new Map<string, Ranges>();

const rangesOf = (family: string): Ranges => {
  const known = drawn.get(family);
  if (known !== undefined) return known;
  const ranges = [...document.fonts]
    .filter((face) => face.family.replaceAll('"', '') === family)
    .flatMap((face) => face.unicodeRange.split(','))
    .map((part): readonly [number, number] => {
      const [first = '', last = first] = part.trim().slice(2).split('-');
      return [Number.parseInt(first, 16), Number.parseInt(last, 16)];
    });
  drawn.set(family, ranges);
  return ranges;
};

const hasGlyph = (character: string, families: readonly string[]): boolean => {
  const code = character.codePointAt(0) ?? 0;
  return families.some((family) => rangesOf(family).some(([first, last]) => first <= code && code <= last));
};

/** A name or title as it is; what no font has stands as its code, which staff can look up: U+3134B. */
export const withCodes = (text: string): string => {
  const families = getComputedStyle(document.documentElement)
    .fontFamily.split(',')
    .map((family) => family.trim().replaceAll('"', ''));
  // What is never drawn (variation selectors, places where a line may break) needs no glyph.
  return text.replace(/[^\p{ASCII}\p{Default_Ignorable_Code_Point}]/gu, (character) =>
    hasGlyph(character, families) ? character : `U+${character.codePointAt(0)?.toString(16).toUpperCase()}`,
  );
};
