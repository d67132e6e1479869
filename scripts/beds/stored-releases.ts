import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
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
