import { createSecureContext } from 'node:tls';
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

/** Throws when key or certificate cannot be read by OpenSSL. Connects at once and for as long as it lives. */
export const createMqttMessageBus = (options: MqttMessageBusOptions): MessageBus => {
  const delays: Delays = { ...defaultDelays, ...options.delays };
  const context = createSecureContext({
    key: options.tls.key,
    cert: options.tls.certificate,
    ca: options.tls.ca,
    minVersion: 'TLSv1.3',
  });
  const authorities = certificatesOf(options.tls.ca);
  const subscriptions = new Map<string, Set<(delivery: Delivery) => void>>();
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
      filters: () => [...subscriptions.keys()],
      opened: () => {
        connected = true;
        pauseMs = delays.firstPauseMs;
        tell();
      },
      delivered: deliver,
      ended: (why) => {
        const changed = connected || why.code !== cause.code;
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
    subscribe: (filter, listener) => {
      const listeners = subscriptions.get(filter) ?? new Set();
      listeners.add(listener);
      subscriptions.set(filter, listeners);
      connection?.subscribe(filter);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) subscriptions.delete(filter);
      };
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
