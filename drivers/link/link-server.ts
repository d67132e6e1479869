import type { WarningDays } from '../../src/core/certificate-life.ts';
import type { Result } from '../../src/core/result.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import type { MessageBus } from '../../src/ports/message-bus.ts';
import type { Store } from '../../src/ports/store.ts';
import { type FramedServer, type ListenAt, type Peer, type SocketDelays, serveFrames } from '../host/framed-socket.ts';
import { type FromLink, linkProtocol, type StoreCall, type ToLink, toLinkSchema, toldOf } from './link-messages.ts';

export type LinkServerOptions = {
  readonly listenAt: ListenAt;
  readonly bus: MessageBus;
  readonly store: Store;
  readonly log: EventLog;
  /** Published, retained, whenever no terminal is there to say something else. */
  readonly offline: { readonly topic: string; readonly payload: Uint8Array };
  /** The agent's time, as the terminal has verified it */
  readonly heard?: (wallMs: number) => void;
  /** Of the device, for the terminal to tell the clinic */
  readonly certificate?: () => { readonly endsMs: number; readonly days: WarningDays | null };
  readonly delays?: Partial<SocketDelays>;
};

export type LinkServer = FramedServer & {
  readonly terminalConnected: boolean;
  /** Again, when it has changed */
  tellCertificate(): void;
};

type Say = (message: FromLink, parts?: readonly Uint8Array[]) => void;
type Answer = { readonly value?: number | boolean | null; readonly parts?: readonly Uint8Array[] };

/** The call on the store, and the answer as it goes back. Rows go ahead of it, one a frame. */
const carryOut = async (
  store: Store,
  id: number,
  call: StoreCall,
  [bytes = new Uint8Array()]: readonly Uint8Array[],
  say: Say,
): Promise<Result<Answer>> => {
  const told = async (work: Promise<Result<unknown>>): Promise<Result<Answer>> => {
    const done = await work;
    if (!done.ok) return done;
    const { value } = done;
    return { ok: true, value: typeof value === 'number' || typeof value === 'boolean' ? { value } : {} };
  };
  switch (call.method) {
    case 'addOutboxRow':
      return told(store.addOutboxRow({ ...call.row, sealed: bytes }));
    case 'outboxRows': {
      const rows = await store.outboxRows();
      if (!rows.ok) return rows;
      for (const { sealed, ...row } of rows.value) say({ type: 'row', id, row }, [sealed]);
      return { ok: true, value: {} };
    }
    case 'removeOutboxRow': {
      const { code, ...entry } = call.entry;
      return told(store.removeOutboxRow(call.requestId, { ...entry, ...(code === undefined ? {} : { code }) }));
    }
    case 'raiseSettings':
      return told(store.raiseSettings(call.version, bytes, call.atMs));
    case 'readSettings': {
      const settings = await store.readSettings();
      if (!settings.ok) return settings;
      const { value } = settings;
      return { ok: true, value: value === null ? { value: null } : { value: value.version, parts: [value.document] } };
    }
    case 'lastAccepted': {
      const last = await store.lastAccepted();
      if (!last.ok || last.value === null) return last.ok ? { ok: true, value: { value: null } } : last;
      return { ok: true, value: { value: last.value.at, parts: [Buffer.from(last.value.requestId)] } };
    }
    case 'rememberNonce':
      return told(store.rememberNonce(call.nonce, call.expiresAtMs, call.nowMs));
    case 'firstBrokenAuditEntry':
      return told(store.firstBrokenAuditEntry());
  }
};

/** One terminal for as long as its connection lasts. */
const serveTerminal = ({ bus, store, heard }: LinkServerOptions, peer: Peer) => {
  const subscriptions = new Map<string, () => void>();
  let here = true;
  const say: Say = (message, parts) => {
    if (here) peer.send(message, parts);
  };
  const settle = (id: number, result: Result<Answer>): void => {
    if (!result.ok) return say({ type: 'failed', id, failure: toldOf(result.failure) });
    const { value, parts } = result.value;
    say({ type: 'answer', id, ...(value === undefined ? {} : { value }) }, parts);
  };
  const unsubscribe = (filter: string): void => {
    subscriptions.get(filter)?.();
    subscriptions.delete(filter);
  };
  const publish = async (
    { id, topic, retain, expirySeconds, responseTopic }: Extract<ToLink, { type: 'publish' }>,
    [payload = new Uint8Array(), correlation]: readonly Uint8Array[],
  ): Promise<void> => {
    const published = await bus.publish(topic, payload, {
      ...(retain === undefined ? {} : { retain }),
      ...(expirySeconds === undefined ? {} : { expirySeconds }),
      ...(responseTopic === undefined ? {} : { responseTopic }),
      ...(correlation === undefined ? {} : { correlation }),
    });
    settle(id, published.ok ? { ok: true, value: {} } : published);
  };
  const endConnection = bus.subscribeConnection((connected, cause) =>
    say({ type: 'connection', connected, ...(cause === undefined ? {} : { cause: toldOf(cause) }) }),
  );
  return {
    received: (message: ToLink, parts: readonly Uint8Array[]): void => {
      switch (message.type) {
        case 'publish':
          return void publish(message, parts);
        case 'subscribe': {
          const { filter } = message;
          unsubscribe(filter);
          return void subscriptions.set(
            filter,
            bus.subscribe(filter, ({ topic, payload, retained }) =>
              say({ type: 'delivered', filter, topic, retained }, [payload]),
            ),
          );
        }
        case 'time':
          return heard?.(message.wallMs);
        case 'unsubscribe':
          return unsubscribe(message.filter);
        case 'store':
          return void carryOut(store, message.id, message.call, parts, say).then((result) =>
            settle(message.id, result),
          );
      }
    },
    ended: (): void => {
      here = false;
      endConnection();
      for (const end of subscriptions.values()) end();
    },
  };
};

/**
 * Serves the device's way out to its terminal: bus and store as they are, over a socket. It can read neither requests
 * nor answers and believes nobody: what a message says is for the terminal to verify.
 */
export const serveLink = async (options: LinkServerOptions): Promise<LinkServer> => {
  const { bus, log, offline } = options;
  let terminalConnected = false;
  let busConnected = false;
  const tellOffline = (): void => {
    if (busConnected && !terminalConnected) void bus.publish(offline.topic, offline.payload, { retain: true });
  };
  let tellCertificate = (): void => {};
  const endWatch = bus.subscribeConnection((connected) => {
    busConnected = connected;
    tellOffline();
  });
  const server = await serveFrames(options.listenAt, {
    protocol: linkProtocol,
    understands: toLinkSchema,
    opened: (peer) => {
      terminalConnected = true;
      log.event('peer.connected', { peer: 'terminal' });
      const terminal = serveTerminal(options, peer);
      tellCertificate = () => {
        const end = options.certificate?.();
        if (end !== undefined) peer.send({ type: 'certificate', ...end });
      };
      tellCertificate();
      return {
        received: terminal.received,
        ended: (reason) => {
          terminal.ended();
          // Of a newer connection of the same terminal the greeting is already there.
          terminalConnected = reason === 'replaced';
          if (!terminalConnected) tellCertificate = () => {};
          log.event('peer.lost', { peer: 'terminal', reason });
          tellOffline();
        },
      };
    },
    refused: (reason) => log.event('peer.lost', { peer: 'terminal', reason }),
    ...(options.delays === undefined ? {} : { delays: options.delays }),
  });
  return {
    get terminalConnected() {
      return terminalConnected;
    },
    tellCertificate: () => tellCertificate(),
    close: async () => {
      endWatch();
      await server.close();
    },
  };
};
