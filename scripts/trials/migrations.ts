import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { outboxKind } from '../../drivers/store/outbox-kind.ts';
import { journalKind } from '../../src/agent/journal/journal-kind.ts';
import { openStore } from '../../src/storage/open-store.ts';
import { newestVersion, type StoreKind } from '../../src/storage/store-kind.ts';
import { missingRelease, releases } from '../beds/release-tree.ts';
import { layDown, storedReleases } from '../beds/stored-releases.ts';

/**
 * npm run migrations [-- --json]
 *
 * Opens the journal and the outbox of every release as they lay on a disk, and counts them as opened when every row of
 * every table is there afterwards; then shows each store a file of a release to come.
 */
const work = mkdtempSync(join(tmpdir(), 'uketsuke-migrations-'));
const say = (text: string): boolean => process.stderr.write(`${text}\n`);
const kinds = [journalKind, outboxKind];

const rowsOf = (database: DatabaseSync): ReadonlyMap<string, number> =>
  new Map(
    database
      .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
      .all()
      .map(({ name }) => [
        String(name),
        Number(database.prepare(`SELECT count(*) AS rows FROM "${name}"`).get()?.rows),
      ]),
  );

/** As the file lay there: with no step taken. */
const asItWas = (release: string, kind: StoreKind, path: string): ReadonlyMap<string, number> => {
  layDown(release, kind.name, path);
  const copy = `${path}.copy`;
  layDown(release, kind.name, copy);
  const opened = openStore(copy, { ...kind, migrations: kind.migrations.slice(0, 1) });
  if (!opened.ok) return new Map();
  const rows = rowsOf(opened.value.database);
  opened.value.database.close();
  return rows;
};

const opens = (release: string, kind: StoreKind): boolean => {
  const path = join(work, `${release}-${kind.name}`);
  const before = asItWas(release, kind, path);
  const opened = openStore(path, kind);
  if (!opened.ok) {
    say(`${release} ${kind.name}: ${opened.failure.code} ${opened.failure.detail}`);
    return false;
  }
  const after = rowsOf(opened.value.database);
  opened.value.database.close();
  const lost = [...before].filter(([table, rows]) => after.get(table) !== rows).map(([table]) => table);
  say(
    `${release} ${kind.name}: form ${newestVersion(kind)}, ${before.size} tables, lost: ${lost.join(', ') || 'none'}`,
  );
  return before.size > 0 && [...before.values()].some((rows) => rows > 0) && lost.length === 0;
};

const refusesNewer = (kind: StoreKind): boolean => {
  const path = join(work, `newer-${kind.name}`);
  const tomorrow = { version: newestVersion(kind) + 1, name: 'tomorrow', sql: 'CREATE TABLE tomorrow (a)' };
  const made = openStore(path, { ...kind, migrations: [...kind.migrations, tomorrow] });
  if (!made.ok) return false;
  made.value.database.close();
  const before = readFileSync(path);
  const opened = openStore(path, kind);
  if (!opened.ok) say(`a file of a release to come: ${opened.failure.code} (${opened.failure.actor})`);
  return !opened.ok && opened.failure.code === 'storage.newer' && readFileSync(path).equals(before);
};

try {
  const wanted = releases().filter((release) => missingRelease(release) === null);
  const stored = storedReleases();
  const unstored = wanted.filter((release) => !stored.includes(release));
  for (const release of unstored) say(`${release}: no stores kept; scripts/generate/stored-release.ts makes them`);
  const opened = stored.flatMap((release) => kinds.filter((kind) => opens(release, kind))).length;
  const refusedNewer = kinds.every(refusesNewer);
  process.stdout.write(
    `${JSON.stringify({ stores: kinds.length, releases: stored.length, opened, refusedNewer, profile: 'release' })}\n`,
  );
  process.exitCode = unstored.length === 0 && opened === kinds.length * stored.length && refusedNewer ? 0 : 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
