import { existsSync, mkdirSync, renameSync, statSync, utimesSync } from 'node:fs';
import { dirname } from 'node:path';
import { strayName } from '../../storage/back-up.ts';
import type { Journal } from './journal.ts';

/** What SQLite keeps beside a file in WAL mode belongs to that file alone. */
const parts = ['', '-wal', '-shm'] as const;

const idOf = (path: string): string | null => {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev} ${found.ino}`;
};

/**
 * Whether the journal's file still lies where it was opened. A process goes on writing into a file whose name somebody
 * deleted, or gave to another file (a backup put in its place): its next start would know nothing of that.
 */
export const watchJournalPlace = (
  path: string,
  journal: Pick<Journal, 'copyTo'>,
): { isTakenAway(): boolean; putBack(): void } => {
  const opened = idOf(path);
  return {
    isTakenAway: () => idOf(path) !== opened,
    /**
     * The whole journal under its name again; what lies there instead is set aside. Everything written after this is in
     * the file that nobody finds: whoever calls this must end the process before anything else is written.
     */
    putBack: () => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const whole = `${path}.put-back`;
      journal.copyTo(whole);
      const nowMs = Date.now();
      const aside = strayName(path, nowMs);
      for (const part of parts) if (existsSync(`${path}${part}`)) renameSync(`${path}${part}`, `${aside}${part}`);
      // Its life as a copy begins today, however old it is.
      if (existsSync(aside)) utimesSync(aside, nowMs / 1_000, nowMs / 1_000);
      renameSync(whole, path);
    },
  };
};
