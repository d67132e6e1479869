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
};

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

export const startEmbeddedBroker = async (options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> => {
  const { tls, host = '127.0.0.1' } = options;
  let rules = accessRules(options.users);
  const sockets = new Map<TLSSocket, string>();
  const userOf = (client: { readonly conn: unknown } | null): string =>
    client === null ? '' : (sockets.get(client.conn as TLSSocket) ?? '');

  const limits = new ConnectionLimits();
  const aedes = await Aedes.createBroker({
    connectTimeout: proofMs,
    authenticate: (client, _username, _password, done) => {
      // The client id must be the certificate's name: it cannot push another device's session aside.
      const user = userOf(client);
      done(null, user !== '' && client.id === user && rules.some((rule) => rule.user === user));
    },
    authorizePublish: (client, packet, done) =>
      permits(rules, userOf(client), 'write', packet.topic) ? done(null) : done(new Error('not permitted')),
    authorizeSubscribe: (client, subscription, done) =>
      done(null, permits(rules, userOf(client), 'read', subscription.topic) ? subscription : null),
  });

  const newServer = (): Server => {
    const made = createServer(
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
        sockets.set(socket, name);
        socket.once('close', () => sockets.delete(socket));
        limits.proves(socket, name);
        socket.on('error', () => socket.destroy());
        aedes.handle(socket);
      },
    );
    limits.watch(made);
    // A descriptor that is not to be had right now must not end the agent: the next connection may find one.
    made.on('error', () => {});
    return made;
  };

  let server = newServer();
  const port = await listen(server, host, options.port ?? 0);

  const cut = async (): Promise<void> => {
    if (!server.listening) return;
    const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
    limits.destroyUnproven();
    for (const socket of sockets.keys()) socket.destroy();
    await stopped;
  };

  return {
    port,
    get connectedClients() {
      return sockets.size;
    },
    setUsers: (users) => {
      rules = accessRules(users);
      for (const [socket, name] of sockets) if (!rules.some(({ user }) => user === name)) socket.destroy();
    },
    cut,
    restore: async () => {
      if (server.listening) return;
      server = newServer();
      await listen(server, host, port);
    },
    close: async () => {
      await cut();
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
};
