import type { Cells, Sql } from '../../storage/sql-engine.ts';

/** What rows that are deleted at their time need of the journal. */
export type LastingRows = Sql & {
  readonly cells: Cells;
  /** All of it, or none */
  readonly atOnce: <T>(work: () => T) => T;
  /** The journal's own age, by which `delete_at` counts. ms */
  readonly livedMs: () => number;
  /** A personal row has gone, and must go from every file, too */
  readonly deleted: () => void;
};
