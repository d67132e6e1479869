import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { dayMs } from '../../core/time-units.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AuditEntry, OutboxRow, Store } from '../../ports/store.ts';
import type { Receipt } from '../../wire/messages.ts';

/**
 * Requests on their way. A row is on the disk before the first publish and leaves it on one of two events only: the
 * agent's receipt, or its expiry once nobody can have taken it unheard. A PUBACK counts for nothing (a broker killed after
 * 6,000 PUBACKs had lost 6,000).
 */
type OutboxDelays = {
  /**
   * Pause before the second send, doubled up to the last. The agent answers in about 10 ms when all is well; when it was
   * away and nobody tells, the last pause is what the patient waits on top: 2 s at most.
   */
  readonly firstResendMs: number;
  /** The longest pause: what a patient waits on top when an agent comes back and nobody tells */
  readonly lastResendMs: number;
  /** A sign of life from the agent sends again at once, unless the last send is more recent than this */
  readonly hurryMs: number;
  /** So long a request of an earlier run is asked for, though its own time is over */
  readonly askOnceMs: number;
  /**
   * So long the row of a patient who has left is kept for the clinic to be heard, which may be closed for the night. One of an
   * earlier run: so long after its end by the agent's clock, or every start would keep it anew
   */
  readonly keepLeftMs: number;
  /** Nobody waits for its answer any more: asked for with each new connection, and at this rhythm */
  readonly askLeftMs: number;
};
const outboxDelays: OutboxDelays = {
  firstResendMs: 500,
  lastResendMs: 1_500,
  hurryMs: 300,
  askOnceMs: 60_000,
  keepLeftMs: dayMs,
  askLeftMs: 30_000,
};

export type OutboxEvent =
  /** Left by an earlier run; with a `visitMark` its patient may still be there */
  | { readonly type: 'earlier-visit'; readonly row: OutboxRow }
  | { readonly type: 'receipt'; readonly receipt: Receipt; readonly session: string; readonly row: OutboxRow }
  | { readonly type: 'request-expired'; readonly requestId: string; readonly session: string };

type OutboxOptions = {
  readonly store: Store;
  readonly clock: Clock;
  /** The agent's clock, by which requests end; null until it has been heard in this run */
  readonly agentNowMs: () => number | null;
  readonly log: EventLog;
  /**
   * One publish; ok after the PUBACK. Must answer in bounded time. `isLeft`: its patient has gone, and whoever answers must have
   * heard so: what was said of it at the time may be lost, without a connection that ended.
   */
  readonly send: (row: OutboxRow, isLeft: boolean) => Promise<Result<void>>;
  readonly tell: (event: OutboxEvent) => void;
};

type Entry = {
  readonly row: OutboxRow;
  readonly isEarlier: boolean;
  readonly storedAtMonotonicMs: number;
  expiresAtMonotonicMs: number;
  nextSendMonotonicMs: number;
  lastSendMonotonicMs: number;
  attempts: number;
  sending: boolean;
  /** The expiry is being written down: not sent again, not told twice. */
  leaving: boolean;
  /** What came of it has been told, and the row is kept until the clinic answers; what is written down then. null: not yet */
  told: AuditEntry | null;
  /** At least once, or by an earlier run for all we know */
  wasSent: boolean;
  /** Its visit was over before anything was heard: nobody waits for the answer */
  released: boolean;
};

