import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { type Failure, type FailureCode, failure } from '../../core/failure.ts';
import { AuditChain } from '../../storage/audit-chain.ts';
import { copyStore } from '../../storage/back-up.ts';
import { busyForMs, openStore, type StoreNews } from '../../storage/open-store.ts';
import { newestVersion } from '../../storage/store-kind.ts';
import type { StorePlace } from '../../storage/store-place.ts';
import { journalKind } from './journal-kind.ts';

/** Nobody can run with this journal. */
export class Unopened extends Error {
  readonly failure: Failure;

  constructor(cause: Failure) {
    super(`${cause.code}: ${cause.detail ?? ''} (who must act: ${cause.actor})`);
    this.failure = cause;
  }
}

/** What somebody did to the file while it was open, or while nobody ran. */
type Mishap = Extract<FailureCode, 'storage.taken-away' | 'storage.rolled-back'>;
const mishaps: readonly Mishap[] = ['storage.taken-away', 'storage.rolled-back'];
/** Staff are told for about a week of 100 visits a day. No clock has a word in it. */
const toldEntries = 2_000;

export type JournalFileOptions = { readonly readOnly?: boolean };

/** The journal's file: opened in its newest form, statements prepared once, transactions whole. */
export class JournalFile {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  protected deletedSinceCheckpoint = false;

  /** What was done, in a hash chain. `verify`, `lines`; `rotate` within `atOnce` */
  readonly audit: AuditChain = new AuditChain((sql) => this.#prepared(sql));

  /** Challenges of before this instant (agent's clock, ms) may stand in no journal of ours; null: what was handed out is known */
  knowsNothingBefore: number | null = null;

  /** It was found out in this run that an older journal, or another one, was put in the place of the last */
  isRolledBack = false;

  /** As the last check of the chain found it (watch-audit.ts); null: whole */
  auditFault: Failure | null = null;

  /** Whether the file still lies where it was opened; null: it was opened to be read */
  readonly place: StorePlace | null = null;

  /** What the opening did to the file */
  readonly news: readonly StoreNews[];

  /** Throws `Unopened`, whose failure names path and remedy. */
  constructor(path: string, options: JournalFileOptions = {}) {
    if (options.readOnly) {
      this.#database = new DatabaseSync(path, { readOnly: true, timeout: busyForMs });
      this.news = [];
      return;
    }
    const opened = openStore(path, journalKind);
    if (!opened.ok) throw new Unopened(opened.failure);
    this.#database = opened.value.database;
    this.place = opened.value.place;
    this.news = opened.value.news;
  }

  close(): void {
    try {
      this.forgetDeleted();
    } catch {
      // A full disk: the next start clears the log.
    }
    this.#database.close();
  }

  /** Durable, and in the chain: told for days, also after a restart. */
  noteMishap(mishap: Mishap, atMs: number): void {
    this.transaction(() => this.audit.append({ atMs, event: mishap, subject: 'journal' }));
  }

  mishaps(): readonly Failure[] {
    return this.audit
      .latest(mishaps, toldEntries)
      .map(({ event, atMs }) => failure(event as Mishap, new Date(atMs).toISOString()));
  }

  /** When it was last noted in it that it had been put in the place of a later one (agent's clock, ms); null: never */
  rolledBackAt(): number | null {
    return this.audit.latest(['storage.rolled-back'], Number.MAX_SAFE_INTEGER)[0]?.atMs ?? null;
  }

  /** What goes into a file that somebody took away is not kept, whatever SQLite says. Throws. */
  protected mustBeInPlace(): void {
    if (this.place?.isTakenAway()) throw new Error('the journal was taken away');
  }

  copyTo(path: string): void {
    copyStore(this.#database, path);
  }

  /** Deleted rows must not live on in the write-ahead log: to be called every second or so, free when there are none. */
  forgetDeleted(): void {
    if (!this.deletedSinceCheckpoint) return;
    // A reader of another process (an export that somebody looks through) may hold the log for minutes: it is not waited for,
    // for everybody else would wait, too. The next call empties it.
    this.#database.exec('PRAGMA busy_timeout = 0');
    try {
      this.deletedSinceCheckpoint = this.get('PRAGMA wal_checkpoint(TRUNCATE)')?.busy !== 0;
    } finally {
      this.#database.exec(`PRAGMA busy_timeout = ${busyForMs}`);
    }
  }

  protected all(sql: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    return this.#prepared(sql).all(...values);
  }

  protected get(sql: string, ...values: SQLInputValue[]): Record<string, unknown> | undefined {
    return this.#prepared(sql).get(...values);
  }

  protected run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }

  /** All of it is on the disk, or none; one write to the disk for all. */
  atOnce<T>(work: () => T): T {
    return this.transaction(work);
  }

  /**
   * The end of a visit: all of it is on the disk when this returns, and what it deletes is in no file any more. The checkpoint
   * syncs the log before it empties it, so that the commit need not.
   */
  atOnceAndForgotten<T>(work: () => T): T {
    if (this.#database.isTransaction) {
      this.deletedSinceCheckpoint = true;
      return work();
    }
    const value = this.soonDurable(work);
    this.deletedSinceCheckpoint = true;
    this.forgetDeleted();
    // The log is being read by another process. The same number again is a write: it takes along what stands before it.
    if (this.deletedSinceCheckpoint) this.#database.exec(`PRAGMA user_version = ${newestVersion(journalKind)}`);
    return value;
  }

  /** On the disk with the next write that is: for what a power cut may take back, and is then done again with the same effect. */
  protected soonDurable<T>(work: () => T): T {
    if (this.#database.isTransaction) return work();
    this.#database.exec('PRAGMA synchronous = NORMAL');
    try {
      return this.transaction(work);
    } finally {
      this.#database.exec('PRAGMA synchronous = FULL');
    }
  }

  protected transaction<T>(work: () => T): T {
    if (this.#database.isTransaction) return work();
    this.run('BEGIN IMMEDIATE');
    try {
      const value = work();
      this.run('COMMIT');
      return value;
    } catch (error) {
      this.audit.forgetHead();
      // A full disk may have ended the transaction already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}
