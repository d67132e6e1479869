import { chmodSync, closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

const backupName = (path: string, version: number): string => `${path}.before-migration-${version}`;

const sync = (path: string, mode: string): void => {
  const file = openSync(path, mode);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};

/**
 * A whole copy of an open database beside it, durable when this returns; answers its path. `version` is the form of the
 * copy. VACUUM INTO leaves out what was deleted, and reads through the write-ahead log.
 */
export const backUp = (database: DatabaseSync, path: string, version: number): string => {
  const backup = backupName(path, version);
  const aside = `${backup}.part`;
  // Of a copy that was cut off.
  rmSync(aside, { force: true });
  database.prepare('VACUUM INTO ?').run(aside);
  chmodSync(aside, 0o600);
  sync(aside, 'r+');
  renameSync(aside, backup);
  // Windows opens no directory; NTFS journals the rename itself.
  if (process.platform !== 'win32') sync(dirname(path), 'r');
  return backup;
};

/**
 * Copies older than `ageMs` go: they hold what the store itself deletes. Never the file itself, so a wrong clock costs
 * no more than a copy.
 */
export const forgetBackups = (path: string, nowMs: number, ageMs: number): readonly string[] => {
  const prefix = `${basename(path)}.before-migration-`;
  const old = readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(dirname(path), name))
    .filter((backup) => statSync(backup).mtimeMs <= nowMs - ageMs);
  for (const backup of old) rmSync(backup, { force: true });
  return old;
};
