import type { Catalogue, LanguageTexts } from '../catalogue/catalogue.ts';
import { formatJapanInstant } from '../japan-time.ts';
import { languageWithFurigana } from './furigana.ts';
import { dayReading, timeReading } from './japanese-reading.ts';

/** What is written, and how it is read aloud where the kanji do not tell. */
export type Words = { readonly text: string; readonly reading?: string };
type WordValues = Readonly<Record<string, string | number | Words>>;

const writtenOf = (value: string | number | Words): string => (typeof value === 'object' ? value.text : String(value));
const readOf = (value: string | number | Words): string =>
  typeof value === 'object' ? (value.reading ?? value.text) : String(value);

/** Two sentences in one. */
export const together = (one: Words, other: Words): Words => ({
  text: `${one.text} ${other.text}`,
  ...(one.reading === undefined && other.reading === undefined ? {} : { reading: `${readOf(one)} ${readOf(other)}` }),
});

/** What stands between the names of a pattern, and the names: of the catalogue's patterns there are not many. */
const partsOf = new Map<string, readonly string[]>();
const splitOnce = (pattern: string): readonly string[] => {
  const known = partsOf.get(pattern);
  if (known !== undefined) return known;
  const parts = pattern.split(/\{([a-z]+)\}/);
  partsOf.set(pattern, parts);
  return parts;
};

const fill = (pattern: string, values: WordValues, of: (value: string | number | Words) => string): string => {
  if (!pattern.includes('{')) return pattern;
  const parts = splitOnce(pattern);
  let text = parts[0] ?? '';
  for (let at = 1; at < parts.length; at += 2) {
    const name = parts[at] ?? '';
    const value = values[name];
    text += (value === undefined ? `{${name}}` : of(value)) + (parts[at + 1] ?? '');
  }
  return text;
};

/** Words of the catalogue by key, in one language; the only source of text for a screen. */
export type Dictionary = {
  readonly language: string;
  readonly words: (key: string, values?: WordValues) => Words;
  readonly text: (key: string, values?: WordValues) => string;
  /** What is made of words of this language alone, by its name: made once, and the same for every screen. */
  readonly remembered: <T>(name: string, make: () => T) => T;
  /** Puts words that were made of others among those of this screen, for their furigana. */
  readonly keep: (words: Words) => Words;
  /** Reading of each text made so far; none where the language has no furigana */
  readonly readings: ReadonlyMap<string, string>;
};

const fallbackLanguage = 'ja';
const noValues: WordValues = {};

/** Words without values, by language and key: every screen has dozens of them, and they are the same on each. */
type MadeBefore = { readonly words: Map<string, Words>; readonly parts: Map<string, unknown> };
const madeBefore = new WeakMap<Catalogue, Map<string, MadeBefore>>();
const madeIn = (catalogue: Catalogue, language: string): MadeBefore => {
  const byLanguage = madeBefore.get(catalogue) ?? new Map<string, MadeBefore>();
  const known = byLanguage.get(language) ?? { words: new Map(), parts: new Map() };
  madeBefore.set(catalogue, byLanguage.set(language, known));
  return known;
};

/** The texts of a language; an unknown language is drawn in Japanese, a key that no file has shows itself. */
export const dictionaryOf = (catalogue: Catalogue, language: string): Dictionary => {
  const japanese: LanguageTexts | undefined = catalogue.languages[fallbackLanguage];
  const chosen = catalogue.languages[language] ?? japanese;
  const readings = new Map<string, string>();
  const hasFurigana = chosen?.language === languageWithFurigana;
  const keep = (words: Words): Words => {
    if (hasFurigana) readings.set(words.text, words.reading ?? words.text);
    return words;
  };
  const made = (key: string, values: WordValues): Words => {
    const source = chosen?.texts[key] === undefined ? japanese : chosen;
    const pattern = source?.texts[key] ?? key;
    const reading = source?.readings[key];
    // Kana are for Japanese voices: what a value sounds like there is nothing to another language.
    if (source?.language.startsWith('ja') !== true) return { text: fill(pattern, values, writtenOf) };
    const hasReading =
      reading !== undefined || Object.values(values).some((value) => typeof value === 'object' && value.reading);
    return {
      text: fill(pattern, values, writtenOf),
      ...(hasReading ? { reading: fill(reading ?? pattern, values, readOf) } : {}),
    };
  };
  const known = madeIn(catalogue, chosen?.language ?? '');
  const plain = (key: string): Words => {
    const before = known.words.get(key);
    if (before !== undefined) return before;
    const now = made(key, noValues);
    known.words.set(key, now);
    return now;
  };
  const remembered = <T>(name: string, make: () => T): T => {
    // Each screen of these words tells their furigana.
    if (hasFurigana) return make();
    const before = known.parts.get(name) as T | undefined;
    if (before !== undefined) return before;
    const now = make();
    known.parts.set(name, now);
    return now;
  };
  const words = (key: string, values?: WordValues): Words =>
    keep(values === undefined ? plain(key) : made(key, values));
  const spoken = chosen?.language ?? fallbackLanguage;
  return { language: spoken, words, text: (key, values) => words(key, values).text, remembered, keep, readings };
};

/** 14:03 by Japanese time */
export const clockTime = (wallMs: number): string => {
  const instant = formatJapanInstant(wallMs);
  return `${instant.slice(8, 10)}:${instant.slice(10, 12)}`;
};

/** 10/7 22:00 by Japanese time; without the day when it is today */
export const dayAndTime = (wallMs: number, todayMs: number): Words => {
  const instant = formatJapanInstant(wallMs);
  const [month, date, hour, minute] = [4, 6, 8, 10].map((at) => Number(instant.slice(at, at + 2))) as [
    number,
    number,
    number,
    number,
  ];
  const isToday = instant.slice(0, 8) === formatJapanInstant(todayMs).slice(0, 8);
  return {
    text: `${isToday ? '' : `${month}/${date} `}${clockTime(wallMs)}`,
    reading: `${isToday ? '' : `${dayReading(month, date)} `}${timeReading(hour, minute)}`,
  };
};
