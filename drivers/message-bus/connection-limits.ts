import type { Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';

/** A terminal proves who it is within milliseconds, over the clinic's network within a second. ms */
export const proofMs = 5_000;
/** Of one address, connections that have not proven anything yet. */
const unprovenOfAddress = 8;
/** Of all addresses. The oldest makes room: who comes now and proves itself at once gets in. */
const unprovenAtAll = 128;
/** Of one certificate: a terminal that reconnects may not have let go of its last connection. */
const provenOfName = 4;

/**
 * Silent connections keep nobody out: before TLS has proven a certificate of the facility a connection is one of few,
 * of its address and at all, and of short life; the oldest makes room for the newest. What is proven is counted apart.
 */
export class ConnectionLimits {
  readonly #unproven = new Map<Socket, string>();
  readonly #proven = new Map<string, Set<TLSSocket>>();

  /** To be called for each server before it listens. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#arrives(socket));
    server.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  /** Held that have proven nothing, for tests and doctors. */
  get unproven(): number {
    return this.#unproven.size;
  }

  /** As the port closes: also of those that never proved anything. */
  destroyUnproven(): void {
    for (const socket of this.#unproven.keys()) socket.destroy();
  }

  #arrives(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    this.#unproven.set(socket, address);
    socket.once('close', () => this.#unproven.delete(socket));
    socket.on('error', () => socket.destroy());
    const ofAddress = [...this.#unproven].filter(([, of]) => of === address);
    if (ofAddress.length > unprovenOfAddress) ofAddress[0]?.[0].destroy();
    const [oldest] = this.#unproven.size > unprovenAtAll ? this.#unproven.keys() : [];
    oldest?.destroy();
  }

  /** The certificate of this connection holds. */
  proves(socket: TLSSocket, name: string): void {
    // TLSSocket wraps the socket that arrived; both have the same two ends.
    for (const raw of this.#unproven.keys())
      if (raw.remotePort === socket.remotePort && raw.remoteAddress === socket.remoteAddress)
        this.#unproven.delete(raw);
    const others = this.#proven.get(name) ?? new Set();
    this.#proven.set(name, others);
    others.add(socket);
    socket.once('close', () => {
      others.delete(socket);
      if (others.size === 0) this.#proven.delete(name);
    });
    const [oldest] = others.size > provenOfName ? others : [];
    oldest?.destroy();
  }
}