export interface Outbox {
  /** Rows of an earlier run, to be called once before anything else. */
  load(): Promise<Result<void>>;
  /** ok = durable. The same request id again is the same row. */
  add(row: OutboxRow): Promise<Result<void>>;
  setConnected(connected: boolean): void;
  /** The agent's clock has become known: what an earlier run left ends when the agent says. */
  timeKnown(): void;
  /** The agent was heard: what waits for its pause need not. */
  hurry(): void;
  /** A verified receipt. Of another document under the same id: `message.forged`. Of no row (any more): ignored. */
  receive(receipt: Receipt): Promise<Result<void>>;
  /** The visit is over: its row is of no more use once the receipt is there. One that had none yet is asked for as by `leave`. */
  release(requestId: string): void;
  /**
   * Its patient has left, and staff are told so: the row stays, whatever was heard before, until the clinic answers once more.
   * It has then heard what was told before the question, and a terminal that dies earlier finds the visit again.
   */
  leave(requestId: string): void;
  /**
   * The patient was sent away before the row was known to be durable: it goes, as soon as the disk lets it. A process that
   * dies before finds it at its next start, as a visit of an earlier run.
   */
  cancel(requestId: string): void;
  readonly waiting: number;
  /** Neither receipt nor expiry has been told yet. */
  holds(requestId: string): boolean;
  close(): void;
}

/** Publishes at a time */
const mostInFlight = 8;
/** A disk that refuses a removal is asked again after this. ms */
const removeAgainMs = 2_000;

