import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OutboxRow, Store } from '../../ports/store.ts';
import type { Receipt } from '../../wire/messages.ts';

/**
 * Requests on their way. A row is on the disk before the first publish and leaves it on one of two events only: the
 * agent's receipt, or its expiry. A PUBACK counts for nothing (a broker killed after 6,000 PUBACKs had lost 6,000).
 */
export type OutboxDelays = {
  /**
   * Pause before the second send, doubled up to the last. The agent answers in about 10 ms when all is well; when it was
   * away and nobody tells, the last pause is what the patient waits on top: 2 s at most.
   */
  readonly firstResendMs: number;
  readonly lastResendMs: number;
  /** A sign of life from the agent sends again at once, unless the last send is more recent than this */
  readonly hurryMs: number;
};
const outboxDelays: OutboxDelays = { firstResendMs: 500, lastResendMs: 1_500, hurryMs: 300 };

export type OutboxEvent =
  | { readonly type: 'receipt'; readonly receipt: Receipt; readonly session: string; readonly row: OutboxRow }
  | { readonly type: 'request-expired'; readonly requestId: string; readonly session: string };

type OutboxOptions = {
  readonly store: Store;
  readonly clock: Clock;
  /** The agent's clock, by which requests end; null until it has been heard in this run */
  readonly agentNowMs?: () => number | null;
  readonly log: EventLog;
  /** One publish; ok after the PUBACK. Must answer in bounded time. */
  readonly send: (row: OutboxRow) => Promise<Result<void>>;
  readonly tell: (event: OutboxEvent) => void;
  readonly delays?: Partial<OutboxDelays>;
  /** Publishes at a time */
  readonly maximumInFlight?: number;
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
  readonly waiting: number;
  /** Neither receipt nor expiry has been told yet. */
  holds(requestId: string): boolean;
  close(): void;
}

