import { chmodSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { renameDurably, syncFile } from './rename-durably.ts';

const backupName = (path: string, version: number): string => `${path}.before-migration-${version}`;

/** Of a file that somebody put in the place of an open store. */
export const strayName = (path: string, atMs: number): string => `${path}.put-in-place-${atMs}`;

/** All of an open database as one new file, durable when this returns. Throws what SQLite says. */
export const copyStore = (database: DatabaseSync, path: string): void => {
  // Of a copy that was cut off.
  rmSync(path, { force: true });
  database.prepare('VACUUM INTO ?').run(path);
  chmodSync(path, 0o600);
  syncFile(path);
};

/**
 * A whole copy of an open database beside it, durable when this returns; answers its path. `version` is the form of the
 * copy. VACUUM INTO leaves out what was deleted, and reads through the write-ahead log.
 */
export const backUp = (database: DatabaseSync, path: string, version: number): string => {
  const backup = backupName(path, version);
  const aside = `${backup}.part`;
  copyStore(database, aside);
  renameDurably(aside, backup);
  return backup;
};

/**
 * Copies older than `ageMs` go: they hold what the store itself deletes. Never the file itself, so a wrong clock costs
 * no more than a copy.
 */
export const forgetBackups = (path: string, nowMs: number, ageMs: number): readonly string[] => {
  const prefixes = ['before-migration-', 'put-in-place-'].map((kind) => `${basename(path)}.${kind}`);
  const old = readdirSync(dirname(path))
    .filter((name) => prefixes.some((prefix) => name.startsWith(prefix)))
    .map((name) => join(dirname(path), name))
    .filter((backup) => statSync(backup).mtimeMs <= nowMs - ageMs);
  for (const backup of old) rmSync(backup, { force: true });
  return old;
};
