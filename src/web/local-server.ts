import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/*
 * The one HTTP and WebSocket server of the house: staff page, patient's page, control panel, preview. It listens on
 * loopback and holds for all of them what each once had to remember by itself: whose name was asked for (DNS
 * rebinding), whose page asks (cross-site requests and sockets), how long a header, a body and a silence may be, how
 * many may be connected at once, and that nothing anybody sends ends the process.
 */

/** A request that passed every check of this module. */
export type LocalRequest = {
  readonly method: 'GET' | 'POST';
  /** Begins with `/`, printable ASCII, as it was sent: nothing is decoded or resolved */
  readonly path: string;
  readonly query: URLSearchParams;
  /** A browser's page of ours asked; without it the client is no browser, or an address was typed in */
  readonly isFromOwnPage: boolean;
  /** Of a POST, within the limit */
  readonly body: Buffer;
};

/** `stream`: the response stays open and is written to by whoever answers (server-sent events). */
export type LocalAnswer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly stream?: (response: ServerResponse) => void;
};

type LocalServerOptions = {
  /** TCP port on 127.0.0.1; 0 = any free one */
  readonly port: number;
  /** A listening socket on 127.0.0.1 that the service manager has opened, in place of `port` */
  readonly inheritedFd?: number;
  /** Sent with every answer */
  readonly headers?: (port: number) => Readonly<Record<string, string>>;
  /** What it throws is answered by 500 and told to `onError`. */
  readonly answer: (request: LocalRequest) => LocalAnswer | Promise<LocalAnswer>;
  readonly socket?: {
    readonly path: string;
    /** A longer message ends its connection. Bytes */
    readonly maximumMessageBytes: number;
    readonly admit: (socket: WebSocket) => void;
  };
  readonly maximumBodyBytes?: number;
  readonly onError?: (error: unknown) => void;
};

export type LocalServer = {
  readonly port: number;
  /** `http://127.0.0.1:<port>` and the same by name */
  readonly origins: readonly string[];
  readonly close: () => Promise<void>;
};

const maximumHeaderBytes = 8_192;
const maximumHeaders = 64;
/** A form of ours has a few hundred bytes. */
const usualBodyBytes = 4_096;
/** A browser on the same machine sends its headers at once. ms */
const headersMs = 5_000;
/** A whole form of some hundred bytes, from the same machine. ms */
const requestMs = 10_000;
/** A page that is open asks more often than this; an idle connection makes room. ms */
const keepAliveMs = 5_000;
/** Of more connections than this, the one that has been silent longest makes room: a flood cannot keep a page out. */
const maximumConnections = 96;
/** Pages that hold a socket; the oldest makes room, and asks again when it is a real one. */
const maximumSockets = 8;

const refusal = (status: number, text: string): LocalAnswer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: text,
});

/**
 * Connections in the order of their last request. What has not asked anything, or not to the end, goes first; then who has
 * waited longest for an answer. Sockets have a limit of their own.
 */
class Connections {
  readonly #idle = new Set<Socket>();
  readonly #busy = new Set<Socket>();
  readonly #upgraded = new Set<Socket>();

