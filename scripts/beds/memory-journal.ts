import { DatabaseSync } from 'node:sqlite';
import { Journal } from '../../src/agent/journal/journal.ts';
import { journalKind } from '../../src/agent/journal/journal-kind.ts';
import { openCells, type SqlEngine } from '../../src/storage/sql-engine.ts';
import { sqlOf } from '../../src/storage/sqlite-engine.ts';

let empty: Uint8Array | null = null;
/** The newest form, made once: a journal of its own is a copy of these pages. */
const emptyPages = (): Uint8Array => {
  if (empty !== null) return empty;
  const database = new DatabaseSync(':memory:');
  for (const { sql } of journalKind.migrations) database.exec(sql);
  empty = database.serialize();
  database.close();
  return empty;
};

type MemoryOptions = Partial<SqlEngine> & {
  /** Several agents write into it, as in a database. */
  readonly shared?: boolean;
  /** How durable each transaction was to be is noted here. */
  readonly committed?: string[];
};

/** The journal's rows in SQLite without a disk. */
export const memoryEngine = (more: MemoryOptions = {}): SqlEngine => {
  const { shared = false, committed, ...change } = more;
  const database = new DatabaseSync(':memory:');
  database.deserialize(emptyPages());
  const { inTransaction, ...sql } = sqlOf(() => database);
  return {
    ...sql,
    isShared: shared,
    nowMs: () => 0,
    isTransaction: () => database.isTransaction,
    transaction: (durable, work) => {
      committed?.push(durable);
      return inTransaction('BEGIN IMMEDIATE', work);
    },
    transactionForgetting: (work) => {
      committed?.push('forgotten');
      return { value: inTransaction('BEGIN IMMEDIATE', work), isForgotten: true };
    },
    forget: () => true,
    cells: openCells,
    rowAddress: 'rowid',
    place: null,
    news: [],
    copyTo: () => {
      throw new Error('no file');
    },
    leave: () => {},
    close: () => database.close(),
    ...change,
  };
};

/** A journal that takes a millisecond to open, and leaves nothing. In it no time passes unless `steadyMs` says so. */
export const memoryJournal = (engine: SqlEngine = memoryEngine(), steadyMs = () => 0): Journal =>
  new Journal(engine, { steadyMs });

/** One in which a journal can be opened again and again. */
export const memoryPlace = (more: MemoryOptions = {}) => {
  const engine = memoryEngine({ ...more, close: () => {} });
  return { engine, open: (steadyMs?: () => number): Journal => memoryJournal(engine, steadyMs) };
};
