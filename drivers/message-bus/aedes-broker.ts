import { createServer, type Server, type TLSSocket } from 'node:tls';
import { Aedes } from 'aedes';
import { accessRules, type BrokerUsers, permits } from '../../src/wire/broker-access-rules.ts';
import { ConnectionLimits, proofMs } from './connection-limits.ts';

type EmbeddedBrokerOptions = {
  /** The broker's TLS files and the revocation lists, PEM */
  readonly tls: { readonly key: string; readonly certificate: string; readonly ca: string; readonly revoked?: string };
  readonly users: BrokerUsers;
  /** Default 127.0.0.1 */
  readonly host?: string;
  /** Default 0 = any free port */
  readonly port?: number;
  /** Hears everything that was admitted, in its order, and how it was sent */
  readonly onlooker?: (topic: string, payload: Uint8Array, sent: SentAs) => void;
};
/** `qos`: MQTT's quality of service, 0 to 2 */
type SentAs = { readonly retain: boolean; readonly qos: number };

/** A broker in our own process, for a clinic without one and for the demo. MQTT 3.1.1 only; keeps nothing over a restart. */
export type EmbeddedBroker = {
  readonly port: number;
  readonly connectedClients: number;
  /** After a device was added or revoked; connections of users no longer listed are ended. */
  readonly setUsers: (users: BrokerUsers) => void;
  /** As when the cable is pulled at the broker: connections destroyed, port closed. */
  readonly cut: () => Promise<void>;
  /** The same port again. */
  readonly restore: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** OpenSSL takes one list at a time from Node. */
const listsOf = (pem: string): string[] => pem.match(/-----BEGIN X509 CRL-----[\s\S]+?-----END X509 CRL-----/g) ?? [];

const listen = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });

/** Who is connected, by the certificate; `aedes` answers them, each within its rights. */
class ConnectedUsers {
  readonly #sockets = new Map<TLSSocket, string>();
  readonly #limits = new ConnectionLimits();
  #rules: ReturnType<typeof accessRules>;

  constructor(users: BrokerUsers) {
    this.#rules = accessRules(users);
  }

  get count(): number {
    return this.#sockets.size;
  }

  createBroker(onlooker: EmbeddedBrokerOptions['onlooker']): Promise<Aedes> {
    return Aedes.createBroker({
      connectTimeout: proofMs,
      authenticate: (client, _username, _password, done) => {
        // The client id must be the certificate's name: it cannot push another device's session aside.
        const user = this.#userOf(client);
        done(null, user !== '' && client.id === user && this.#rules.some((rule) => rule.user === user));
      },
      authorizePublish: (client, packet, done) => {
        if (!permits(this.#rules, this.#userOf(client), 'write', packet.topic)) return done(new Error('not permitted'));
        onlooker?.(packet.topic, new Uint8Array(Buffer.from(packet.payload)), packet);
        done(null);
      },
      authorizeSubscribe: (client, subscription, done) =>
        done(null, permits(this.#rules, this.#userOf(client), 'read', subscription.topic) ? subscription : null),
    });
  }

  /** `aedes` takes over what the certificate has named. */
  createServer(tls: EmbeddedBrokerOptions['tls'], aedes: Aedes): Server {
    const server = createServer(
      {
        key: tls.key,
        cert: tls.certificate,
        ca: tls.ca,
        ...(tls.revoked ? { crl: listsOf(tls.revoked) } : {}),
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.3',
        handshakeTimeout: proofMs,
      },
      (socket) => {
        const name = socket.getPeerCertificate().subject?.CN;
        if (typeof name !== 'string') {
          socket.destroy();
          return;
        }
        socket.setNoDelay(true);
        this.#sockets.set(socket, name);
        socket.once('close', () => this.#sockets.delete(socket));
        this.#limits.proves(socket, name);
        socket.on('error', () => socket.destroy());
        aedes.handle(socket);
      },
    );
    this.#limits.watch(server);
    // A descriptor that is not to be had right now must not end the agent: the next connection may find one.
    server.on('error', () => {});
    return server;
  }

  /** Those who are no longer among them are cut off. */
  allow(users: BrokerUsers): void {
    this.#rules = accessRules(users);
    for (const [socket, name] of this.#sockets) if (!this.#rules.some(({ user }) => user === name)) socket.destroy();
  }

  cut(): void {
    this.#limits.destroyUnproven();
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  #userOf(client: { readonly conn: unknown } | null): string {
    return client === null ? '' : (this.#sockets.get(client.conn as TLSSocket) ?? '');
  }
}

export const startEmbeddedBroker = async (options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> => {
  const { tls, host = '127.0.0.1' } = options;
  const users = new ConnectedUsers(options.users);
  const aedes = await users.createBroker(options.onlooker);
  let server = users.createServer(tls, aedes);
  const port = await listen(server, host, options.port ?? 0);

  const cut = async (): Promise<void> => {
    if (!server.listening) return;
    const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
    users.cut();
    await stopped;
  };

  return {
    port,
    get connectedClients() {
      return users.count;
    },
    setUsers: (allowed) => users.allow(allowed),
    cut,
    restore: async () => {
      if (server.listening) return;
      server = users.createServer(tls, aedes);
      await listen(server, host, port);
    },
    close: async () => {
      await cut();
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
};
