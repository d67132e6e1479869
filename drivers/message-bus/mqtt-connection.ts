import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { checkServerIdentity, connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import { type IClientOptions, type IClientPublishOptions, MqttClient } from 'mqtt';
import { type Failure, type FailureCode, failure } from '../../src/core/failure.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import type { Delivery, PublishOptions } from '../../src/ports/message-bus.ts';
import { dateError, type KnownTime, refusedByDate, serverChainError } from '../../src/trust/server-chain.ts';

/**
 * The physics of a link that must serve again within 2 s of the cause being gone. A SYN that was lost is repeated by the
 * kernel after 1 s, so an attempt is given up after 1.5 s and the next follows at once; a TCP connection that survived an
 * outage may wait many seconds for its own retransmission, so silence is asked about every second and ends it.
 */
export type Delays = {
  /** TCP, TLS, CONNACK and SUBACK together (TLS alone: 8-67 ms measured) */
  readonly connectMs: number;
  /** A PINGREQ goes out this often; nothing heard until the next one = the link is dead */
  readonly probeMs: number;
  /** PUBACK */
  readonly acknowledgeMs: number;
  /** First pause before the next attempt; doubled up to the last */
  readonly firstPauseMs: number;
  /** The longest pause: how late a broker that came back is noticed at most */
  readonly lastPauseMs: number;
  /** MQTT keep alive: the broker tells the last will after 1.5 times this */
  readonly keepaliveMs: number;
};
export const defaultDelays: Delays = {
  connectMs: 1_500,
  probeMs: 1_000,
  acknowledgeMs: 2_000,
  firstPauseMs: 50,
  lastPauseMs: 500,
  keepaliveMs: 10_000,
};

type ConnectionOptions = {
  readonly host: string;
  readonly port: number;
  /** The name that the broker's certificate must carry */
  readonly serverName: string;
  readonly context: SecureContext;
  /** The facility's authorities, and the time by which certificates are judged */
  readonly authorities: readonly X509Certificate[];
  readonly time: () => KnownTime;
  readonly clientId: string;
  readonly protocolVersion: 4 | 5;
  readonly will?: { readonly topic: string; readonly payload: Uint8Array };
  readonly delays: Delays;
  /** How often `connectMs` is waited for the broker, once TLS has shown that it is there */
  readonly patience: number;
  readonly maximumInFlight: number;
  readonly filters: () => readonly string[];
  /** Asked for once the others stand; told whether the broker grants each */
  readonly optionalFilters: () => ReadonlyMap<string, (isGranted: boolean) => void>;
  /** The broker that we trust shows a certificate that ends then. ms since 1970 UTC */
  readonly metServer: (certificateEndsMs: number) => void;
  readonly opened: () => void;
  readonly delivered: (delivery: Delivery) => void;
  /** Exactly once, whatever happened. `closedByBroker`: in order, as the system does for a program that ends */
  readonly ended: (cause: Failure, closedByBroker: boolean) => void;
};

/** One TLS connection and its MQTT session. Never revived: after its end a new one is made and nothing is carried over. */
export type MqttConnection = {
  readonly publish: (topic: string, payload: Uint8Array, options: PublishOptions) => Promise<Result<void>>;
  /** `granted`: for a filter that the broker may refuse without ending the connection */
  readonly subscribe: (filter: string, granted?: (isGranted: boolean) => void) => void;
  readonly end: (cause: Failure) => void;
};

/** OpenSSL's and Node's words for "not the broker we trust", and for "the broker does not trust us". */
const untrusted =
  /CERT_|ERR_TLS_CERT|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|UNSUPPORTED_PROTOCOL|WRONG_VERSION|PROTOCOL_VERSION|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH/;
const refused =
  /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE|UNSUPPORTED_CERT|ACCESS_DENIED)|CONNECTION_REFUSED:|NOT_AUTHORIZED/;

/** An alert that meets our CONNECT on its way out arrives as EPROTO, with OpenSSL's reason in the message alone. */
const opensslReason = /SSL routines:[^:]*:([^:]+)/;

const causeOf = (error: Error): Failure => {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const detail = opensslReason.exec(error.message)?.[1] ?? (code || error.message);
  const words = `${code} ${detail}`.toUpperCase().replaceAll(' ', '_');
  let name: FailureCode = 'delivery.offline';
  if (refused.test(words)) name = 'delivery.access-refused';
  else if (untrusted.test(words)) name = 'delivery.broker-untrusted';
  return failure(name, detail);
};

