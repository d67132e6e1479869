import { failure } from '../../src/core/failure.ts';
import { hourMs } from '../../src/core/time-units.ts';
import type { StoreNews } from '../../src/storage/open-store.ts';
import type { Cells, PersonalTable, SqlEngine, SqlRow } from '../../src/storage/sql-engine.ts';
import { Unopened } from '../../src/storage/sqlite-engine.ts';
import { newestVersion, type StoreKind } from '../../src/storage/store-kind.ts';
import { JournalKey } from './journal-key.ts';
import { connectPostgres, type PostgresConnection } from './postgres-connection.ts';
import { PostgresRows } from './postgres-rows.ts';
import { toPostgresMigration } from './postgres-sql.ts';
import { stepKey } from './step-key.ts';

type PostgresStart = {
  /** postgres://user@host:port/database; no password in it: PGPASSFILE names where it stands */
  readonly address: string;
  readonly kind: StoreKind;
  readonly facility: string;
  /** The key that never enters the database */
  readonly keyPath: string;
  readonly personal: readonly PersonalTable[];
  /** `running`: an agent, of which there may be several; `alone`: no agent runs, and none begins meanwhile */
  readonly as?: 'running' | 'alone';
  /** For as long as one answer may take where nobody else waits. Default: as long as a terminal may wait. ms */
  readonly answerMs?: number;
};

/** One writer at a time, as in SQLite: the chain has one end. The number is the journal's `application_id`. */
const lock = (kind: StoreKind): string => `SELECT pg_advisory_xact_lock(${kind.applicationId})`;

/**
 * For this session: what is acknowledged is on the disk, whatever the server's default says. An agent that stands still with a
 * transaction open loses it, so that the others go on; when it comes back it has written nothing.
 */
const setUp = `
  CREATE SCHEMA IF NOT EXISTS uketsuke; SET search_path TO uketsuke; SET synchronous_commit TO on;
  SET idle_in_transaction_session_timeout TO 2000; SET lock_timeout TO 2500; SET statement_timeout TO 60000;
  SET client_min_messages TO error; SET bytea_output TO hex;`;

/** Where nobody else waits: the other side of a move may take long over its own writes. */
const patient = 'SET idle_in_transaction_session_timeout TO 0; SET statement_timeout TO 0;';

const presence = (as: 'running' | 'alone', number: number): string => `DO $$ BEGIN
  IF NOT pg_try_advisory_lock${as === 'running' ? '_shared' : ''}(${number}) THEN
    RAISE EXCEPTION '${as === 'running' ? 'the journal is being moved' : 'an agent has this journal open: stop it first'}';
  END IF; END $$;`;

const place = `CREATE TABLE IF NOT EXISTS journal_place (
  "only" BIGINT PRIMARY KEY CHECK ("only" = 1), facility TEXT NOT NULL, version BIGINT NOT NULL, epoch BIGINT NOT NULL,
  stepped_at TIMESTAMPTZ NOT NULL DEFAULT now(), moved_to TEXT)`;

/** What was deleted can be read by whoever has the database and an agent's key for so long. ms */
const stepEveryMs = hourMs;
/** Whether that hour is over is looked at this often. ms */
const lookEveryMs = 60_000;

const refuse = (code: 'storage.not-ours' | 'storage.newer' | 'storage.unwritable', detail: string): never => {
  throw new Unopened(failure(code, detail));
};

/** The same numbered steps as in SQLite, each whole or not at all. */
const migrate = (
  connection: PostgresConnection,
  { kind, facility, address }: PostgresStart,
  epoch: number,
): StoreNews[] => {
  const ask = (text: string): SqlRow[] => connection.ask(text).rows;
  const [server] = ask(
    "SELECT current_setting('server_version_num')::int AS number, current_setting('fsync') AS fsync",
  );
  if (Number(server?.number) < 150_000) refuse('storage.unwritable', `${address}: PostgreSQL 15 or later is needed`);
  if (server?.fsync !== 'on') refuse('storage.unwritable', `${address}: fsync is off: no receipt could be kept`);
  const begin = (): SqlRow => {
    ask(`BEGIN; ${lock(kind)}`);
    ask(place);
    const literal = facility.replaceAll("'", "''");
    ask(
      `INSERT INTO journal_place ("only", facility, version, epoch) VALUES (1, '${literal}', 0, ${epoch}) ON CONFLICT DO NOTHING`,
    );
    return ask('SELECT facility, version, epoch, moved_to FROM journal_place')[0] ?? {};
  };
  try {
    const found = begin();
    const from = Number(found.version);
    const to = newestVersion(kind);
    if (found.facility !== facility)
      refuse('storage.not-ours', `${address}: the journal of ${String(found.facility)}, not of ${facility}`);
    if (found.moved_to !== null)
      refuse('storage.not-ours', `${address}: the journal was moved to ${String(found.moved_to)}`);
    if (from > to) refuse('storage.newer', `${address}: form ${from}, this release knows ${to}`);
    for (const { version, sql } of kind.migrations)
      if (version > from) ask(`${toPostgresMigration(sql)}; UPDATE journal_place SET version = ${version}`);
    ask('COMMIT');
    return from === 0 || from === to ? [] : [{ type: 'migrated', from, to, backup: '' }];
  } catch (error) {
    try {
      ask('ROLLBACK');
    } catch {
      // The connection has gone, and the transaction with it.
    }
    if (error instanceof Unopened) throw error;
    throw new Unopened(
      failure('storage.unwritable', `${address}: ${error instanceof Error ? error.message : 'unknown'}`),
    );
  }
};

