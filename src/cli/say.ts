import { readFileSync } from 'node:fs';

/*
 * What the command line says to people. The English text is the key; the Japanese ones stand together in texts.ja.json,
 * which a test holds complete. JSON output has no texts in it that change with the language.
 */

type Values = Readonly<Record<string, string | number>>;

export const speaksJapanese = ({ LC_ALL, LC_MESSAGES, LANG }: NodeJS.ProcessEnv = process.env): boolean =>
  /^ja/i.test(LC_ALL || LC_MESSAGES || LANG || '');

let catalogue: Readonly<Record<string, string>> | undefined;
const japanese = (): Readonly<Record<string, string>> => {
  catalogue ??= JSON.parse(readFileSync(new URL('./texts.ja.json', import.meta.url), 'utf8')) as Record<string, string>;
  return catalogue;
};

/** In Japanese, whatever the locale; a text without a translation stays English. */
export const japaneseOf = (english: string): string => japanese()[english] ?? english;

/** `english` in the language of the locale, its `{names}` filled in. A text without a translation stays English. */
export const inWords = (english: string, values: Values = {}, environment: NodeJS.ProcessEnv = process.env): string =>
  ((speaksJapanese(environment) ? japanese()[english] : undefined) ?? english).replaceAll(/\{(\w+)\}/g, (all, name) =>
    String(values[name] ?? all),
  );

/** One line for a person: standard error, for standard output belongs to programs. */
export const tell = (english: string, values: Values = {}): boolean =>
  process.stderr.write(`${inWords(english, values)}\n`);