/** null = the broker is who it should be; else why not, in OpenSSL's words. */
const serverError = (
  socket: TLSSocket,
  leaf: X509Certificate | undefined,
  { serverName, authorities, time }: ConnectionOptions,
): string | null => {
  if (leaf === undefined) return 'UNABLE_TO_GET_ISSUER_CERT';
  const wrongName = checkServerIdentity(serverName, leaf.toLegacyObject());
  if (wrongName !== undefined) return 'HOSTNAME_MISMATCH';
  if (socket.authorized) return dateError(leaf, time());
  const reason = String(socket.authorizationError);
  return refusedByDate.has(reason) ? serverChainError(leaf, authorities, time()) : reason;
};

const propertiesOf = ({ expirySeconds, responseTopic, correlation }: PublishOptions) => ({
  ...(expirySeconds === undefined ? {} : { messageExpiryInterval: expirySeconds }),
  ...(responseTopic === undefined ? {} : { responseTopic }),
  ...(correlation === undefined ? {} : { correlationData: Buffer.from(correlation) }),
});

const connectSocket = ({ host, port, serverName, context }: ConnectionOptions): TLSSocket => {
  const socket = connectTls({
    host,
    port,
    // SNI may not carry an IP address (RFC 6066); the name is checked below in any case.
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    secureContext: context,
    minVersion: 'TLSv1.3',
    // Judged below, before a byte of MQTT goes out: OpenSSL knows no time but the machine's.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  // Without this a request and its answer take 90 ms: Nagle against the delayed ACK.
  socket.setNoDelay(true);
  return socket;
};

const clientOptionsOf = ({ clientId, protocolVersion, will, delays, patience }: ConnectionOptions): IClientOptions => ({
  clientId,
  protocolVersion,
  // Nothing is left with the broker: the outbox knows better what is still to be sent.
  clean: true,
  reconnectPeriod: 0,
  connectTimeout: 2 * patience * delays.connectMs,
  keepalive: Math.ceil(delays.keepaliveMs / 1000),
  resubscribe: false,
  manualConnect: true,
  queueQoSZero: false,
  ...(will ? { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true } } : {}),
});

class OneConnection implements MqttConnection {
  readonly #options: ConnectionOptions;
  readonly #socket: TLSSocket;
  readonly #client: MqttClient;
  readonly #beganMs = performance.now();
  #deadline: NodeJS.Timeout;
  readonly #probe: NodeJS.Timeout;
  #ended = false;
  #trusted = false;
  #greeted = false;
  #open = false;
  #closedByBroker = false;
  #heardBytes = 0;
  #inFlight = 0;
  #maximumInFlight: number;
  #cause: Failure = failure('delivery.offline', 'closed');
  readonly #queue: (() => void)[] = [];
  readonly #unanswered = new Set<() => void>();

  constructor(options: ConnectionOptions) {
    const { delays } = options;
    this.#options = options;
    this.#maximumInFlight = options.maximumInFlight;
    this.#socket = connectSocket(options);
    this.#client = new MqttClient(() => this.#socket, clientOptionsOf(options));
    this.#deadline = this.#endAfter(delays.connectMs);
    this.#probe = setInterval(() => this.#askForLife(), delays.probeMs);
    this.#listenToSocket();
    this.#listenToClient();
  }

  #listenToSocket(): void {
    this.#socket.on('error', (error) => {
      this.#cause = causeOf(error);
      if (!this.#trusted) this.end(this.#cause);
    });
    this.#socket.on('end', () => {
      this.#closedByBroker = this.#open;
    });
    this.#socket.on('close', () => this.end(this.#cause));
    this.#socket.on('secureConnect', () => {
      // Asked once: of a second question Node 24 knows no answer.
      const leaf = this.#socket.getPeerX509Certificate();
      const wrong = serverError(this.#socket, leaf, this.#options);
      if (wrong !== null) return this.end(failure('delivery.broker-untrusted', wrong));
      if (this.#ended) return;
      if (leaf !== undefined) this.#options.metServer(leaf.validToDate.getTime());
      this.#trusted = true;
      clearTimeout(this.#deadline);
      const wholeMs = this.#options.patience * this.#options.delays.connectMs;
      this.#deadline = this.#endAfter(Math.max(0, wholeMs - (performance.now() - this.#beganMs)));
      this.#client.connect();
    });
  }

  #endAfter(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.end(failure('delivery.offline', 'no connection in time')), ms);
  }

  #listenToClient(): void {
    this.#client.on('error', (error) => this.end(causeOf(error)));
    this.#client.on('close', () => this.end(this.#cause));
    this.#client.on('message', (topic, payload, packet) => {
      if (!this.#ended) this.#options.delivered({ topic, payload: new Uint8Array(payload), retained: packet.retain });
    });
    this.#client.on('connect', (connack) => {
      this.#maximumInFlight = Math.min(this.#maximumInFlight, connack.properties?.receiveMaximum ?? 65_535);
      this.#greeted = true;
      const filters = this.#options.filters();
      if (filters.length === 0) return this.#becomeOpen();
      this.#client.subscribe([...filters], { qos: 1 }, (error) => {
        if (error) this.end(this.#notSubscribed(error));
        else this.#becomeOpen();
      });
    });
  }

  #askForLife(): void {
    if (!this.#open) return;
    // After a stall of our own the answer may lie unread: sockets are read before the silence counts.
    if (!this.#hasHeard()) return void setImmediate(() => setImmediate(() => this.#endIfSilent()));
    this.#heardBytes = this.#socket.bytesRead;
    this.#client.sendPing();
  }

  end(why: Failure): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#deadline);
    clearInterval(this.#probe);
    for (const giveUp of [...this.#unanswered]) giveUp();
    if (this.#trusted) this.#client.end(true);
    this.#socket.destroy();
    this.#options.ended(why, this.#closedByBroker);
  }

  publish(topic: string, payload: Uint8Array, publishOptions: PublishOptions): Promise<Result<void>> {
    return new Promise((resolve) => {
      let sent = false;
      let settled = false;
      const settle = (result: Result<void>): void => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        this.#unanswered.delete(giveUp);
        const place = this.#queue.indexOf(send);
        if (place >= 0) this.#queue.splice(place, 1);
        resolve(result);
        if (!sent) return;
        // A publish that timed out still holds its place at the broker until the connection ends or the PUBACK comes.
        if (result.ok || this.#ended) this.#release();
      };
      const giveUp = (): void => settle(err(failure('delivery.offline', 'connection lost before the PUBACK')));
      const timer = setTimeout(
        () => settle(err(failure('delivery.offline', 'no PUBACK in time'))),
        this.#options.delays.acknowledgeMs,
      );
      const send = (): void => {
        sent = true;
        this.#inFlight++;
        const packet: IClientPublishOptions = {
          qos: 1,
          retain: publishOptions.retain ?? false,
          ...(this.#options.protocolVersion === 5 ? { properties: propertiesOf(publishOptions) } : {}),
        };
        this.#client.publish(topic, Buffer.from(payload), packet, (error) => {
          if (settled) return this.#release();
          if (error) {
            settle(err(failure('delivery.access-refused', 'PUBACK')));
            return this.#release();
          }
          settle(ok(undefined));
        });
      };
      this.#unanswered.add(giveUp);
      if (this.#ended || !this.#open) return giveUp();
      if (this.#inFlight < this.#maximumInFlight) send();
      else this.#queue.push(send);
    });
  }

  subscribe(filter: string, granted?: (isGranted: boolean) => void): void {
    // Before CONNACK the list of filters, read then, will have it.
    if (!this.#greeted || this.#ended) return;
    this.#client.subscribe(filter, { qos: 1 }, (error) => {
      if (granted !== undefined) {
        if (!this.#ended) granted(!error);
      } else if (error) this.end(this.#notSubscribed(error));
    });
  }

  /** MQTT 5 tells a right that is missing from a broker's own trouble (RabbitMQ: too many at once); 3.1.1 has one word for both. */
  #notSubscribed({ message }: Error): Failure {
    const mayNot = this.#options.protocolVersion === 4 || /not authorized/i.test(message);
    return failure(mayNot ? 'delivery.access-refused' : 'delivery.offline', 'subscription');
  }

  #endIfSilent(): void {
    if (!this.#hasHeard()) this.end(failure('delivery.offline', 'silence'));
  }

  /** By bytes: a long message on a slow line is not whole for seconds, and its sender lives. */
  #hasHeard(): boolean {
    return this.#socket.bytesRead > this.#heardBytes;
  }

  #becomeOpen(): void {
    if (this.#ended || this.#open) return;
    this.#open = true;
    clearTimeout(this.#deadline);
    this.#options.opened();
    for (const [filter, granted] of this.#options.optionalFilters())
      this.#client.subscribe(filter, { qos: 1 }, (error) => {
        if (!this.#ended) granted(!error);
      });
  }

  #release(): void {
    this.#inFlight--;
    this.#queue.shift()?.();
  }
}

export const openConnection = (options: ConnectionOptions): MqttConnection => new OneConnection(options);
