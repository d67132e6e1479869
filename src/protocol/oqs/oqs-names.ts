/** Elements of a result that hold a name, in the order of the file. */
export const nameElements = ['InsuredName', 'Name', 'NameOfOther', 'NameKana', 'NameOfOtherKana'] as const;
export type NameElement = (typeof nameElements)[number];

/** What the service writes where it has no code for a character. */
const placeholder = /[●?？]/u;

/** What other programs write in its place; in a name that somebody enters it is no character of the name. */
const othersPlaceholder = /[〓■□\ufffd]/u;

export const holdsPlaceholder = (name: string): boolean => placeholder.test(name);

/** Whether somebody entered a name in which a character is still missing. */
export const isUnfinishedName = (name: string): boolean => holdsPlaceholder(name) || othersPlaceholder.test(name);

/** Signs that nobody sees, as a page or a document leaves them in what is copied from it; no variation selector. */
export const withoutUnseen = (text: string): string =>
  text.replaceAll(/[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]/g, '');

/** A name as somebody meant to enter it: no signs nobody sees, kana in one piece, no blanks around it. */
export const enteredName = (text: string): string => joinKana(withoutUnseen(text)).trim();

const graphemes = new Intl.Segmenter('ja');
/** As they are seen: a character with its variation selector is one. */
const charactersOf = (text: string): string[] => [...graphemes.segment(text)].map(({ segment }) => segment);
const isBlank = (character: string): boolean => /^\s+$/u.test(character);

/** か + U+3099 is が: the same letter in two pieces, as some systems write and paste it. Nothing but kana is touched. */
export const joinKana = (text: string): string =>
  text.replace(/[\u3040-\u30ff][\u3099\u309a]/g, (pair) => pair.normalize('NFC'));

/** Which characters of a name are placeholders, counted from 1 without blanks: may be told, says nothing of the name. */
export const placeholderPlaces = (sent: string): { readonly places: readonly number[]; readonly length: number } => {
  const seen = charactersOf(sent).filter((character) => !isBlank(character));
  return {
    places: seen.flatMap((character, index) => (holdsPlaceholder(character) ? [index + 1] : [])),
    length: seen.length,
  };
};

/** No character of the name came. */
export const isAllPlaceholders = (sent: string): boolean => {
  const { places, length } = placeholderPlaces(sent);
  return places.length === length;
};

/**
 * The name as it was sent, each placeholder filled from the right name. null: the two are not known to be the same name,
 * for they differ where no placeholder stands, or in length, or no character was sent that could agree: `●●` is every name
 * of two, and under a wrong 照会番号 it would become another person's. Blanks are as they were sent.
 * Worked example: `●橋　一` and `髙橋 一` → `髙橋　一`; `●橋　一` and `髙木 一` → null; `●●` and `髙橋` → null.
 */
export const fillName = (sent: string, right: string): string | null => {
  const known = charactersOf(enteredName(right)).filter((character) => !isBlank(character));
  let filled = '';
  let at = 0;
  let agreeing = 0;
  for (const character of charactersOf(joinKana(sent))) {
    if (isBlank(character)) {
      filled += character;
      continue;
    }
    const counterpart = known[at];
    at += 1;
    if (counterpart === undefined || isUnfinishedName(counterpart)) return null;
    if (!holdsPlaceholder(character)) {
      if (character !== counterpart) return null;
      agreeing += 1;
    }
    filled += counterpart;
  }
  return at === known.length && agreeing > 0 ? filled : null;
};
