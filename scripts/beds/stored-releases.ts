import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ReleasedTexts } from '../../src/catalogue/released-texts.ts';
import { projectRoot } from './release-tree.ts';

const folder = join(projectRoot, 'test/storage/releases');

/** Releases of which a journal and an outbox are kept (scripts/generate/stored-release.ts). */
export const storedReleases = (): readonly string[] => readdirSync(folder).sort();

/** Lays the store down at `path` as that release left it on a disk. */
export const layDown = (release: string, name: 'journal' | 'outbox', path: string): void => {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(readFileSync(join(folder, release, `${name}.sql`), 'utf8'));
  database.close();
};

const byWord = <T>(parts: readonly (readonly string[])[], place: number, then: (of: typeof parts) => T) =>
  Object.fromEntries([...Map.groupBy(parts, (each) => each[place] ?? '')].map(([word, of]) => [word, then(of)]));

/** What `consentKeys` of that release's catalogue says, as it is kept in src/catalogue/released for the agents of later ones. */
export const releasedTextsOf = (release: string, keys: readonly string[]): ReleasedTexts => {
  const parts = [...new Set(keys)].sort().map((key) => key.split(' '));
  const hashesOf = (some: typeof parts): ReleasedTexts['texts'] =>
    byWord(some, 1, (ofLanguage) => byWord(ofLanguage, 2, (ofCode) => ofCode.map(([, , , hash = '']) => hash)));
  const saying = (answer: string | undefined) => hashesOf(parts.filter((part) => part[4] === answer));
  const knowsBeforehand = parts.some((part) => part.length > 4);
  return {
    release,
    catalogueVersion: parts[0]?.[0] ?? '',
    texts: saying(undefined),
    ...(knowsBeforehand && { beforehand: { true: saying('true'), false: saying('false') } }),
  };
};
