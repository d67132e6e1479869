import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Failure } from '../core/failure.ts';
import { copyStore, movedName } from './back-up.ts';
import { noteClosed, noteOpened } from './known-whole.ts';
import { busyForMs, openStore } from './open-store.ts';
import { renameDurably } from './rename-durably.ts';
import { openCells, type SqlEngine } from './sql-engine.ts';
import { newestVersion, type StoreKind } from './store-kind.ts';

/** Nobody can run with this store. */
export class Unopened extends Error {
  readonly failure: Failure;

  constructor(cause: Failure) {
    super(`${cause.code}: ${cause.detail ?? ''} (who must act: ${cause.actor})`);
    this.failure = cause;
  }
}

/** Statements of the database that is open now, prepared once; whole transactions. */
export const sqlOf = (opened: () => DatabaseSync) => {
  const statements = new Map<string, StatementSync>();
  let owner: DatabaseSync | null = null;
  const prepared = (sql: string): StatementSync => {
    const database = opened();
    // Of one that was closed they are finalized.
    if (database !== owner) statements.clear();
    owner = database;
    const known = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, known);
    return known;
  };
  const inTransaction = <T>(begin: string, work: () => T): T => {
    prepared(begin).run();
    try {
      const value = work();
      prepared('COMMIT').run();
      return value;
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (opened().isTransaction) opened().exec('ROLLBACK');
      throw error;
    }
  };
  return {
    get: (sql, ...values) => prepared(sql).get(...values),
    all: (sql, ...values) => prepared(sql).all(...values),
    run: (sql, ...values) => Number(prepared(sql).run(...values).changes),
    write: (sql, ...values) => void prepared(sql).run(...values),
    iterate: (sql, ...values) => prepared(sql).iterate(...values),
    snapshot: (work) => (opened().isTransaction ? work() : inTransaction('BEGIN', work)),
    inTransaction,
  } satisfies Pick<SqlEngine, 'get' | 'all' | 'run' | 'write' | 'iterate' | 'snapshot'> & {
    inTransaction: typeof inTransaction;
  };
};

/** `checks`: this process looks for damage once it runs, and alone keeps the record of that (known-whole.ts) */
type SqliteMode = 'reads' | 'writes' | 'checks';

/** A SQLite file in its newest form, WAL and synchronous FULL. Throws `Unopened`, whose failure names path and remedy. */
export const openSqlite = (path: string, kind: StoreKind, mode: SqliteMode = 'writes'): SqlEngine => {
  const opened = mode === 'reads' ? null : openStore(path, kind, mode === 'checks');
  if (opened?.ok === false) throw new Unopened(opened.failure);
  const database = opened?.value.database ?? new DatabaseSync(path, { readOnly: true, timeout: busyForMs });
  if (mode === 'checks') noteOpened(path);
  const { inTransaction, ...sql } = sqlOf(() => database);
  const soon = <T>(work: () => T): T => {
    database.exec('PRAGMA synchronous = NORMAL');
    try {
      return inTransaction('BEGIN IMMEDIATE', work);
    } finally {
      database.exec('PRAGMA synchronous = FULL');
    }
  };
  const forget = (): boolean => {
    // A reader of another process (an export that somebody looks through) may hold the log for minutes: it is not waited for,
    // for everybody else would wait, too. The next call empties it.
    database.exec('PRAGMA busy_timeout = 0');
    try {
      return sql.get('PRAGMA wal_checkpoint(TRUNCATE)')?.busy === 0;
    } finally {
      database.exec(`PRAGMA busy_timeout = ${busyForMs}`);
    }
  };
  return {
    ...sql,
    isShared: false,
    nowMs: () => Date.now(),
    isTransaction: () => database.isTransaction,
    transaction: (durable, work) => (durable === 'now' ? inTransaction('BEGIN IMMEDIATE', work) : soon(work)),
    // The checkpoint syncs the log before it empties it, so that the commit need not.
    transactionForgetting: (work) => {
      const value = soon(work);
      // The log is being read by another process. The same number again is a write: it takes along what stands before it.
      const isForgotten = forget();
      if (!isForgotten) database.exec(`PRAGMA user_version = ${newestVersion(kind)}`);
      return { value, isForgotten };
    },
    forget,
    cells: openCells,
    rowAddress: 'rowid',
    place: opened?.value.place ?? null,
    news: opened?.value.news ?? [],
    copyTo: (to) => copyStore(database, to),
    leave: () => {
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      renameDurably(path, movedName(path, Date.now()));
    },
    close: () => {
      database.close();
      if (mode === 'checks' && opened?.value.place.isTakenAway() === false) noteClosed(path);
    },
  };
};
