import { type Failure, failure } from '../../core/failure.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CommandMessage, Receipt, ResultMessage, SettingsMessage } from '../../wire/messages.ts';

export type ClinicEvent =
  | { readonly type: 'connected' }
  /**
   * Again when the cause changes: `delivery.offline`, `delivery.link-lost`, `delivery.broker-untrusted`,
   * `delivery.access-refused`, `storage.…`
   */
  | { readonly type: 'disconnected'; readonly failure: Failure }
  | { readonly type: 'challenges-ready'; readonly ready: boolean }
  /** `agent.…`: nobody answers, or what is sent could not be kept; `files.…`: not handed on. null = all is well there */
  | { readonly type: 'agent'; readonly trouble: Failure | null }
  /** Why the store cannot be opened; null = it is open (again) */
  | { readonly type: 'store'; readonly failure: Failure | null }
  /** The agent's signed time, as it is now by our steady clock. `doubted`: it does not trust its own clock. */
  | { readonly type: 'time'; readonly wallMs: number; readonly doubted: boolean }
  | { readonly type: 'receipt'; readonly receipt: Receipt; readonly session: string }
  /** Never before the receipt, and once */
  | { readonly type: 'result'; readonly result: ResultMessage }
  /** Signed in an earlier run, its patient perhaps still there: `mark` is the card's (`visitMark`), '' = unknown */
  | { readonly type: 'earlier-visit'; readonly requestId: string; readonly session: string; readonly mark: string }
  | { readonly type: 'request-expired'; readonly requestId: string; readonly session: string }
  | { readonly type: 'settings'; readonly message: SettingsMessage }
  | { readonly type: 'command'; readonly message: CommandMessage };

/** Of which request an event tells what came of it. */
const answeredRequest = (event: ClinicEvent): string | undefined => {
  switch (event.type) {
    case 'receipt':
      return event.receipt.requestId;
    case 'result':
      return event.result.requestId;
    case 'request-expired':
      return event.requestId;
    default:
      return undefined;
  }
};

/** Tells what happens on the way to the clinic; whoever comes later is told at once how things stand. */
export const createClinicNews = (clock: Clock, log: EventLog) => {
  const listeners = new Set<(event: ClinicEvent) => void>();
  let connected = false;
  let cause: Failure = failure('delivery.offline', 'not connected yet');
  let changedAtMs = clock.now().monotonicMs;
  let storeTrouble: Failure | null = null;
  let ready = false;
  /** Found before anybody listened, perhaps */
  const earlier: Extract<ClinicEvent, { type: 'earlier-visit' }>[] = [];
  /** What came of those meanwhile: an agent answers sooner than a terminal that starts has somebody to listen */
  const earlierAnswers: ClinicEvent[] = [];
  let agentTrouble: Failure | null = null;
  let settings: SettingsMessage | null = null;
  let time: { readonly aheadMs: number; readonly doubted: boolean } | null = null;
  let closed = false;

  const tell = (event: ClinicEvent): void => {
    const answered = answeredRequest(event);
    if (earlier.some(({ requestId }) => requestId === answered)) earlierAnswers.push(event);
    if (!closed) for (const listener of [...listeners]) listener(event);
  };
  /** What cannot be kept cannot be sent: as long as the store does not open, the way to the clinic counts as closed. */
  const connection = (): ClinicEvent =>
    storeTrouble === null && connected
      ? { type: 'connected' }
      : { type: 'disconnected', failure: storeTrouble ?? cause };

  const timeNow = ({ aheadMs, doubted }: NonNullable<typeof time>): ClinicEvent => ({
    type: 'time',
    wallMs: clock.now().monotonicMs + aheadMs,
    doubted,
  });

  return {
    tell,
    get connected(): boolean {
      return connected;
    },
    /** Why not, while it is not */
    get cause(): Failure {
      return cause;
    },
    setConnection: (isConnected: boolean, why: Failure | undefined): void => {
      const nowMs = clock.now().monotonicMs;
      if (isConnected && !connected) log.event('bus.connected', { ms: nowMs - changedAtMs });
      if (!isConnected && connected) log.event('bus.disconnected', {});
      if (isConnected !== connected) changedAtMs = nowMs;
      const changed = isConnected !== connected || (why !== undefined && why.code !== cause.code);
      connected = isConnected;
      cause = why ?? cause;
      if (changed) tell(connection());
    },
    setStore: (trouble: Failure | null): void => {
      if (trouble?.code === storeTrouble?.code) return;
      storeTrouble = trouble;
      tell({ type: 'store', failure: trouble });
      tell(connection());
    },
    setAgent: (trouble: Failure | null): void => {
      agentTrouble = trouble;
      if (trouble !== null) log.event('part.lost', { part: 'agent', code: trouble.code });
      else log.event('part.found', { part: 'agent' });
      tell({ type: 'agent', trouble });
    },
    foundEarlier: (found: Extract<ClinicEvent, { type: 'earlier-visit' }>): void => {
      earlier.push(found);
      tell(found);
    },
    setReady: (isReady: boolean): void => {
      const changed = isReady !== ready;
      ready = isReady;
      if (changed) tell({ type: 'challenges-ready', ready });
    },
    /** The agent's time as it is now */
    setTime: (wallMs: number, doubted: boolean): void => {
      time = { aheadMs: wallMs - clock.now().monotonicMs, doubted };
      tell(timeNow(time));
    },
    setSettings: (message: SettingsMessage): void => {
      settings = message;
      tell({ type: 'settings', message });
    },
    subscribe: (listener: (event: ClinicEvent) => void): (() => void) => {
      listeners.add(listener);
      listener(connection());
      if (storeTrouble !== null) listener({ type: 'store', failure: storeTrouble });
      listener({ type: 'challenges-ready', ready });
      if (agentTrouble !== null) listener({ type: 'agent', trouble: agentTrouble });
      if (time !== null) listener(timeNow(time));
      for (const event of [...earlier, ...earlierAnswers]) listener(event);
      if (settings !== null) listener({ type: 'settings', message: settings });
      return () => listeners.delete(listener);
    },
    close: (): void => {
      closed = true;
    },
  };
};
export type ClinicNews = ReturnType<typeof createClinicNews>;