export const createOutbox = (options: OutboxOptions): Outbox => {
  const { store, clock, log, send, tell, maximumInFlight = 8 } = options;
  const delays = { ...outboxDelays, ...options.delays };
  const entries = new Map<string, Entry>();
  let connected = false;
  let closed = false;
  let inFlight = 0;
  let callOff: (() => void) | null = null;

  /**
   * No clock of ours ends a request: it ends by the agent's. Before that is known (after a restart) a request is kept for
   * the whole of its life from now on: at least as long as is right, and the agent refuses what comes too late.
   */
  const lifeLeftMs = ({ createdAtMs, expiresAtMs }: OutboxRow): number =>
    Math.max(0, expiresAtMs - (options.agentNowMs?.() ?? createdAtMs));

  const hold = (row: OutboxRow, isEarlier = false): void => {
    if (entries.has(row.requestId)) return;
    const now = clock.now();
    entries.set(row.requestId, {
      row,
      isEarlier,
      storedAtMonotonicMs: now.monotonicMs,
      expiresAtMonotonicMs: now.monotonicMs + lifeLeftMs(row),
      nextSendMonotonicMs: now.monotonicMs,
      lastSendMonotonicMs: Number.NEGATIVE_INFINITY,
      attempts: 0,
      sending: false,
      leaving: false,
    });
  };

  const transmit = async (entry: Entry): Promise<void> => {
    entry.sending = true;
    inFlight++;
    entry.attempts++;
    const pauseMs = Math.min(delays.firstResendMs * 2 ** (entry.attempts - 1), delays.lastResendMs);
    entry.lastSendMonotonicMs = clock.now().monotonicMs;
    entry.nextSendMonotonicMs = entry.lastSendMonotonicMs + pauseMs;
    const sent = await send(entry.row);
    entry.sending = false;
    inFlight--;
    if (sent.ok) log.event('outbox.published', { request: entry.row.requestId, attempt: entry.attempts });
    pump();
  };

  const expire = async (entry: Entry): Promise<void> => {
    entry.leaving = true;
    const { requestId, session } = entry.row;
    const atMs = clock.now().wallMs;
    const removed = await store.removeOutboxRow(requestId, { atMs, event: 'request-expired', subject: requestId });
    if (closed) return;
    // The patient must hear of it even while the disk refuses; the row itself is void and goes at the next start.
    entries.delete(requestId);
    if (!removed.ok) log.event('store.failed', {});
    log.event('outbox.expired', { request: requestId });
    tell({ type: 'request-expired', requestId, session });
    pump();
  };

  function pump(): void {
    if (closed) return;
    callOff?.();
    callOff = null;
    const nowMs = clock.now().monotonicMs;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const entry of entries.values()) {
      if (entry.leaving) continue;
      if (entry.expiresAtMonotonicMs <= nowMs) {
        void expire(entry);
        continue;
      }
      nextMs = Math.min(nextMs, entry.expiresAtMonotonicMs);
      // What an earlier run left is not sent before it is known whether it has ended: the same agent answers both.
      if (!connected || entry.sending || (entry.isEarlier && options.agentNowMs?.() === null)) continue;
      if (entry.nextSendMonotonicMs > nowMs) nextMs = Math.min(nextMs, entry.nextSendMonotonicMs);
      else if (inFlight < maximumInFlight) void transmit(entry);
    }
    if (nextMs !== Number.POSITIVE_INFINITY) callOff = clock.wakeAt(nextMs, pump);
  }

  return {
    get waiting() {
      return entries.size;
    },
    holds: (requestId) => entries.has(requestId),
    load: async () => {
      const rows = await store.outboxRows();
      if (!rows.ok) return rows;
      for (const row of rows.value) hold(row, true);
      pump();
      return ok(undefined);
    },
    add: async (row) => {
      const stored = await store.addOutboxRow(row);
      if (!stored.ok) {
        log.event('store.failed', {});
        return stored;
      }
      hold(row);
      log.event('outbox.stored', { request: row.requestId, waiting: entries.size });
      pump();
      return ok(undefined);
    },
    setConnected: (isConnected) => {
      connected = isConnected;
      if (isConnected) {
        // A new connection is a new chance: nobody waits for a pause that the old one earned.
        const nowMs = clock.now().monotonicMs;
        for (const entry of entries.values()) {
          entry.attempts = 0;
          entry.nextSendMonotonicMs = nowMs;
        }
      }
      pump();
    },
    timeKnown: () => {
      const nowMs = clock.now().monotonicMs;
      for (const entry of entries.values()) entry.expiresAtMonotonicMs = nowMs + lifeLeftMs(entry.row);
      pump();
    },
    hurry: () => {
      const nowMs = clock.now().monotonicMs;
      for (const entry of entries.values())
        entry.nextSendMonotonicMs = Math.min(
          entry.nextSendMonotonicMs,
          Math.max(nowMs, entry.lastSendMonotonicMs + delays.hurryMs),
        );
      pump();
    },
    receive: async (receipt) => {
      const entry = entries.get(receipt.requestId);
      if (entry === undefined || entry.leaving) return ok(undefined);
      if (receipt.documentHash !== entry.row.documentHash)
        return err(failure('message.forged', 'receipt of another document under this id'));
      const { requestId, session } = entry.row;
      const { verdict, code } = receipt;
      const now = clock.now();
      entries.delete(requestId);
      log.event('outbox.receipted', { request: requestId, verdict, ms: now.monotonicMs - entry.storedAtMonotonicMs });
      // Told before the row is off the disk: should we die in between, it is sent again and answered the same.
      tell({ type: 'receipt', receipt, session, row: entry.row });
      const removed = await store.removeOutboxRow(requestId, {
        atMs: now.wallMs,
        event: verdict === 'accepted' ? 'receipt-accepted' : 'receipt-refused',
        subject: requestId,
        ...(code === undefined ? {} : { code }),
      });
      if (closed) return ok(undefined);
      if (!removed.ok) log.event('store.failed', {});
      pump();
      return ok(undefined);
    },
    close: () => {
      closed = true;
      callOff?.();
    },
  };
};