class DurableOutbox implements Outbox {
  readonly #options: OutboxOptions;
  readonly #entries = new Map<string, Entry>();
  /** Receipted, and the visit still on: what is written once it ends */
  readonly #settled = new Map<string, { readonly written: AuditEntry; readonly row: OutboxRow }>();
  readonly #cancelled = new Set<string>();
  #connected = false;
  #closed = false;
  #inFlight = 0;
  #callOff: (() => void) | null = null;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return [...this.#entries.values()].filter(({ told }) => told === null).length;
  }

  holds(requestId: string): boolean {
    return this.#entries.get(requestId)?.told === null;
  }

  async load(): Promise<Result<void>> {
    const rows = await this.#options.store.outboxRows();
    if (!rows.ok) return rows;
    for (const row of rows.value) {
      if (this.#cancelled.has(row.requestId)) continue;
      this.#hold(row, true);
      this.#options.tell({ type: 'earlier-visit', row });
    }
    this.#pump();
    return ok(undefined);
  }

  async add(row: OutboxRow): Promise<Result<void>> {
    const stored = await this.#options.store.addOutboxRow(row);
    if (!stored.ok) {
      this.#options.log.event('store.failed', {});
      return stored;
    }
    this.#hold(row);
    this.#options.log.event('outbox.stored', { request: row.requestId, waiting: this.waiting });
    this.#pump();
    return ok(undefined);
  }

  setConnected(isConnected: boolean): void {
    this.#connected = isConnected;
    // A new connection is a new chance: nobody waits for a pause that the old one earned.
    const nowMs = this.#options.clock.now().monotonicMs;
    for (const entry of this.#entries.values()) {
      entry.attempts = 0;
      entry.nextSendMonotonicMs = nowMs;
    }
    this.#pump();
  }

  timeKnown(): void {
    const nowMs = this.#options.clock.now().monotonicMs;
    for (const entry of this.#entries.values())
      if (entry.told === null) entry.expiresAtMonotonicMs = nowMs + this.#lifeLeftMs(entry.row, entry.isEarlier);
    this.#pump();
  }

  hurry(): void {
    const nowMs = this.#options.clock.now().monotonicMs;
    for (const entry of this.#entries.values()) {
      // Another agent's sign of life is none of the one that has to answer for who has left.
      if (entry.told !== null) continue;
      entry.nextSendMonotonicMs = Math.min(
        entry.nextSendMonotonicMs,
        Math.max(nowMs, entry.lastSendMonotonicMs + outboxDelays.hurryMs),
      );
    }
    this.#pump();
  }

  async receive(receipt: Receipt): Promise<Result<void>> {
    const entry = this.#entries.get(receipt.requestId);
    if (entry === undefined || entry.leaving) return ok(undefined);
    if (receipt.documentHash !== entry.row.documentHash)
      return err(failure('message.forged', 'receipt of another document under this id'));
    const { requestId, session } = entry.row;
    const { verdict, code } = receipt;
    const now = this.#options.clock.now();
    this.#entries.delete(requestId);
    // What was told has been told: its patient is gone, and staff hear of it as late.
    if (entry.told !== null) {
      await this.#remove(entry.told);
      return ok(undefined);
    }
    this.#options.log.event('outbox.receipted', {
      request: requestId,
      verdict,
      ms: now.monotonicMs - entry.storedAtMonotonicMs,
    });
    // Told before the row is off the disk: should we die in between, it is sent again and answered the same.
    this.#options.tell({ type: 'receipt', receipt, session, row: entry.row });
    const written: AuditEntry = {
      atMs: now.wallMs,
      event: verdict === 'accepted' ? 'receipt-accepted' : 'receipt-refused',
      subject: requestId,
      ...(code === undefined ? {} : { code }),
    };
    const { row, isEarlier, released } = entry;
    // Nobody waits for it any more, and staff are told so. Until an agent is heard it is told in words that have none for that.
    const isLeft = released || (isEarlier && row.visitMark === null);
    if (verdict === 'accepted' && isLeft) this.#keepLeft(row, written);
    // Who waits for the answer has not had it yet.
    else if (verdict === 'accepted' && row.visitMark !== null) this.#settled.set(requestId, { written, row });
    else await this.#remove(written);
    return ok(undefined);
  }

  release(requestId: string): void {
    const settled = this.#settled.get(requestId);
    this.#settled.delete(requestId);
    const entry = this.#entries.get(requestId);
    if (settled !== undefined) void this.#remove(settled.written);
    else if (entry !== undefined) entry.released = true;
  }

  leave(requestId: string): void {
    const settled = this.#settled.get(requestId);
    if (settled === undefined) return;
    this.#settled.delete(requestId);
    this.#keepLeft(settled.row, settled.written);
  }

  #keepLeft(row: OutboxRow, written: AuditEntry): void {
    this.#keep(this.#hold(row, true), written);
    this.#pump();
  }

  cancel(requestId: string): void {
    this.#entries.delete(requestId);
    this.#cancelled.add(requestId);
    void this.#remove({ atMs: this.#options.clock.now().wallMs, event: 'request-cancelled', subject: requestId });
  }

  close(): void {
    this.#closed = true;
    this.#callOff?.();
  }

  /**
   * No clock of ours ends a request: it ends by the agent's. Before that is known (after a restart) a request is kept for
   * the whole of its life from now on: at least as long as is right, and the agent refuses what comes too late.
   */
  #lifeLeftMs({ createdAtMs, expiresAtMs, visitMark }: OutboxRow, isEarlier: boolean): number {
    const leftMs = Math.max(0, expiresAtMs - (this.#options.agentNowMs() ?? createdAtMs));
    // The agent may have taken it before the restart: it is asked, and knows.
    return isEarlier && visitMark !== null ? Math.max(leftMs, outboxDelays.askOnceMs) : leftMs;
  }

  #hold(row: OutboxRow, isEarlier = false): Entry {
    const known = this.#entries.get(row.requestId);
    if (known !== undefined) return known;
    const now = this.#options.clock.now();
    const entry: Entry = {
      row,
      isEarlier,
      storedAtMonotonicMs: now.monotonicMs,
      expiresAtMonotonicMs: now.monotonicMs + this.#lifeLeftMs(row, isEarlier),
      nextSendMonotonicMs: now.monotonicMs,
      lastSendMonotonicMs: Number.NEGATIVE_INFINITY,
      attempts: 0,
      sending: false,
      leaving: false,
      told: null,
      wasSent: isEarlier && row.visitMark !== null,
      released: false,
    };
    this.#entries.set(row.requestId, entry);
    return entry;
  }

  async #transmit(entry: Entry): Promise<void> {
    entry.sending = true;
    entry.wasSent = true;
    this.#inFlight++;
    entry.attempts++;
    const { firstResendMs, lastResendMs, askLeftMs } = outboxDelays;
    const pauseMs = entry.told === null ? Math.min(firstResendMs * 2 ** (entry.attempts - 1), lastResendMs) : askLeftMs;
    entry.lastSendMonotonicMs = this.#options.clock.now().monotonicMs;
    entry.nextSendMonotonicMs = entry.lastSendMonotonicMs + pauseMs;
    const sent = await this.#options.send(entry.row, entry.told !== null);
    entry.sending = false;
    this.#inFlight--;
    if (sent.ok) this.#options.log.event('outbox.published', { request: entry.row.requestId, attempt: entry.attempts });
    this.#pump();
  }

  /** Tried until the disk takes it: a row that stays would be sent at the next start. */
  async #remove(entry: AuditEntry): Promise<void> {
    const removed = await this.#options.store.removeOutboxRow(entry.subject, entry);
    if (this.#closed) return;
    if (removed.ok) {
      this.#cancelled.delete(entry.subject);
      return this.#pump();
    }
    this.#options.log.event('store.failed', { code: removed.failure.code });
    this.#options.clock.wakeAt(this.#options.clock.now().monotonicMs + removeAgainMs, () => void this.#remove(entry));
  }

  /** Until the clinic answers, or for so long; nobody is told anything more of it. */
  #keep(entry: Entry, told: AuditEntry, forMs = outboxDelays.keepLeftMs): void {
    entry.told = told;
    entry.expiresAtMonotonicMs = this.#options.clock.now().monotonicMs + forMs;
  }

  /**
   * The agent may have taken what was sent, and its receipt be lost. Then staff must hear that the patient has left, also from a
   * terminal that dies before it reaches them: the row stays, and is asked about once more when somebody can be reached.
   */
  #endUnheard(entry: Entry): void {
    const { requestId, session, expiresAtMs } = entry.row;
    const atMs = this.#options.clock.now().wallMs;
    const overSinceMs = entry.isEarlier ? Math.max(0, (this.#options.agentNowMs() ?? expiresAtMs) - expiresAtMs) : 0;
    this.#keep(entry, { atMs, event: 'request-expired', subject: requestId }, outboxDelays.keepLeftMs - overSinceMs);
    this.#options.log.event('outbox.expired', { request: requestId });
    this.#options.tell({ type: 'request-expired', requestId, session });
  }

  async #expire(entry: Entry): Promise<void> {
    entry.leaving = true;
    const { requestId, session } = entry.row;
    const atMs = this.#options.clock.now().wallMs;
    const written = entry.told ?? { atMs, event: 'request-expired' as const, subject: requestId };
    const removed = await this.#options.store.removeOutboxRow(requestId, written);
    if (this.#closed) return;
    // The patient must hear of it even while the disk refuses; the row itself is void and goes at the next start.
    this.#entries.delete(requestId);
    if (!removed.ok) this.#options.log.event('store.failed', {});
    if (entry.told === null) {
      this.#options.log.event('outbox.expired', { request: requestId });
      this.#options.tell({ type: 'request-expired', requestId, session });
    }
    this.#pump();
  }

  #pump(): void {
    if (this.#closed) return;
    this.#callOff?.();
    this.#callOff = null;
    const nowMs = this.#options.clock.now().monotonicMs;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values()) {
      if (entry.leaving) continue;
      if (entry.expiresAtMonotonicMs <= nowMs) {
        if (!entry.wasSent || entry.told !== null) {
          void this.#expire(entry);
          continue;
        }
        this.#endUnheard(entry);
      }
      nextMs = Math.min(nextMs, entry.expiresAtMonotonicMs);
      // What an earlier run left is not sent before it is known whether it has ended: the same agent answers both.
      if (!this.#connected || entry.sending || (entry.isEarlier && this.#options.agentNowMs() === null)) continue;
      if (entry.nextSendMonotonicMs > nowMs) nextMs = Math.min(nextMs, entry.nextSendMonotonicMs);
      else if (this.#inFlight < mostInFlight) void this.#transmit(entry);
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.#callOff = this.#options.clock.wakeAt(nextMs, () => this.#pump());
  }
}

export const createOutbox = (options: OutboxOptions): Outbox => new DurableOutbox(options);
