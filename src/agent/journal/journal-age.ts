import type { SqlEngine } from '../../storage/sql-engine.ts';
import { JournalFile, type JournalFileOptions } from './journal-file.ts';

/** The last wall clock that nobody doubted, and whether it was confirmed. */
type TimeSeen = { readonly wallMs: number; readonly confirmed: boolean };

type JournalOptions = JournalFileOptions & {
  /** A clock that nobody sets; ages are counted on it. ms */
  readonly steadyMs?: () => number;
};

/** The age is written down this often: a crash makes everything that much younger, never older. ms */
const writeEveryMs = 10 * 60_000;
/** Where several agents write, what one calls old must be old for all. ms */
const sharedEveryMs = 5_000;

/**
 * How long this journal has been kept. What has had its time is told by this age: hours in which the agent ran, and those
 * between two runs where a confirmed clock measured them. No wall clock alone deletes anything.
 */
export class JournalAge extends JournalFile {
  readonly #steadyMs: () => number;
  readonly #openedAtMs: number;
  readonly #mayWrite: boolean;
  #beforeMs = 0;
  #writtenMs = 0;
  #seen: TimeSeen | null = null;

  constructor(place: string | SqlEngine, options: JournalOptions = {}) {
    super(place, options);
    this.#steadyMs = options.steadyMs ?? (() => performance.now());
    this.#openedAtMs = this.#steadyMs();
    this.#mayWrite = !options.readOnly;
    if (!this.#mayWrite) return;
    const row = this.get('SELECT lived_ms, seen_at, seen_confirmed FROM age');
    this.#beforeMs = Number(row?.lived_ms ?? 0);
    this.#writtenMs = this.#beforeMs;
    if (row?.seen_at != null) this.#seen = { wallMs: Number(row.seen_at), confirmed: row.seen_confirmed === 1 };
  }

  get livedMs(): number {
    return Math.round(this.#beforeMs + this.#steadyMs() - this.#openedAtMs);
  }

  /** Of an earlier run, until `see` has been called in this one; null: none. */
  get timeSeen(): TimeSeen | null {
    return this.#seen;
  }

  see(seen: TimeSeen): void {
    this.#seen = seen;
  }

  /** The machine was off for so long, as two confirmed clocks say. ms */
  countTimeOff(ms: number): void {
    this.#beforeMs += ms;
  }

  /** One small durable write: throws while the disk refuses, or where the file is one that nobody finds again. */
  tryWrite(): void {
    this.mustBeInPlace();
    this.#write();
  }

  /** To be called often; writes seldom. */
  keepAge(): void {
    const { isShared } = this.engine;
    if (this.livedMs - this.#writtenMs >= (isShared ? sharedEveryMs : writeEveryMs)) this.#write();
  }

  override close(): void {
    try {
      if (this.#mayWrite) this.#write();
    } catch {
      // A full disk: everything is that much younger at the next start, never older.
    }
    super.close();
  }

  #write(): void {
    const { wallMs = null, confirmed = false } = this.#seen ?? {};
    // The oldest of several agents is right: what one of them counted on has been lived.
    if (this.engine.isShared)
      this.#beforeMs += Math.max(0, Number(this.get('SELECT lived_ms FROM age')?.lived_ms ?? 0) - this.livedMs);
    const livedMs = this.livedMs;
    this.run(
      'INSERT OR REPLACE INTO age (only, lived_ms, seen_at, seen_confirmed) VALUES (1, ?, ?, ?)',
      ...[livedMs, wallMs === null ? null : Math.round(wallMs), confirmed ? 1 : 0],
    );
    this.#writtenMs = livedMs;
  }
}
