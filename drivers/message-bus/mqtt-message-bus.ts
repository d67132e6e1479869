import { createSecureContext, type SecureContext } from 'node:tls';
import { type Failure, failure } from '../../src/core/failure.ts';
import { err, type Result } from '../../src/core/result.ts';
import type { Delivery, HowLost, MessageBus, PublishOptions } from '../../src/ports/message-bus.ts';
import type { TlsFiles } from '../../src/trust/key-files.ts';
import { certificatesOf, type KnownTime } from '../../src/trust/server-chain.ts';
import { covers } from '../../src/wire/broker-access-rules.ts';
import { HostAddress, type LookUp } from './host-address.ts';
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
  /** Default: the system's own */
  readonly lookUp?: LookUp;
  /** Publishes without PUBACK; the broker's Receive Maximum lowers it. */
  readonly maximumInFlight?: number;
};

const machineTime = (): KnownTime => ({ wallMs: Date.now(), floorMs: 0, certainty: 'confirmed' });

/**
 * A broker that shows its certificate and then does not admit us in time has too many who want to be admitted: next time it is
 * waited for twice as long, up to so many times. All who begin anew every 1.5 s would keep it from ever admitting anybody
 * (seen with 200 terminals at three nodes of RabbitMQ, which share each subscription among them).
 * The price: one that falls silent after its certificate, whose machine says no end of the connection, is waited for up to 12 s.
 */
const mostPatience = 8;

/** A look-up that takes longer is told: nobody is connected, and here is why. */
const nameSilenceMs = 3_000;

const unknownName = (host: string, error: unknown): string =>
  `the name ${host} is not known (${error instanceof Error && 'code' in error ? String(error.code) : String(error)})`;

const contextOf = ({ key, certificate, ca }: TlsFiles): SecureContext =>
  createSecureContext({ key, cert: certificate, ca, minVersion: 'TLSv1.3' });

type MqttMessageBus = MessageBus & {
  /** From the next connection on, which is made at once; the one in force before stays good as a former one. */
  useTls(tls: TlsFiles): void;
  /** Nothing is sent to a broker that is away for so long from now, whatever is under way; 0: a try at once. ms */
  rest(ms: number): void;
  /** Of the broker's certificate as it was shown last, ms since 1970 UTC; null: not met yet */
  readonly serverEndsMs: number | null;
};

class MqttBus implements MqttMessageBus {
  readonly #options: MqttMessageBusOptions;
  readonly #delays: Delays;
  #contexts: readonly SecureContext[];
  #turn = 0;
  #serverEndsMs: number | null = null;
  readonly #authorities: ReturnType<typeof certificatesOf>;
  readonly #subscriptions = new Map<string, Set<(delivery: Delivery) => void>>();
  readonly #optional = new Map<string, (isGranted: boolean) => void>();
  readonly #connectionListeners = new Set<Parameters<MessageBus['subscribeConnection']>[0]>();
  #connection: MqttConnection | null = null;
  #connected = false;
  #cause: Failure = failure('delivery.offline', 'not connected yet');
  #pauseMs: number;
  #patience = 1;
  #hasMetServer = false;
  #pause: NodeJS.Timeout | null = null;
  #restsUntilMs = 0;
  #closed = false;
  readonly #address: HostAddress;

  constructor(options: MqttMessageBusOptions) {
    this.#options = options;
    this.#delays = { ...defaultDelays, ...options.delays };
    this.#contexts = [options.tls, ...(options.formerTls ?? [])].map(contextOf);
    this.#authorities = certificatesOf(options.tls.ca);
    this.#pauseMs = this.#delays.firstPauseMs;
    this.#address = new HostAddress(options.host, options.lookUp);
    this.#attempt();
  }

