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
  if (event.type === 'receipt') return event.receipt.requestId;
  if (event.type === 'result') return event.result.requestId;
  return event.type === 'request-expired' ? event.requestId : undefined;
};

/** The agent's clock as it was told: how far ahead of our monotonic one */
type AgentTime = { readonly aheadMs: number; readonly doubted: boolean };

/** Tells what happens on the way to the clinic; whoever comes later is told at once how things stand. */
export class ClinicNews {
  readonly #clock: Clock;
  readonly #log: EventLog;
  readonly #listeners = new Set<(event: ClinicEvent) => void>();
  #connected = false;
  #cause: Failure = failure('delivery.offline', 'not connected yet');
  #changedAtMs: number;
  #storeTrouble: Failure | null = null;
  #ready = false;
  /** Found before anybody listened, perhaps */
  readonly #earlier: Extract<ClinicEvent, { type: 'earlier-visit' }>[] = [];
  /** What came of those meanwhile: an agent answers sooner than a terminal that starts has somebody to listen */
  readonly #earlierAnswers: ClinicEvent[] = [];
  #agentTrouble: Failure | null = null;
  #settings: SettingsMessage | null = null;
  #time: AgentTime | null = null;
  #closed = false;

  constructor(clock: Clock, log: EventLog) {
    this.#clock = clock;
    this.#log = log;
    this.#changedAtMs = this.#clock.now().monotonicMs;
  }

  tell(event: ClinicEvent): void {
    const answered = answeredRequest(event);
    if (this.#earlier.some(({ requestId }) => requestId === answered)) this.#earlierAnswers.push(event);
    if (!this.#closed) for (const listener of [...this.#listeners]) listener(event);
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Why not, while it is not */
  get cause(): Failure {
    return this.#cause;
  }

  setConnection(isConnected: boolean, why: Failure | undefined): void {
    const nowMs = this.#clock.now().monotonicMs;
    if (isConnected && !this.#connected) this.#log.event('bus.connected', { ms: nowMs - this.#changedAtMs });
    if (!isConnected && this.#connected) this.#log.event('bus.disconnected', {});
    if (isConnected !== this.#connected) this.#changedAtMs = nowMs;
    const changed = isConnected !== this.#connected || (why !== undefined && why.code !== this.#cause.code);
    this.#connected = isConnected;
    this.#cause = why ?? this.#cause;
    if (changed) this.tell(this.#connection());
  }

  setStore(trouble: Failure | null): void {
    if (trouble?.code === this.#storeTrouble?.code) return;
    this.#storeTrouble = trouble;
    this.tell({ type: 'store', failure: trouble });
    this.tell(this.#connection());
  }

  setAgent(trouble: Failure | null): void {
    this.#agentTrouble = trouble;
    if (trouble !== null) this.#log.event('part.lost', { part: 'agent', code: trouble.code });
    else this.#log.event('part.found', { part: 'agent' });
    this.tell({ type: 'agent', trouble });
  }

  foundEarlier(found: Extract<ClinicEvent, { type: 'earlier-visit' }>): void {
    this.#earlier.push(found);
    this.tell(found);
  }

  setReady(isReady: boolean): void {
    const changed = isReady !== this.#ready;
    this.#ready = isReady;
    if (changed) this.tell({ type: 'challenges-ready', ready: this.#ready });
  }

  /** The agent's time as it is now */
  setTime(wallMs: number, doubted: boolean): void {
    this.#time = { aheadMs: wallMs - this.#clock.now().monotonicMs, doubted };
    this.tell(this.#timeNow(this.#time));
  }

  setSettings(message: SettingsMessage): void {
    this.#settings = message;
    this.tell({ type: 'settings', message });
  }

  subscribe(listener: (event: ClinicEvent) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#connection());
    if (this.#storeTrouble !== null) listener({ type: 'store', failure: this.#storeTrouble });
    listener({ type: 'challenges-ready', ready: this.#ready });
    if (this.#agentTrouble !== null) listener({ type: 'agent', trouble: this.#agentTrouble });
    if (this.#time !== null) listener(this.#timeNow(this.#time));
    for (const event of [...this.#earlier, ...this.#earlierAnswers]) listener(event);
    if (this.#settings !== null) listener({ type: 'settings', message: this.#settings });
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#closed = true;
  }

  /** What cannot be kept cannot be sent: as long as the store does not open, the way to the clinic counts as closed. */
  #connection(): ClinicEvent {
    return this.#storeTrouble === null && this.#connected
      ? { type: 'connected' }
      : { type: 'disconnected', failure: this.#storeTrouble ?? this.#cause };
  }

  #timeNow({ aheadMs, doubted }: AgentTime): ClinicEvent {
    return {
      type: 'time',
      wallMs: this.#clock.now().monotonicMs + aheadMs,
      doubted,
    };
  }
}
