import { existsSync } from 'node:fs';
import { chown, copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Brings a store of an earlier release to where this one looks for it, also onto another file system. Nothing happens when
 * there is none, or one at the new place already. Nobody may have it open. true = moved.
 */
export const moveStore = async (
  from: string,
  to: string,
  owner: { readonly uid: number; readonly gid: number } | undefined,
): Promise<boolean> => {
  if (!existsSync(from) || existsSync(to)) return false;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  // Brings the write-ahead log into the file: one file is to be moved, and it is whole.
  const database = new DatabaseSync(from, { timeout: 2_000 });
  database.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE');
  database.close();
  const aside = `${to}.part`;
  await copyFile(from, aside);
  if (owner !== undefined) {
    await chown(dirname(to), owner.uid, owner.gid);
    await chown(aside, owner.uid, owner.gid);
  }
  const file = await open(aside, 'r+');
  await file.sync().finally(() => file.close());
  await rename(aside, to);
  await rm(from);
  return true;
};
