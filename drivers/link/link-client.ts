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

/**
 * The terminal's end of the link's socket. The connection comes and goes by itself: while it is away the bus says
 * `delivery.link-lost`; a call on the store waits for it, is said again where that does no harm, and then fails with
 * the same word.
 */
export const createLinkClient = ({ path, log, delays = {} }: LinkClientOptions): LinkClient => {
  const listeners = new Map<string, Set<(delivery: Delivery) => void>>();
  const connectionListeners = new Set<(connected: boolean, cause?: Failure) => void>();
  const calls = new Map<number, Call>();
  let certificateListener: Parameters<LinkClient['subscribeCertificate']>[0] = () => {};
  let lastId = 0;
  let peer: Peer | null = null;
  let connected = false;
  let cause = linkLost('not connected yet');
  let closed = false;

  const tellConnection = (isConnected: boolean, why: Failure): void => {
    connected = isConnected;
    cause = why;
    for (const listener of [...connectionListeners]) {
      if (isConnected) listener(true);
      else listener(false, why);
    }
  };

  const receive = (message: FromLink, parts: readonly Uint8Array[]): void => {
    const [bytes = new Uint8Array()] = parts;
    switch (message.type) {
      case 'certificate':
        return certificateListener({ endsMs: message.endsMs, days: message.days });
      case 'connection':
        return tellConnection(message.connected, message.cause === undefined ? cause : failureOf(message.cause));
      case 'delivered': {
        const { filter, topic, retained } = message;
        for (const listener of [...(listeners.get(filter) ?? [])]) listener({ topic, payload: bytes, retained });
        return;
      }
      case 'row':
        return void calls.get(message.id)?.rows.push({ ...message.row, sealed: bytes });
      case 'answer': {
        const call = calls.get(message.id);
        return call?.settle(ok({ value: message.value ?? null, parts, rows: call.rows }));
      }
      case 'failed':
        return calls.get(message.id)?.settle(err(failureOf(message.failure)));
    }
  };

  const client = connectFrames(path, {
    protocol: linkProtocol,
    understands: fromLinkSchema,
    opened: (opened) => {
      peer = opened;
      log.event('peer.connected', { peer: 'link' });
      for (const filter of listeners.keys()) opened.send({ type: 'subscribe', filter });
      for (const { message, parts, rows } of calls.values()) {
        rows.length = 0;
        opened.send(message, parts);
      }
      return {
        received: receive,
        ended: (reason) => {
          peer = null;
          if (!closed) log.event('peer.lost', { peer: 'link', reason });
          for (const { repeatable, settle } of [...calls.values()])
            if (!repeatable) settle(err(linkLost('ended before its answer')));
          tellConnection(false, linkLost(reason));
        },
      };
    },
    delays,
  });

  const ask = (message: (id: number) => ToLink, parts: readonly Uint8Array[], repeatable: boolean) =>
    new Promise<Result<Answer>>((resolve) => {
      if (closed) return resolve(err(linkLost('closed')));
      const id = ++lastId;
      const said = message(id);
      const settle = (result: Result<Answer>): void => {
        clearTimeout(timer);
        calls.delete(id);
        resolve(result);
      };
      const late = (): Failure =>
        peer === null ? linkLost('away') : failure('delivery.store-failed', 'no answer in time');
      const timer = setTimeout(() => settle(err(late())), delays.answerMs ?? answerMs);
      calls.set(id, { message: said, parts, repeatable, rows: [], settle });
      peer?.send(said, parts);
    });

  const askStore = async <T>(
    call: StoreCall,
    read: (answer: Answer) => T,
    parts: readonly Uint8Array[] = [],
    repeatable = true,
  ): Promise<Result<T>> => {
    const answer = await ask((id) => ({ type: 'store', id, call }), parts, repeatable);
    return answer.ok ? ok(read(answer.value)) : answer;
  };
  const nothing = (): void => undefined;

  return {
    bus: {
      publish: async (topic, payload, { retain, expirySeconds, responseTopic, correlation } = {}) => {
        if (peer === null || !connected) return err(cause);
        const message = (id: number): ToLink => ({
          type: 'publish',
          id,
          topic,
          ...(retain === undefined ? {} : { retain }),
          ...(expirySeconds === undefined ? {} : { expirySeconds }),
          ...(responseTopic === undefined ? {} : { responseTopic }),
        });
        const published = await ask(message, correlation === undefined ? [payload] : [payload, correlation], false);
        return published.ok ? ok(undefined) : published;
      },
      subscribe: (filter, listener) => {
        const known = listeners.get(filter);
        const mine = known ?? new Set();
        listeners.set(filter, mine.add(listener));
        if (known === undefined) peer?.send({ type: 'subscribe', filter });
        return () => {
          if (!mine.delete(listener) || mine.size > 0) return;
          listeners.delete(filter);
          peer?.send({ type: 'unsubscribe', filter });
        };
      },
      subscribeConnection: (listener) => {
        connectionListeners.add(listener);
        if (connected) listener(true);
        else listener(false, cause);
        return () => connectionListeners.delete(listener);
      },
      close: async () => {},
    },
    store: {
      addOutboxRow: ({ sealed, ...row }) => askStore({ method: 'addOutboxRow', row }, nothing, [sealed]),
      outboxRows: () => askStore({ method: 'outboxRows' }, ({ rows }) => rows),
      removeOutboxRow: (requestId, entry) =>
        askStore({ method: 'removeOutboxRow', requestId, entry: { ...entry } }, ({ value }) => value === true),
      raiseSettings: (version, document, atMs) =>
        askStore({ method: 'raiseSettings', version, atMs }, ({ value }) => value === true, [document]),
      readSettings: () =>
        askStore({ method: 'readSettings' }, ({ value, parts: [document] }) =>
          typeof value === 'number' && document !== undefined ? { version: value, document } : null,
        ),
      // Said twice it would answer "seen", which is not true: a lost answer is a failure.
      rememberNonce: (nonce, expiresAtMs, nowMs) =>
        askStore({ method: 'rememberNonce', nonce, expiresAtMs, nowMs }, ({ value }) => value === true, [], false),
      firstBrokenAuditEntry: () =>
        askStore({ method: 'firstBrokenAuditEntry' }, ({ value }) => (typeof value === 'number' ? value : null)),
      close: async () => {},
    },
    subscribeCertificate: (listener) => {
      certificateListener = listener;
    },
    tellTime: (wallMs) => peer?.send({ type: 'time', wallMs }),
    close: () => {
      closed = true;
      client.close();
      for (const { settle } of [...calls.values()]) settle(err(linkLost('closed')));
    },
  };
};