const isEmpty = (connection: PostgresConnection): boolean =>
  connection.ask("SELECT to_regclass('uketsuke.journal_place') IS NULL AS empty").rows[0]?.empty === true;

/**
 * A journal in PostgreSQL (15 or later) which several agents of a facility may share; made where the database is empty. Throws
 * `Unopened`: nobody answers, another facility's, moved away, no key.
 */
export const openPostgres = (start: PostgresStart): SqlEngine => {
  const only = start.as === undefined ? '' : presence(start.as, start.kind.applicationId + 1);
  const connection = connectPostgres(
    start.address,
    `${setUp} ${start.answerMs === undefined ? '' : patient} ${only}`,
    start.answerMs,
  );
  let news: StoreNews[];
  let key: JournalKey;
  try {
    key = new JournalKey(start.keyPath, isEmpty(connection));
    news = migrate(connection, start, key.epoch);
  } catch (error) {
    connection.close();
    if (error instanceof Unopened) throw error;
    throw new Unopened(failure('storage.unwritable', error instanceof Error ? error.message : start.address));
  }
  return engineOf(connection, key, news, start);
};

const epoch = 'SELECT epoch FROM journal_place';
const now = 'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000) AS ms';

/** The key is the one that the others have stepped to: looked at as each transaction begins, and before it is used outside of one. */
const sharedCells = (rows: PostgresRows, key: JournalKey): Cells => {
  const look = (): void => {
    if (rows.inTransaction) rows.begin();
    else key.stepTo(Number(rows.sql.get(epoch)?.epoch));
  };
  return {
    seal: (at, text) => {
      look();
      return key.cells.seal(at, text);
    },
    open: (at, cell) => {
      if (rows.inTransaction || Number.parseInt(cell, 10) > key.epoch) look();
      return key.cells.open(at, cell);
    },
    index: (table, value) => {
      look();
      return key.cells.index(table, value);
    },
  };
};

const engineOf = (
  connection: PostgresConnection,
  key: JournalKey,
  news: StoreNews[],
  { kind, personal }: PostgresStart,
): SqlEngine => {
  const rows = new PostgresRows(connection);
  const { sql } = rows;
  const began = (row: SqlRow): void => key.stepTo(Number(row.epoch));
  const transaction = <T>(work: () => T): T => rows.within(`BEGIN; ${lock(kind)}; ${epoch}`, began, work);
  /** By the server's clock: of several agents one steps. */
  const isDue = (): boolean =>
    sql.get(`SELECT now() - stepped_at >= ${stepEveryMs} * interval '1 ms' AS due FROM journal_place`)?.due === true;
  /** The former key goes from this agent's file once the database has the next one. */
  const step = (work: () => boolean): void => {
    transaction(() => {
      if (work()) stepKey(sql, key, personal);
    });
    key.stepTo(Number(sql.get(epoch)?.epoch));
  };
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  return {
    ...sql,
    isShared: true,
    nowMs: () => Number(sql.get(now)?.ms),
    isTransaction: () => rows.inTransaction,
    // Soon is now: agents outlive the crash of a database, and nobody calls void what they handed out.
    transaction: (_durable, work) => transaction(work),
    transactionForgetting: (work) => ({ value: transaction(work), isForgotten: false }),
    snapshot: (work) =>
      rows.inTransaction
        ? work()
        : rows.within(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${epoch}`, began, work),
    forget: () => {
      const nowMs = performance.now();
      if (nowMs - lookedAtMs < lookEveryMs) return false;
      lookedAtMs = nowMs;
      if (!isDue()) return false;
      // Another agent may have been quicker.
      step(isDue);
      // Nor does it know what others have deleted: each hour has its step.
      return false;
    },
    cells: sharedCells(rows, key),
    rowAddress: 'ctid',
    place: null,
    news,
    copyTo: () => {
      throw new Error('a journal in PostgreSQL is copied by `uketsuke agent journal move`, or by pg_dump');
    },
    leave: (to) =>
      step(() => {
        for (const { table } of personal) sql.run(`DELETE FROM ${table}`);
        return sql.run('UPDATE journal_place SET moved_to = ?', to) > 0;
      }),
    close: () => connection.close(),
  };
};
