import { chmodSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { dayMs } from '../core/time-units.ts';
import { renameDurably, syncFile } from './rename-durably.ts';

const backupName = (path: string, version: number): string => `${path}.before-migration-${version}`;

/** All of a store that was taken away, whole, until it has its name again. */
export const putBackName = (path: string): string => `${path}.put-back`;

/** Of a file that somebody put in the place of an open store. */
export const strayName = (path: string, atMs: number): string => `${path}.put-in-place-${atMs}`;

/** Of a store whose rows lie in a database now. */
export const movedName = (path: string, atMs: number): string => `${path}.moved-${atMs}`;

/**
 * All of an open database as one new file: whole and durable as soon as it has its name. VACUUM INTO leaves out what was
 * deleted, and reads through the write-ahead log. Throws what SQLite says.
 */
export const copyStore = (database: DatabaseSync, path: string): void => {
  const aside = `${path}.part`;
  try {
    // Of a copy that was cut off.
    rmSync(aside, { force: true });
    database.prepare('VACUUM INTO ?').run(aside);
    chmodSync(aside, 0o600);
    syncFile(aside);
    renameDurably(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
};

/** A copy of an open database beside it; answers its path. `version` is the form of the copy. */
export const backUp = (database: DatabaseSync, path: string, version: number): string => {
  const backup = backupName(path, version);
  copyStore(database, backup);
  return backup;
};

/**
 * Copies older than `ageMs` go, and what a copy that was cut off has left: they hold what the store itself deletes. Never the
 * file itself, nor one that waits for its name, so a wrong clock costs no more than a copy.
 */
export const forgetBackups = (path: string, nowMs: number, ageMs = dayMs): readonly string[] => {
  const prefixes = ['before-migration-', 'put-in-place-', 'moved-', 'put-back.part'].map(
    (kind) => `${basename(path)}.${kind}`,
  );
  const old = readdirSync(dirname(path))
    .filter((name) => prefixes.some((prefix) => name.startsWith(prefix)))
    .map((name) => join(dirname(path), name))
    .filter((backup) => statSync(backup).mtimeMs <= nowMs - ageMs);
  for (const backup of old) rmSync(backup, { force: true });
  return old;
};
