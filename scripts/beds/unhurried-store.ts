import { createSqliteStore } from '../../drivers/store/sqlite-store.ts';

/** The terminal's store on a real disk. What a test does not try is its patience: a busy machine's disk may take its minute. */
export const unhurriedStore = (
  path: string,
  hear?: Parameters<typeof createSqliteStore>[1],
): ReturnType<typeof createSqliteStore> => createSqliteStore(path, hear, undefined, 60_000);
