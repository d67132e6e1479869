/** One step of a file's form; forward only. The SQL runs in one transaction with the raise of `user_version`. */
type Migration = {
  /** The `user_version` of a file that has taken this step; 1, 2, 3 … without a gap */
  readonly version: number;
  /** What it is for, in a few words */
  readonly name: string;
  readonly sql: string;
};

/** One of the product's SQLite files: how it is told from others, and every form it has had. */
export type StoreKind = {
  readonly name: 'journal' | 'outbox';
  /** SQLite's `application_id`: an outbox is not opened as a journal, nor somebody else's file as one of ours. */
  readonly applicationId: number;
  /** Tables by which a file is ours that says neither `application_id` nor `user_version` (release 19854c3) */
  readonly unversionedTables: readonly string[];
  readonly migrations: readonly Migration[];
};

export const newestVersion = ({ migrations }: StoreKind): number => migrations.at(-1)?.version ?? 0;
