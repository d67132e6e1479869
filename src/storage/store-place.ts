import { existsSync, rmSync, statSync, utimesSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Failure, failure } from '../core/failure.ts';
import { putBackName, strayName } from './back-up.ts';
import { makeFolderSync } from './make-folder.ts';
import { renameDurably } from './rename-durably.ts';

/** Which file lies there; null: none. */
export const idOf = (path: string): string | null => {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev} ${found.ino}`;
};

export type StorePlace = {
  /** Whether somebody deleted the file or gave its name to another one since it was opened */
  isTakenAway(): boolean;
  /**
   * The whole store under its name again; what lies there instead is set aside. Everything written after this is in the
   * file that nobody finds: whoever calls this must close that file, or end, before anything else is written.
   */
  putBack(): Failure;
};

/**
 * Gives a store that was taken away its name again, where all of it lies ready: also what a process that died in the midst of
 * it has left to do. null: nothing lies ready.
 */
export const finishPutBack = (path: string): Failure | null => {
  const whole = putBackName(path);
  if (!existsSync(whole)) return null;
  const nowMs = Date.now();
  const aside = strayName(path, nowMs);
  // Its log first: beside another file it would be taken for that file's own.
  for (const part of ['-wal', '-shm', ''] as const)
    if (existsSync(`${path}${part}`)) renameDurably(`${path}${part}`, `${aside}${part}`);
  const isReplaced = existsSync(aside);
  // Its life as a copy begins today, however old it is.
  if (isReplaced) utimesSync(aside, nowMs / 1_000, nowMs / 1_000);
  renameDurably(whole, path);
  return failure(
    'storage.taken-away',
    isReplaced ? `${path}: what lay there instead is now ${aside}` : `${path}: it had been deleted`,
  );
};

/**
 * Whether a store still lies where it was opened. A process goes on writing into a file whose name somebody deleted, or
 * gave to another file (a backup put in its place): its next start would know nothing of that. To be called once the
 * file is open; `before`: which one lay there before it was opened, null where it was made; `copyTo`: all of the open
 * store as one new file.
 */
export const watchStorePlace = (path: string, before: string | null, copyTo: (path: string) => void): StorePlace => {
  // Somebody may be quicker than the opening: a place that is empty by now was taken away.
  const opened = before ?? idOf(path) ?? 'taken away';
  let isReady = false;
  return {
    isTakenAway: () => {
      const isAway = idOf(path) !== opened;
      // Somebody has brought it back before it could be put back: a copy of before would be taken for the newer one.
      if (!isAway && isReady) rmSync(putBackName(path), { force: true });
      isReady &&= isAway;
      return isAway;
    },
    putBack: () => {
      makeFolderSync(dirname(path), 0o700);
      copyTo(putBackName(path));
      isReady = true;
      const put = finishPutBack(path);
      if (put === null) throw new Error(`${path}: the copy is gone`);
      return put;
    },
  };
};
