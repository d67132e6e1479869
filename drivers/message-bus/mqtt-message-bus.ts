import { createSecureContext, type SecureContext } from 'node:tls';
import { type Failure, failure } from '../../src/core/failure.ts';
import { err } from '../../src/core/result.ts';
import type { Delivery, MessageBus } from '../../src/ports/message-bus.ts';
import type { TlsFiles } from '../../src/trust/key-files.ts';
import { certificatesOf, type KnownTime } from '../../src/trust/server-chain.ts';
import { covers } from '../../src/wire/broker-access-rules.ts';
import { type Delays, defaultDelays, type MqttConnection, openConnection } from './mqtt-connection.ts';

export type MqttMessageBusOptions = {
  readonly host: string;
  readonly port: number;
  /** The name that the broker's certificate must carry; default `host`. */
  readonly serverName?: string;
  readonly tls: TlsFiles;
  /** Former keys and certificates: tried in turn when the broker does not admit the newer */
  readonly formerTls?: readonly TlsFiles[];
  /** Device or agent id */
  readonly clientId: string;
  /** 5, or 4 (= 3.1.1) for the embedded broker */
  readonly protocolVersion: 4 | 5;
  /** Published retained by the broker when we vanish */
  readonly will?: { readonly topic: string; readonly payload: Uint8Array };
  /** The time by which the broker's certificate is judged; default: the machine's clock */
  readonly time?: () => KnownTime;
  readonly delays?: Partial<Delays>;
  /** Publishes without PUBACK; the broker's Receive Maximum lowers it. */
  readonly maximumInFlight?: number;
};

const machineTime = (): KnownTime => ({ wallMs: Date.now(), floorMs: 0, certainty: 'confirmed' });

const contextOf = ({ key, certificate, ca }: TlsFiles): SecureContext =>
  createSecureContext({ key, cert: certificate, ca, minVersion: 'TLSv1.3' });

type MqttMessageBus = MessageBus & {
  /** From the next connection on, which is made at once; the one in force before stays good as a former one. */
  useTls(tls: TlsFiles): void;
  /** Of the broker's certificate as it was shown last, ms since 1970 UTC; null: not met yet */
  readonly serverEndsMs: number | null;
};

/** Throws when key or certificate cannot be read by OpenSSL. Connects at once and for as long as it lives. */
export const createMqttMessageBus = (options: MqttMessageBusOptions): MqttMessageBus => {
  const delays: Delays = { ...defaultDelays, ...options.delays };
  let contexts = [options.tls, ...(options.formerTls ?? [])].map(contextOf);
  let turn = 0;
  let serverEndsMs: number | null = null;
  const authorities = certificatesOf(options.tls.ca);
  const subscriptions = new Map<string, Set<(delivery: Delivery) => void>>();
  const optional = new Map<string, (isGranted: boolean) => void>();
  const connectionListeners = new Set<(connected: boolean, cause?: Failure) => void>();
  let connection: MqttConnection | null = null;
  let connected = false;
  let cause: Failure = failure('delivery.offline', 'not connected yet');
  let pauseMs = delays.firstPauseMs;
  let pause: NodeJS.Timeout | null = null;
  let closed = false;

  const tell = (): void => {
    for (const listener of [...connectionListeners]) {
      if (connected) listener(true);
      else listener(false, cause);
    }
  };

  const deliver = (delivery: Delivery): void => {
    for (const [filter, listeners] of subscriptions) {
      if (covers(filter, delivery.topic)) for (const listener of [...listeners]) listener(delivery);
    }
  };

  const attempt = (): void => {
    pause = null;
    const [newest] = contexts;
    const context = contexts[turn % contexts.length] ?? newest;
    if (context === undefined) return;
    connection = openConnection({
      host: options.host,
      port: options.port,
      serverName: options.serverName ?? options.host,
      context,
      authorities,
      time: options.time ?? machineTime,
      clientId: options.clientId,
      protocolVersion: options.protocolVersion,
      ...(options.will ? { will: options.will } : {}),
      delays,
      maximumInFlight: options.maximumInFlight ?? 16,
      filters: () => [...subscriptions.keys()].filter((filter) => !optional.has(filter)),
      optionalFilters: () => optional,
      metServer: (endsMs) => {
        serverEndsMs = endsMs;
      },
      opened: () => {
        connected = true;
        pauseMs = delays.firstPauseMs;
        tell();
      },
      delivered: deliver,
      ended: (why) => {
        const changed = connected || why.code !== cause.code;
        // Each time from the newest; the next one only where the broker says that it does not know us by this one.
        turn = !connected && why.code === 'delivery.access-refused' ? turn + 1 : 0;
        connection = null;
        connected = false;
        cause = why;
        if (closed) return;
        pause = setTimeout(attempt, pauseMs);
        pauseMs = Math.min(2 * pauseMs, delays.lastPauseMs);
        if (changed) tell();
      },
    });
  };
  attempt();

  return {
    publish: async (topic, payload, publishOptions = {}) =>
      connection !== null && connected ? connection.publish(topic, payload, publishOptions) : err(cause),
    subscribe: (filter, listener, choice) => {
      const listeners = subscriptions.get(filter) ?? new Set();
      listeners.add(listener);
      subscriptions.set(filter, listeners);
      if (choice === undefined) connection?.subscribe(filter);
      else {
        optional.set(filter, choice.granted);
        if (connected) connection?.subscribe(filter, choice.granted);
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        subscriptions.delete(filter);
        optional.delete(filter);
      };
    },
    get serverEndsMs() {
      return serverEndsMs;
    },
    useTls: (tls) => {
      contexts = [contextOf(tls), ...contexts].slice(0, 3);
      turn = 0;
      connection?.end(failure('delivery.offline', 'new certificate'));
    },
    subscribeConnection: (listener) => {
      connectionListeners.add(listener);
      if (connected) listener(true);
      else listener(false, cause);
      return () => connectionListeners.delete(listener);
    },
    close: async () => {
      closed = true;
      if (pause !== null) clearTimeout(pause);
      connection?.end(failure('delivery.offline', 'closed'));
    },
  };
};
