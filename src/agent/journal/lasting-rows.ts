import type { Sql } from './sql.ts';

/** What rows that are deleted at their time need of the journal. */
export type LastingRows = Sql & {
  /** The journal's own age, by which `delete_at` counts. ms */
  readonly livedMs: () => number;
  /** A personal row has gone, and must go from the write-ahead log, too */
  readonly deleted: () => void;
};
