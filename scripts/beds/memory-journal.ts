import { DatabaseSync } from 'node:sqlite';
import { Journal } from '../../src/agent/journal/journal.ts';
import { journalKind } from '../../src/agent/journal/journal-kind.ts';
import { openCells, type SqlEngine } from '../../src/storage/sql-engine.ts';
import { sqlOf } from '../../src/storage/sqlite-engine.ts';

/** The newest form, made once: a journal of its own is a copy of these pages. */
const empty = ((): Uint8Array => {
  const database = new DatabaseSync(':memory:');
  for (const { sql } of journalKind.migrations) database.exec(sql);
  const pages = database.serialize();
  database.close();
  return pages;
})();

/** The journal's rows in SQLite without a disk. `shared`: several agents write into it, as in a database. */
export const memoryEngine = (more: Partial<SqlEngine> & { readonly shared?: boolean } = {}): SqlEngine => {
  const { shared = false, ...change } = more;
  const database = new DatabaseSync(':memory:');
  database.deserialize(empty);
  const { inTransaction, ...sql } = sqlOf(() => database);
  return {
    ...sql,
    isShared: shared,
    nowMs: () => 0,
    isTransaction: () => database.isTransaction,
    transaction: (_durable, work) => inTransaction('BEGIN IMMEDIATE', work),
    transactionForgetting: (work) => ({ value: inTransaction('BEGIN IMMEDIATE', work), isForgotten: true }),
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
