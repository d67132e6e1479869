import { existsSync } from 'node:fs';
import { chown, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolder } from './make-folder.ts';
import { copyDurably, syncDirectory } from './rename-durably.ts';

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
  await makeFolder(dirname(to), 0o700);
  // Brings the write-ahead log into the file: one file is to be moved, and it is whole.
  const database = new DatabaseSync(from, { timeout: 2_000 });
  database.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE');
  database.close();
  if (owner !== undefined) await chown(dirname(to), owner.uid, owner.gid);
  copyDurably(from, to);
  // The directory may be new, too; until its own name is on the disk the old file is the only one that a power cut leaves.
  syncDirectory(dirname(dirname(to)));
  await rm(from);
  return true;
};
