import type { WarningDays } from '../../src/core/certificate-life.ts';
import { type Failure, failure } from '../../src/core/failure.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import type { Delivery, MessageBus } from '../../src/ports/message-bus.ts';
import type { OutboxRow, Store } from '../../src/ports/store.ts';
import { connectFrames, type Peer, type SocketDelays } from '../host/framed-socket.ts';
import {
  type FromLink,
  failureOf,
  fromLinkSchema,
  linkProtocol,
  type StoreCall,
  type ToLink,
} from './link-messages.ts';

type LinkClientOptions = {
  readonly path: string;
  readonly log: EventLog;
  readonly delays?: Partial<SocketDelays & { readonly answerMs: number; readonly returnMs: number }>;
};

/** Bus and store of the terminal, both in the link process. */
type LinkClient = {
  readonly bus: MessageBus;
  readonly store: Store;
  /** The agent's time as it is now, ms since 1970 UTC: forgotten when the link is away, told again with the next challenge */
  tellTime(wallMs: number): void;
  /** When the device's certificate ends (ms since 1970 UTC), and the warning that holds in days; told at each change */
  subscribeCertificate(listener: (end: { readonly endsMs: number; readonly days: WarningDays | null }) => void): void;
  close(): void;
};

/**
 * How long a call on the store waits, ms. The link bounds each write itself and answers earlier when it lives. A link
 * that restarts is waited for: a visit signs within 10 s (`delays.signing`), of which the card needs one.
 */
const answerMs = 8_000;

const linkLost = (detail: string): Failure => failure('delivery.link-lost', detail);

type Answer = {
  readonly value: number | boolean | null;
  readonly parts: readonly Uint8Array[];
  readonly rows: OutboxRow[];
};
type Call = {
  readonly message: ToLink;
  readonly parts: readonly Uint8Array[];
  /** May be said again to a link that has lost the answer: it changes nothing the second time. */
  readonly repeatable: boolean;
  readonly rows: OutboxRow[];
  readonly settle: (result: Result<Answer>) => void;
};

const nothing = (): void => undefined;

class LinkConnection implements LinkClient {
  readonly #delays: NonNullable<LinkClientOptions['delays']>;
  readonly #listeners = new Map<string, Set<(delivery: Delivery) => void>>();
  readonly #connectionListeners = new Set<(connected: boolean, cause?: Failure) => void>();
  readonly #calls = new Map<number, Call>();
  #certificateListener: Parameters<LinkClient['subscribeCertificate']>[0] = () => {};
  #lastId = 0;
  #peer: Peer | null = null;
  #connected = false;
  #cause = linkLost('not connected yet');
  #closed = false;
  readonly #client: ReturnType<typeof connectFrames>;