  async publish(topic: string, payload: Uint8Array, publishOptions: PublishOptions = {}): Promise<Result<void>> {
    return this.#connection !== null && this.#connected
      ? this.#connection.publish(topic, payload, publishOptions)
      : err(this.#cause);
  }

  subscribe(
    filter: string,
    listener: (delivery: Delivery) => void,
    choice?: { readonly granted: (isGranted: boolean) => void },
  ): () => void {
    const listeners = this.#subscriptions.get(filter) ?? new Set();
    listeners.add(listener);
    this.#subscriptions.set(filter, listeners);
    if (choice === undefined) this.#connection?.subscribe(filter);
    else {
      this.#optional.set(filter, choice.granted);
      if (this.#connected) this.#connection?.subscribe(filter, choice.granted);
    }
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      this.#subscriptions.delete(filter);
      this.#optional.delete(filter);
    };
  }

  get serverEndsMs(): number | null {
    return this.#serverEndsMs;
  }

  useTls(tls: TlsFiles): void {
    this.#contexts = [contextOf(tls), ...this.#contexts].slice(0, 3);
    this.#turn = 0;
    this.#connection?.end(failure('delivery.offline', 'new certificate'));
  }

  rest(ms: number): void {
    if (this.#connected || this.#closed) return;
    this.#restsUntilMs = performance.now() + ms;
    if (this.#pause !== null) this.#tryAfter(0);
    else if (ms > 0) this.#connection?.end(failure('delivery.offline', 'no connection in time'));
  }

  subscribeConnection(listener: Parameters<MessageBus['subscribeConnection']>[0]): () => void {
    this.#connectionListeners.add(listener);
    if (this.#connected) listener(true);
    else listener(false, this.#cause);
    return () => this.#connectionListeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#connection?.end(failure('delivery.offline', 'closed'));
  }

  #tell(how?: HowLost): void {
    for (const listener of [...this.#connectionListeners]) {
      if (this.#connected) listener(true);
      else listener(false, this.#cause, how);
    }
  }

  #deliver(delivery: Delivery): void {
    for (const [filter, listeners] of this.#subscriptions) {
      if (covers(filter, delivery.topic)) for (const listener of [...listeners]) listener(delivery);
    }
  }

  #tryAfter(ms: number): void {
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#attempt(), Math.max(ms, this.#restsUntilMs - performance.now()));
  }

  #attempt(): void {
    this.#pause = null;
    const { host } = this.#options;
    const silent = setTimeout(() => {
      if (this.#closed) return;
      this.#cause = failure('delivery.offline', `no name server has an answer for ${host} yet`);
      this.#tell();
    }, nameSilenceMs);
    this.#address
      .next()
      .finally(() => clearTimeout(silent))
      .then(
        (address) => {
          if (this.#closed) return;
          if (performance.now() < this.#restsUntilMs) this.#tryAfter(0);
          else this.#connect(address);
        },
        (error) => this.#ended(failure('delivery.offline', unknownName(host, error)), { byWords: true }),
      );
  }

  #connect(address: string): void {
    const [newest] = this.#contexts;
    const context = this.#contexts[this.#turn % this.#contexts.length] ?? newest;
    if (context === undefined) return;
    this.#hasMetServer = false;
    this.#connection = openConnection({
      host: address,
      port: this.#options.port,
      serverName: this.#options.serverName ?? this.#options.host,
      context,
      authorities: this.#authorities,
      time: this.#options.time ?? machineTime,
      clientId: this.#options.clientId,
      protocolVersion: this.#options.protocolVersion,
      ...(this.#options.will ? { will: this.#options.will } : {}),
      delays: this.#delays,
      patience: this.#patience,
      maximumInFlight: this.#options.maximumInFlight ?? 16,
      filters: () => [...this.#subscriptions.keys()].filter((filter) => !this.#optional.has(filter)),
      optionalFilters: () => this.#optional,
      metServer: (endsMs) => {
        this.#serverEndsMs = endsMs;
        this.#hasMetServer = true;
      },
      opened: () => {
        this.#connected = true;
        this.#pauseMs = this.#delays.firstPauseMs;
        this.#tell();
      },
      delivered: (delivery) => this.#deliver(delivery),
      ended: (why, closedByBroker) => this.#ended(why, { closedByBroker }),
    });
  }

  /** `byWords`: a new detail under the same code is news, too */
  #ended(why: Failure, { byWords = false, closedByBroker = false } = {}): void {
    // What a router says is rare (once a second, to everybody together): none of it is kept back.
    const noNetwork = why.detail === 'ENETUNREACH';
    const isNews = noNetwork || (byWords && why.detail !== this.#cause.detail);
    const changed = this.#connected || why.code !== this.#cause.code || isNews;
    // Each time from the newest; the next one only where the broker says that it does not know us by this one.
    this.#turn = !this.#connected && why.code === 'delivery.access-refused' ? this.#turn + 1 : 0;
    // Nobody there, or a stranger: whoever knows our certificate and refuses it is the broker.
    if (this.#connection !== null && !this.#connected && why.code !== 'delivery.access-refused') this.#address.failed();
    // A node of several that is gone teaches no haste with the others: only who was admitted begins anew.
    if (this.#connected) this.#patience = 1;
    else if (this.#hasMetServer) this.#patience = Math.min(2 * this.#patience, mostPatience);
    this.#hasMetServer = false;
    this.#connection = null;
    this.#connected = false;
    this.#cause = why;
    if (this.#closed) return;
    this.#tryAfter(this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, this.#delays.lastPauseMs);
    if (changed) this.#tell({ closedByBroker, noNetwork });
  }
}

/** Throws when key or certificate cannot be read by OpenSSL. Connects at once and for as long as it lives. */
export const createMqttMessageBus = (options: MqttMessageBusOptions): MqttMessageBus => new MqttBus(options);
