import { delays } from '../../core/visit/delays.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ResultMessage } from '../../wire/messages.ts';

type AwaitedResult = {
  readonly requestId: string;
  readonly sealed: Uint8Array;
  /** By the agent's clock */
  readonly expiresAtMs: number;
};

type ResultWatchOptions = {
  readonly clock: Clock;
  readonly agentNowMs: () => number | null;
  readonly log: EventLog;
  /** Sends the same request again: the agent answers it with the same receipt and, once known, the result. */
  readonly ask: (awaited: AwaitedResult) => void;
  readonly tell: (result: ResultMessage) => void;
};

/** A result on its way may be lost with a connection; asking again costs one message. The slow service needs 3-7 s. */
const askAgainMs = 5_000;

type Entry = { readonly awaited: AwaitedResult; readonly sinceMs: number; readonly endsAtMs: number; nextMs: number };

/** Receipts are in, results are not: memory only. Each result is told once, and never before its receipt. */
export const createResultWatch = ({ clock, agentNowMs, log, ask, tell }: ResultWatchOptions) => {
  const entries = new Map<string, Entry>();
  const early = new Map<string, ResultMessage>();
  let connected = false;
  let callOff: (() => void) | null = null;

  function watch(): void {
    callOff?.();
    callOff = null;
    const nowMs = clock.now().monotonicMs;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [requestId, entry] of entries) {
      if (entry.endsAtMs <= nowMs) {
        entries.delete(requestId);
        continue;
      }
      if (connected && entry.nextMs <= nowMs) {
        entry.nextMs = nowMs + askAgainMs;
        ask(entry.awaited);
      }
      nextMs = Math.min(nextMs, connected ? entry.nextMs : entry.endsAtMs);
    }
    if (nextMs !== Number.POSITIVE_INFINITY) callOff = clock.wakeAt(nextMs, watch);
  }

  const pass = (result: ResultMessage, sinceMs: number): void => {
    const outcome = result.outcome === 'failed' ? 'failed' : 'ok';
    log.event('result.received', { request: result.requestId, outcome, ms: clock.now().monotonicMs - sinceMs });
    tell(result);
  };

  return {
    /** The receipt has been told. */
    await: (awaited: AwaitedResult): void => {
      const now = clock.now();
      const result = early.get(awaited.requestId);
      early.delete(awaited.requestId);
      if (result !== undefined) return pass(result, now.monotonicMs);
      const leftMs = awaited.expiresAtMs - (agentNowMs() ?? now.wallMs);
      // Accepted is accepted: its patient waits from now on, also where the receipt came at the request's very end or after it.
      const endsAtMs = now.monotonicMs + Math.max(leftMs, delays.resultMs);
      const nextMs = now.monotonicMs + askAgainMs;
      entries.set(awaited.requestId, { awaited, sinceMs: now.monotonicMs, endsAtMs, nextMs });
      watch();
    },
    forget: (requestId: string): void => {
      early.delete(requestId);
      entries.delete(requestId);
    },
    /** `receiptOutstanding`: its row is still in the outbox, so the result waits for the receipt. */
    receive: (result: ResultMessage, receiptOutstanding: boolean): void => {
      const entry = entries.get(result.requestId);
      if (entry !== undefined) {
        entries.delete(result.requestId);
        pass(result, entry.sinceMs);
      } else if (receiptOutstanding) early.set(result.requestId, result);
    },
    setConnected: (isConnected: boolean): void => {
      connected = isConnected;
      const nowMs = clock.now().monotonicMs;
      // Without one it only waits: at once with the next.
      for (const entry of entries.values()) entry.nextMs = nowMs;
      watch();
    },
    close: (): void => callOff?.(),
  };
};
export type ResultWatch = ReturnType<typeof createResultWatch>;