  constructor({ path, log, delays = {} }: LinkClientOptions) {
    this.#delays = delays;
    this.#client = connectFrames(path, {
      protocol: linkProtocol,
      understands: fromLinkSchema,
      opened: (opened) => {
        this.#peer = opened;
        log.event('peer.connected', { peer: 'link' });
        for (const filter of this.#listeners.keys()) opened.send({ type: 'subscribe', filter });
        for (const { message, parts, rows } of this.#calls.values()) {
          rows.length = 0;
          opened.send(message, parts);
        }
        return {
          received: (message, parts) => this.#receive(message, parts),
          ended: (reason) => {
            this.#peer = null;
            if (!this.#closed) log.event('peer.lost', { peer: 'link', reason });
            for (const { repeatable, settle } of [...this.#calls.values()])
              if (!repeatable) settle(err(linkLost('ended before its answer')));
            this.#tellConnection(false, linkLost(reason));
          },
        };
      },
      delays,
    });
  }

  readonly bus: LinkClient['bus'] = {
    publish: async (topic, payload, { retain, expirySeconds, responseTopic, correlation } = {}) => {
      if (this.#peer === null || !this.#connected) return err(this.#cause);
      const message = (id: number): ToLink => ({
        type: 'publish',
        id,
        topic,
        ...(retain === undefined ? {} : { retain }),
        ...(expirySeconds === undefined ? {} : { expirySeconds }),
        ...(responseTopic === undefined ? {} : { responseTopic }),
      });
      const published = await this.#ask(message, correlation === undefined ? [payload] : [payload, correlation], false);
      return published.ok ? ok(undefined) : published;
    },
    subscribe: (filter, listener) => {
      const known = this.#listeners.get(filter);
      const mine = known ?? new Set();
      this.#listeners.set(filter, mine.add(listener));
      if (known === undefined) this.#peer?.send({ type: 'subscribe', filter });
      return () => {
        if (!mine.delete(listener) || mine.size > 0) return;
        this.#listeners.delete(filter);
        this.#peer?.send({ type: 'unsubscribe', filter });
      };
    },
    subscribeConnection: (listener) => {
      this.#connectionListeners.add(listener);
      if (this.#connected) listener(true);
      else listener(false, this.#cause);
      return () => this.#connectionListeners.delete(listener);
    },
    close: async () => {},
  };

  readonly store: LinkClient['store'] = {
    addOutboxRow: ({ sealed, ...row }) => this.#askStore({ method: 'addOutboxRow', row }, nothing, [sealed]),
    outboxRows: () => this.#askStore({ method: 'outboxRows' }, ({ rows }) => rows),
    removeOutboxRow: (requestId, entry) =>
      this.#askStore({ method: 'removeOutboxRow', requestId, entry: { ...entry } }, ({ value }) => value === true),
    raiseSettings: (version, document, atMs) =>
      this.#askStore({ method: 'raiseSettings', version, atMs }, ({ value }) => value === true, [document]),
    readSettings: () =>
      this.#askStore({ method: 'readSettings' }, ({ value, parts: [document] }) =>
        typeof value === 'number' && document !== undefined ? { version: value, document } : null,
      ),
    lastAccepted: () =>
      this.#askStore({ method: 'lastAccepted' }, ({ value, parts: [id] }) =>
        typeof value === 'number' && id !== undefined ? { requestId: Buffer.from(id).toString(), at: value } : null,
      ),
    // Said twice it would answer "seen", which is not true: a lost answer is a failure.
    rememberNonce: (nonce, expiresAtMs, nowMs) =>
      this.#askStore({ method: 'rememberNonce', nonce, expiresAtMs, nowMs }, ({ value }) => value === true, [], false),
    firstBrokenAuditEntry: () =>
      this.#askStore({ method: 'firstBrokenAuditEntry' }, ({ value }) => (typeof value === 'number' ? value : null)),
    close: async () => {},
  };

  subscribeCertificate(listener: (end: { readonly endsMs: number; readonly days: WarningDays | null }) => void): void {
    this.#certificateListener = listener;
  }

  tellTime(wallMs: number): void {
    this.#peer?.send({ type: 'time', wallMs });
  }

  close(): void {
    this.#closed = true;
    this.#client.close();
    for (const { settle } of [...this.#calls.values()]) settle(err(linkLost('closed')));
  }

  #tellConnection(isConnected: boolean, why: Failure): void {
    this.#connected = isConnected;
    this.#cause = why;
    for (const listener of [...this.#connectionListeners]) {
      if (isConnected) listener(true);
      else listener(false, why);
    }
  }

  #receive(message: FromLink, parts: readonly Uint8Array[]): void {
    const [bytes = new Uint8Array()] = parts;
    switch (message.type) {
      case 'certificate':
        return this.#certificateListener({ endsMs: message.endsMs, days: message.days });
      case 'connection':
        return this.#tellConnection(
          message.connected,
          message.cause === undefined ? this.#cause : failureOf(message.cause),
        );
      case 'delivered': {
        const { filter, topic, retained } = message;
        for (const listener of [...(this.#listeners.get(filter) ?? [])]) listener({ topic, payload: bytes, retained });
        return;
      }
      case 'row':
        return void this.#calls.get(message.id)?.rows.push({ ...message.row, sealed: bytes });
      case 'answer': {
        const call = this.#calls.get(message.id);
        return call?.settle(ok({ value: message.value ?? null, parts, rows: call.rows }));
      }
      case 'failed':
        return this.#calls.get(message.id)?.settle(err(failureOf(message.failure)));
    }
  }

  #ask(message: (id: number) => ToLink, parts: readonly Uint8Array[], repeatable: boolean) {
    return new Promise<Result<Answer>>((resolve) => {
      if (this.#closed) return resolve(err(linkLost('closed')));
      const id = ++this.#lastId;
      const said = message(id);
      const settle = (result: Result<Answer>): void => {
        clearTimeout(timer);
        this.#calls.delete(id);
        resolve(result);
      };
      const late = (): Failure =>
        this.#peer === null ? linkLost('away') : failure('delivery.store-failed', 'no answer in time');
      const timer = setTimeout(() => settle(err(late())), this.#delays.answerMs ?? answerMs);
      this.#calls.set(id, { message: said, parts, repeatable, rows: [], settle });
      this.#peer?.send(said, parts);
    });
  }

  async #askStore<T>(
    call: StoreCall,
    read: (answer: Answer) => T,
    parts: readonly Uint8Array[] = [],
    repeatable = true,
  ): Promise<Result<T>> {
    const answer = await this.#ask((id) => ({ type: 'store', id, call }), parts, repeatable);
    return answer.ok ? ok(read(answer.value)) : answer;
  }
}

/**
 * The terminal's end of the link's socket. The connection comes and goes by itself: while it is away the bus says
 * `delivery.link-lost`; a call on the store waits for it, is said again where that does no harm, and then fails with
 * the same word.
 */
export const createLinkClient = (options: LinkClientOptions): LinkClient => new LinkConnection(options);
