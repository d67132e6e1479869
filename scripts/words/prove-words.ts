/**
 * npm run words [-- --json]
 * npm run words -- --read LANGUAGE KEY "what the text means, read by itself"
 * npm run words -- --page LANGUAGE [FILE]
 *
 * Whether the texts of every language are proved as far as their grade says: back-translations of the texts of today, what
 * they said to whoever read them blind or since when they are others, the glossary's terms where Japanese has them, one
 * scope of consent, a reading for every kanji that the voice says and that やさしい日本語 shows. Each violation is told with
 * file, key and what is wanted. The last line is one JSON object: {"languages","glossaryTerms","violations","offered"}; exit
 * status 1 where there are violations. `--read` keeps what a text means beside it, with the hash of the text of today.
 * `--page` makes the page of a language for readers outside, one file with every text, its number and pictures of the
 * screens (default: .cache/words/LANGUAGE.html).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { catalogueAt, catalogueDir } from '../../src/catalogue/load-catalogue.ts';
import { backTranslationsSchema } from '../../src/catalogue/words-schemas.ts';
import { projectRoot } from '../beds/release-tree.ts';
import { backTranslationsOf, cataloguesToCheck, checkWords, glossaryOf, textHash } from './check-words.ts';

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean' }, read: { type: 'boolean' }, page: { type: 'boolean' } },
  allowPositionals: true,
});
const tell = (line: string): boolean => process.stderr.write(`${line}\n`);

const check = (): void => {
  const violations = cataloguesToCheck(Date.now()).flatMap((catalogue) => checkWords(catalogue));
  const told = new Set(violations.map(({ check: what, file, key, wanted }) => `${what}: ${file} ${key}: ${wanted}`));
  for (const line of told) tell(line);
  const languages = Object.values(catalogueAt(Date.now()).languages);
  const glossaries = languages.flatMap(({ language }) => glossaryOf(language) ?? []);
  const terms = glossaries.flatMap(({ terms: each }) => Object.values(each));
  const offered = languages.filter(({ grade }) => grade !== null);
  const native = offered.filter(({ grade }) => grade === 'native').length;
  tell(
    `${terms.filter(({ source }) => source !== null).length} terms with a source that was read; ${native} languages read by natives`,
  );
  const blind = languages.flatMap(({ language }) => backTranslationsOf(language)?.blind ?? []);
  const said = blind.flatMap(({ means }) => Object.values(means));
  const since = blind.flatMap(({ changedSince }) => Object.keys(changedSince));
  tell(
    `${said.length} texts read blind, ${said.filter((means) => means.includes('[')).length} with something odd; ${since.length} others since`,
  );
  const counts = {
    languages: languages.length,
    glossaryTerms: terms.length,
    violations: told.size,
    offered: offered.length,
  };
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  process.exitCode = told.size === 0 ? 0 : 1;
};

const keepMeaning = (language: string, key: string, meaning: string): void => {
  const text = catalogueAt(Date.now()).languages[language]?.texts[key];
  if (text === undefined) throw new Error(`no text ${key} in ${language}`);
  const path = join(catalogueDir, 'back-translations', `${language}.json`);
  const kept = backTranslationsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  kept.means[key] = meaning;
  kept.of[key] = textHash(text);
  if (kept.blind !== undefined) {
    // Whoever reads it now knows what it is meant to say.
    if (kept.blind.of[key] === kept.of[key]) delete kept.blind.changedSince[key];
    else kept.blind.changedSince[key] = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Tokyo' }).format(Date.now());
  }
  writeFileSync(path, `${JSON.stringify(kept, null, 2)}\n`);
  tell(`${language} ${key}: 「${text}」 ${meaning}`);
};

const writePage = async (language: string, file: string): Promise<void> => {
  // Chromium is needed for this alone.
  const { correctionPage } = await import('./correction-page.ts');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, await correctionPage(language));
  tell(file);
};

const [language = '', second, meaning] = positionals;
if (values.page === true) await writePage(language, second ?? join(projectRoot, '.cache/words', `${language}.html`));
else if (values.read !== true) check();
else if (second === undefined || meaning === undefined) throw new Error('npm run words -- --read LANGUAGE KEY MEANING');
else keepMeaning(language, second, meaning);
