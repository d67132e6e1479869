import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
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
const requestMs = 10_000;
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

/** Connections in the order of their last request; what has never asked anything goes first. */
class Connections {
  readonly #idle = new Set<Socket>();
  readonly #busy = new Set<Socket>();

  add(socket: Socket): void {
    this.#idle.add(socket);
    socket.once('close', () => {
      this.#idle.delete(socket);
      this.#busy.delete(socket);
    });
    // The HTTP parser has its own listener; this one stands after an upgrade, too.
    socket.on('error', () => socket.destroy());
    const oldest =
      this.#idle.size + this.#busy.size > maximumConnections ? this.#idle.values().next().value : undefined;
    oldest?.destroy();
  }

  destroyAll(): void {
    for (const socket of [...this.#idle, ...this.#busy]) socket.destroy();
  }

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

/** Rejects when the port is taken. */
export const startLocalServer = async (options: LocalServerOptions): Promise<LocalServer> => {
  const { answer, socket: socketOptions, maximumBodyBytes = usualBodyBytes, onError = () => {} } = options;
  const connections = new Connections();
  let names: readonly string[] = [];
  let origins: readonly string[] = [];
  let headers: Readonly<Record<string, string>> = {};

  /** null: the request may go on. */
  const refused = (request: IncomingMessage): LocalAnswer | null => {
    const { host, origin } = request.headers;
    if (host === undefined || !names.includes(host)) return refusal(421, 'unknown host');
    if (origin !== undefined && !origins.includes(origin)) return refusal(403, 'foreign origin');
    return null;
  };

  const respond = async (request: IncomingMessage): Promise<LocalAnswer> => {
    const no = refused(request);
    if (no !== null) return no;
    const { method } = request;
    if (method !== 'GET' && method !== 'HEAD' && method !== 'POST')
      return { ...refusal(405, 'GET or POST'), headers: { allow: 'GET, HEAD, POST' } };
    const target = targetOf(request.url);
    if (target === null) return refusal(400, 'not an address of this page');
    const body = method === 'POST' ? await readBody(request, maximumBodyBytes) : Buffer.alloc(0);
    if (body === null) return { ...refusal(413, 'too long'), headers: { connection: 'close' } };
    const isFromOwnPage = request.headers.origin !== undefined;
    return answer({ ...target, method: method === 'POST' ? 'POST' : 'GET', isFromOwnPage, body });
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { socket } = request;
    connections.begins(socket);
    response.once('close', () => connections.ends(socket));
    response.on('error', () => response.destroy());
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    try {
      send(request, response, await respond(request));
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
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy());
  });

  const sockets = new Set<WebSocket>();
  const upgrades = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: socketOptions?.maximumMessageBytes ?? 0,
  });
  upgrades.on('wsClientError', (_error, socket) => socket.destroy());
  const admit = (socket: WebSocket): void => {
    const [oldest] = sockets.size >= maximumSockets ? sockets : [];
    oldest?.terminate();
    sockets.add(socket);
    socket.on('error', () => socket.terminate());
    socket.on('close', () => sockets.delete(socket));
    try {
      socketOptions?.admit(socket);
    } catch (error) {
      onError(error);
      socket.terminate();
    }
  };
  server.on('upgrade', (request, socket: Socket, head) => {
    connections.begins(socket);
    const no = refused(request);
    if (no !== null || socketOptions === undefined || request.url !== socketOptions.path) {
      const status = no?.status === 421 ? '421 Misdirected Request' : '403 Forbidden';
      // An upgraded socket is ours alone: one whose other end never hangs up must not stay.
      socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n\r\n`, () => socket.destroy());
      return;
    }
    upgrades.handleUpgrade(request, socket, head, admit);
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const at =
      options.inheritedFd === undefined ? { port: options.port, host: '127.0.0.1' } : { fd: options.inheritedFd };
    server.listen(at, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  // A descriptor that is not to be had right now (EMFILE) must not end anything: the next one may be.
  server.on('error', onError);
  names = [`127.0.0.1:${port}`, `localhost:${port}`];
  origins = names.map((name) => `http://${name}`);
  headers = options.headers?.(port) ?? {};

  return {
    port,
    origins,
    close: async () => {
      for (const socket of sockets) socket.terminate();
      upgrades.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        // Also those that were upgraded, which the HTTP server no longer counts as its own.
        connections.destroyAll();
      });
    },
  };
};
