/**
 * npm run words [-- --json]
 *
 * Whether the texts of every language are proved as far as their grade says: back-translations of the texts of today, the
 * glossary's terms where Japanese has them, one scope of consent. Each violation is told with file, key and what
 * is wanted. The last line is one JSON object: {"languages","glossaryTerms","violations","offered"}; exit status 1 where
 * there are violations.
 */
import { parseArgs } from 'node:util';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { cataloguesToCheck, checkWords, glossaryOf } from './check-words.ts';

parseArgs({ options: { json: { type: 'boolean' } } });
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
  const counts = {
    languages: languages.length,
    glossaryTerms: terms.length,
    violations: told.size,
    offered: offered.length,
  };
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  process.exitCode = told.size === 0 ? 0 : 1;
};

check();