  add(socket: Socket): void {
    this.#idle.add(socket);
    socket.once('close', () => {
      this.#idle.delete(socket);
      this.#busy.delete(socket);
      this.#upgraded.delete(socket);
    });
    // The HTTP parser has its own listener; this one stands after an upgrade, too.
    socket.on('error', () => socket.destroy());
    if (this.#idle.size + this.#busy.size <= maximumConnections) return;
    const others = this.#idle.size > 1 ? this.#idle : this.#busy;
    others.values().next().value?.destroy();
  }

  destroyAll(): void {
    for (const socket of [...this.#idle, ...this.#busy, ...this.#upgraded]) socket.destroy();
  }

  upgrades(socket: Socket): void {
    this.#idle.delete(socket);
    this.#upgraded.add(socket);
  }

  /** A whole request has come. */
  begins(socket: Socket): void {
    if (this.#idle.delete(socket)) this.#busy.add(socket);
  }

  ends(socket: Socket): void {
    if (this.#busy.delete(socket)) this.#idle.add(socket);
  }
}

const readBody = async (request: IncomingMessage, maximum: number): Promise<Buffer | null> => {
  if (Number(request.headers['content-length'] ?? 0) > maximum) return null;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > maximum) return null;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
};

/** The path and query of a request line; null for what no browser sends (`//host/…`, `http://…`, `*`, raw bytes). */
const targetOf = (url: string | undefined): Pick<LocalRequest, 'path' | 'query'> | null => {
  if (url === undefined || !/^\/(?!\/)[\x21-\x7e]*$/.test(url)) return null;
  const cut = url.indexOf('?');
  const path = cut < 0 ? url : url.slice(0, cut);
  return { path, query: new URLSearchParams(cut < 0 ? '' : url.slice(cut + 1)) };
};

const send = (request: IncomingMessage, response: ServerResponse, answer: LocalAnswer): void => {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const body = answer.body === undefined ? undefined : Buffer.from(answer.body);
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(answer.stream ? {} : { 'content-length': body?.length ?? 0 }),
  });
  if (answer.stream) answer.stream(response);
  else response.end(request.method === 'HEAD' ? undefined : body);
};

/** Under which names the server is asked, and whose pages may ask: known once it has its port. */
class OwnNames {
  #names: readonly string[] = [];
  origins: readonly string[] = [];

  know(port: number): void {
    this.#names = [`127.0.0.1:${port}`, `localhost:${port}`];
    this.origins = this.#names.map((name) => `http://${name}`);
  }

  /** null: the request may go on. */
  refuse(request: IncomingMessage): LocalAnswer | null {
    const { host, origin } = request.headers;
    if (host === undefined || !this.#names.includes(host)) return refusal(421, 'unknown host');
    if (origin !== undefined && !this.origins.includes(origin)) return refusal(403, 'foreign origin');
    return null;
  }
}

const respond = async (
  request: IncomingMessage,
  connections: Connections,
  { answer, maximumBodyBytes = usualBodyBytes }: LocalServerOptions,
): Promise<LocalAnswer> => {
  const { method } = request;
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST')
    return { ...refusal(405, 'GET or POST'), headers: { allow: 'GET, HEAD, POST' } };
  const target = targetOf(request.url);
  if (target === null) return refusal(400, 'not an address of this page');
  const body = method === 'POST' ? await readBody(request, maximumBodyBytes) : Buffer.alloc(0);
  if (body === null) return { ...refusal(413, 'too long'), headers: { connection: 'close' } };
  connections.begins(request.socket);
  const isFromOwnPage = request.headers.origin !== undefined;
  return answer({ ...target, method: method === 'POST' ? 'POST' : 'GET', isFromOwnPage, body });
};

/** What no parser of HTTP understands, or what is too long for it. */
const refuseUnreadable = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy());
};

/** The WebSockets of the server's pages; nobody else's. Returns how to end them all. */
const admitSockets = (
  server: Server,
  connections: Connections,
  own: OwnNames,
  { socket: options, onError = () => {} }: LocalServerOptions,
): (() => void) => {
  const sockets = new Set<WebSocket>();
  const upgrades = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: options?.maximumMessageBytes ?? 0,
  });
  upgrades.on('wsClientError', (_error, socket) => socket.destroy());
  const admit = (socket: WebSocket): void => {
    const [oldest] = sockets.size >= maximumSockets ? sockets : [];
    oldest?.terminate();
    sockets.add(socket);
    socket.on('error', () => socket.terminate());
    socket.on('close', () => sockets.delete(socket));
    try {
      options?.admit(socket);
    } catch (error) {
      onError(error);
      socket.terminate();
    }
  };
  server.on('upgrade', (request, socket: Socket, head) => {
    connections.upgrades(socket);
    const no = own.refuse(request);
    if (no !== null || options === undefined || request.url !== options.path) {
      const status = no?.status === 421 ? '421 Misdirected Request' : '403 Forbidden';
      // An upgraded socket is ours alone: one whose other end never hangs up must not stay.
      socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n\r\n`, () => socket.destroy());
      return;
    }
    upgrades.handleUpgrade(request, socket, head, admit);
  });
  return () => {
    for (const socket of sockets) socket.terminate();
    upgrades.close();
  };
};

/** Resolves with the port; rejects when it is taken. */
const listen = (server: Server, { inheritedFd, port }: LocalServerOptions): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(inheritedFd === undefined ? { port, host: '127.0.0.1' } : { fd: inheritedFd }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });

/** Rejects when the port is taken. */
export const startLocalServer = async (options: LocalServerOptions): Promise<LocalServer> => {
  const { onError = () => {} } = options;
  const connections = new Connections();
  const own = new OwnNames();
  let headers: Readonly<Record<string, string>> = {};

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { socket } = request;
    response.once('close', () => connections.ends(socket));
    response.on('error', () => response.destroy());
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    try {
      send(request, response, own.refuse(request) ?? (await respond(request, connections, options)));
    } catch (error) {
      // A client that went away in the middle of its body is no fault of ours.
      if (!request.destroyed || request.complete) onError(error);
      send(request, response, refusal(500, 'error'));
    }
  };

  const server = createServer(
    { maxHeaderSize: maximumHeaderBytes, connectionsCheckingInterval: 1_000, requireHostHeader: true },
    (request, response) => void serve(request, response),
  );
  server.maxHeadersCount = maximumHeaders;
  server.headersTimeout = headersMs;
  server.requestTimeout = requestMs;
  server.keepAliveTimeout = keepAliveMs;
  server.on('connection', (socket) => connections.add(socket));
  server.on('clientError', refuseUnreadable);
  const endSockets = admitSockets(server, connections, own, options);

  const port = await listen(server, options);
  // A descriptor that is not to be had right now (EMFILE) must not end anything: the next one may be.
  server.on('error', onError);
  own.know(port);
  headers = options.headers?.(port) ?? {};

  return {
    port,
    origins: own.origins,
    close: async () => {
      endSockets();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        // Also those that were upgraded, which the HTTP server no longer counts as its own.
        connections.destroyAll();
      });
    },
  };
};
