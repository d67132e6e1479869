import { type Failure, type FailureCode, failure } from '../../core/failure.ts';
import { AuditChain } from '../../storage/audit-chain.ts';
import type { StoreNews } from '../../storage/open-store.ts';
import type { SqlEngine, SqlRow, SqlValue } from '../../storage/sql-engine.ts';
import { openSqlite } from '../../storage/sqlite-engine.ts';
import type { StorePlace } from '../../storage/store-place.ts';
import { type Durability, GroupCommit } from './group-commit.ts';
import { journalKind } from './journal-kind.ts';

/** What somebody did to the file while it was open, or while nobody ran. */
type Mishap = Extract<FailureCode, 'storage.taken-away' | 'storage.rolled-back'>;
const mishaps: readonly Mishap[] = ['storage.taken-away', 'storage.rolled-back'];
/** Staff are told for about a week of 100 visits a day. No clock has a word in it. */
const toldEntries = 2_000;

/** `checks`: of a file, as sqlite-engine.ts says */
export type JournalFileOptions = { readonly readOnly?: boolean; readonly checks?: boolean };

/** The journal's rows, in a SQLite file of its own or wherever an engine keeps them: transactions whole, a chain of what was done. */
export class JournalFile {
  protected readonly engine: SqlEngine;
  protected deletedSinceForgotten: boolean;

  /** What was done, in a hash chain. `verify`, `lines`; `rotate` within `atOnce` */
  readonly audit: AuditChain;

  readonly #group = new GroupCommit((durability, work) => {
    if (durability === 'forgotten') this.atOnceAndForgotten(work);
    else if (durability === 'now') this.transaction(work);
    else this.soonDurable(work);
  });

  /** Challenges of before this instant (agent's clock, ms) may stand in no journal of ours; null: what was handed out is known */
  knowsNothingBefore: number | null = null;

  /** It was found out in this run that an older journal, or another one, was put in the place of the last */
  isRolledBack = false;

  /** As the last check of the chain found it (heed-audit.ts); null: whole */
  auditFault: Failure | null = null;

  /** Pages of the file were found broken while it was open; null: none that was looked at */
  damage: Failure | null = null;

  /** A path: the SQLite file there. Throws `Unopened`, whose failure names path and remedy. */
  constructor(place: string | SqlEngine, options: JournalFileOptions = {}) {
    const mode = options.readOnly ? 'reads' : options.checks ? 'checks' : 'writes';
    this.engine = typeof place === 'string' ? openSqlite(place, journalKind, mode) : place;
    this.audit = new AuditChain(this.engine);
    // Whoever wrote here before may have ended between a deletion and its forgetting.
    this.deletedSinceForgotten = !options.readOnly;
  }

  /** Whether the file still lies where it was opened; null: it was opened to be read, or is none of ours */
  get place(): StorePlace | null {
    return this.engine.place;
  }

  /** What the opening did to the file */
  get news(): readonly StoreNews[] {
    return this.engine.news;
  }

  close(): void {
    this.#group.flush();
    try {
      this.forgetDeleted();
    } catch {
      // A full disk: the next start clears the log.
    }
    this.engine.close();
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
    this.engine.copyTo(path);
  }

  /** Deleted rows must live on in no file: to be called every second or so, free when there are none. */
  forgetDeleted(): void {
    if (this.deletedSinceForgotten) this.deletedSinceForgotten = !this.engine.forget();
  }

  protected all(sql: string, ...values: SqlValue[]): SqlRow[] {
    return this.engine.all(sql, ...values);
  }

  protected get(sql: string, ...values: SqlValue[]): SqlRow | undefined {
    return this.engine.get(sql, ...values);
  }

  protected run(sql: string, ...values: SqlValue[]): number {
    return this.engine.run(sql, ...values);
  }

  /** All of it is on the disk, or none; one write to the disk for all. */
  atOnce<T>(work: () => T): T {
    return this.transaction(work);
  }

  /** `work` in one transaction with what others want written at the same time (group-commit.ts); resolves once it is durable. */
  together<T>(durability: Durability, work: () => T): Promise<T> {
    return this.#group.add(durability, work);
  }

  /** The end of a visit: all of it is on the disk when this returns, and what it deletes is in no file any more. */
  atOnceAndForgotten<T>(work: () => T): T {
    if (this.engine.isTransaction()) {
      this.deletedSinceForgotten = true;
      return work();
    }
    // A disk that refuses to wipe what has gone is asked again.
    this.deletedSinceForgotten = true;
    const { value, isForgotten } = this.#chained(() => this.engine.transactionForgetting(work));
    this.deletedSinceForgotten = !isForgotten;
    return value;
  }

  /** On the disk with the next write that is: for what a power cut may take back, and is then done again with the same effect. */
  protected soonDurable<T>(work: () => T): T {
    return this.engine.isTransaction() ? work() : this.#chained(() => this.engine.transaction('soon', work));
  }

  protected transaction<T>(work: () => T): T {
    return this.engine.isTransaction() ? work() : this.#chained(() => this.engine.transaction('now', work));
  }

  /** What the chain remembers of its end holds while its transactions do, and nobody else appends. */
  #chained<T>(transaction: () => T): T {
    if (this.engine.isShared) this.audit.forgetHead();
    try {
      return transaction();
    } catch (error) {
      this.audit.forgetHead();
      throw error;
    }
  }
}
