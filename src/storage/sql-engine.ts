import type { StoreNews } from './open-store.ts';
import type { StorePlace } from './store-place.ts';

export type SqlValue = null | number | bigint | string | Uint8Array;
export type SqlRow = Record<string, unknown>;

/** A database as the parts of a store use it: in SQLite's words, prepared once, within whatever transaction is open. */
export type Sql = {
  readonly get: (sql: string, ...values: SqlValue[]) => SqlRow | undefined;
  readonly all: (sql: string, ...values: SqlValue[]) => SqlRow[];
  /** Answers how many rows changed */
  readonly run: (sql: string, ...values: SqlValue[]) => number;
  /** The same where nobody asks how many: whatever follows sees its effect; what it throws may come with that, or with the end */
  readonly write: (sql: string, ...values: SqlValue[]) => void;
};

/**
 * How what is about a person stands in its row. A file whose deleted pages are wiped takes it as it is; where they cannot be
 * wiped it is sealed. `place`: table and key of the row; a cell opens in its own place alone.
 */
export type Cells = {
  readonly seal: (place: string, text: string) => string;
  /** null: nobody can read it any more */
  readonly open: (place: string, cell: string) => string | null;
  /** The key under which a row about this person is found */
  readonly index: (table: string, value: string) => string;
};

/**
 * Columns of a table that are about a person. `index`: the key column is itself an index of what stands in the cell `who`.
 */
export type PersonalTable = {
  readonly table: string;
  readonly key: string;
  readonly cells: readonly string[];
  readonly index?: true;
};

/** Nothing is sealed. */
export const openCells: Cells = { seal: (_, text) => text, open: (_, cell) => cell, index: (_, value) => value };

/**
 * Where a store's rows lie: one contract (test/contract/journal.ts), whoever keeps them. Synchronous: when a call returns it
 * is done. Throws what the database says.
 */
export type SqlEngine = Sql & {
  readonly iterate: (sql: string, ...values: SqlValue[]) => Iterable<SqlRow>;
  /** Other processes write here, too: nothing that was read holds longer than its transaction. */
  readonly isShared: boolean;
  /** One clock for all who share it. ms since 1970 */
  readonly nowMs: () => number;
  readonly isTransaction: () => boolean;
  /** All of it, or none. `durable`: on the disk when this returns, or with the next transaction that is, at the latest */
  readonly transaction: <T>(durable: 'now' | 'soon', work: () => T) => T;
  /** All of it, or none; on the disk when this returns. `isForgotten`: nothing that was deleted is in any file */
  readonly transactionForgetting: <T>(work: () => T) => { readonly value: T; readonly isForgotten: boolean };
  /** Reads that see one instant, whatever others append meanwhile */
  readonly snapshot: <T>(work: () => T) => T;
  /** What was deleted goes from every file; true: it has gone. To be called every second or so */
  readonly forget: () => boolean;
  readonly cells: Cells;
  /** What addresses a row for as long as a statement runs: the fastest way to it */
  readonly rowAddress: 'rowid' | 'ctid';
  /** Whether its file still lies where it was opened; null: there is none, or it was opened to be read */
  readonly place: StorePlace | null;
  /** What the opening did */
  readonly news: readonly StoreNews[];
  /** All of it as one new file of SQLite; throws where that cannot be had */
  readonly copyTo: (path: string) => void;
  /** All of it lies elsewhere now: nobody opens it here any more, and what it holds of persons goes within a day. */
  readonly leave: (to: string) => void;
  readonly close: () => void;
};
