import { chmodSync } from 'node:fs';
import { connect, createServer, type OnReadOpts, type Server, Socket } from 'node:net';
import type { z } from 'zod';
import { encodeFrame, FrameReader } from './frames.ts';
import { clearSocketPlace } from './socket-place.ts';

/**
 * Frames over Unix sockets between the processes of one device. Whatever the other end does (goes away, comes back,
 * says nonsense, falls silent, reads nothing), the connection ends and no process does.
 */

/** Why a connection ended. `silent`: it was there and said nothing; `replaced`: a newer one of the same peer came. */
export type EndReason = 'closed' | 'silent' | 'malformed' | 'flooded' | 'replaced';

export type Peer = {
  /** Bytes are copied before it returns. Of an ended connection: nothing happens. */
  send(body: object, parts?: readonly Uint8Array[]): void;
  end(): void;
};

type Conversation<M> = {
  /** First words of both ends: another protocol or version is refused as `malformed`. */
  readonly protocol: string;
  /** What the other end may say. Anything else ends the connection. */
  readonly understands: z.ZodType<M>;
  /** The other end has greeted. Called anew for each connection. */
  readonly opened: (peer: Peer) => {
    readonly received: (message: M, parts: readonly Uint8Array[]) => void;
    readonly ended: (reason: EndReason) => void;
  };
  /** A connection that ended before its greeting. */
  readonly refused?: (reason: EndReason) => void;
  readonly delays?: Partial<SocketDelays>;
};

export type SocketDelays = {
  /** Each end says that it lives this often */
  readonly aliveMs: number;
  readonly firstPauseMs: number;
  /** The longest pause before the next attempt: how late an end that came back is noticed */
  readonly lastPauseMs: number;
};
const socketDelays: SocketDelays = {
  aliveMs: 2_000,
  // An end that restarts is there again in a second or nine.
  firstPauseMs: 20,
  lastPauseMs: 500,
};

/** Turns of `aliveMs` without a byte. Counted, not timed: a pause of this process is not laid to the other's account. */
const silentTurns = 4;
/** What the other end has not read. Beyond it, it does not read at all. */
const mostUnread = 8 * 1024 * 1024;

const isAlive = (body: unknown): boolean => typeof body === 'object' && body !== null && 'alive' in body;
const greets = (body: unknown, protocol: string): boolean =>
  typeof body === 'object' && body !== null && 'protocol' in body && body.protocol === protocol;

/**
 * Bytes arrive in one buffer that is overwritten. Node's `data` event would hand over a copy and free what it was copied
 * from as it is, with the card's photo in it.
 */
const readInto = (received: (chunk: Buffer) => void): OnReadOpts => ({
  buffer: Buffer.alloc(64 * 1024),
  callback: (length, buffer) => {
    received(Buffer.from(buffer.buffer, buffer.byteOffset, length));
    return true;
  },
});

/** A connection that a server has accepted, paused, as a socket that reads into a buffer: a server cannot be told to. */
const rereading = (accepted: Socket, onread: OnReadOpts): Socket => {
  const held = accepted as unknown as { _handle: unknown };
  const handle = held._handle;
  held._handle = null;
  const options: object = { handle, onread };
  const socket = new Socket(options);
  // The server counts the one that it knows.
  socket.on('close', () => accepted.destroy());
  return socket.resume();
};

/** Speaks on a socket until it ends; `open` makes it. Answers how to end it from here. */
const converse = <M>(
  open: (onread: OnReadOpts) => Socket,
  conversation: Conversation<M>,
  over: () => void,
  greeted: () => void,
) => {
  const { protocol, understands, opened } = conversation;
  const delays = { ...socketDelays, ...conversation.delays };
  const reader = new FrameReader();
  let listener: ReturnType<typeof opened> | null = null;
  let ended = false;
  let turns = 0;

  const end = (reason: EndReason): void => {
    if (ended) return;
    ended = true;
    clearInterval(heartbeat);
    reader.wipe();
    socket.destroy();
    if (listener === null) conversation.refused?.(reason);
    else listener.ended(reason);
    over();
  };
  const write = (body: object, parts?: readonly Uint8Array[]): void => {
    if (ended) return;
    const frame = encodeFrame(body, parts);
    socket.write(frame, () => frame.fill(0));
    if (socket.writableLength > mostUnread) end('flooded');
  };
  const heartbeat = setInterval(() => {
    turns += 1;
    if (turns > silentTurns) end('silent');
    else write({ alive: true });
  }, delays.aliveMs);

  const take = (body: unknown, parts: readonly Uint8Array[]): void => {
    if (isAlive(body)) return;
    if (listener === null) {
      if (!greets(body, protocol)) return end('malformed');
      greeted();
      listener = opened({ send: write, end: () => end('closed') });
      return;
    }
    const message = understands.safeParse(body);
    if (message.success) listener.received(message.data, parts);
    else end('malformed');
  };

  const receive = (chunk: Buffer): void => {
    // Whoever does not greet has no place to keep, whatever else it says.
    if (listener !== null) turns = 0;
    const frames = ended ? [] : reader.push(chunk);
    if (frames === null) return end('malformed');
    for (const { body, parts } of frames) if (!ended) take(body, parts);
  };
  const socket = open(readInto(receive));
  socket.on('error', () => end('closed'));
  socket.on('close', () => end('closed'));
  write({ protocol });
  return end;
};

/** Where a server listens: a path of its own (mode 0600), or a socket that the service manager has opened for it. */
export type ListenAt = { readonly path: string } | { readonly fd: number };

/** The one listening socket that a socket unit hands over (sd_listen_fds(3)); null = none. */
export const inheritedFd = (environment: NodeJS.ProcessEnv = process.env): number | null =>
  environment.LISTEN_FDS === '1' && environment.LISTEN_PID === String(process.pid) ? 3 : null;

/** The socket handed over by a socket unit, else `path`. */
export const listenAt = (path: string, environment: NodeJS.ProcessEnv = process.env): ListenAt => {
  const fd = inheritedFd(environment);
  return fd === null ? { path } : { fd };
};

export type FramedServer = { close(): Promise<void> };

/** Only this many may be on their way to a greeting. */
const mostConnections = 8;

/** Serves one peer at a time; a newer one that has greeted takes the place of the older, which may be half open. */
export const serveFrames = async <M>(at: ListenAt, conversation: Conversation<M>): Promise<FramedServer> => {
  const ends = new Set<(reason: EndReason) => void>();
  let current: ((reason: EndReason) => void) | null = null;
  const server: Server = createServer({ pauseOnConnect: true }, (accepted) => {
    const end = converse(
      (onread) => rereading(accepted, onread),
      conversation,
      () => {
        ends.delete(end);
        if (current === end) current = null;
      },
      () => {
        current?.('replaced');
        current = end;
      },
    );
    ends.add(end);
  });
  server.maxConnections = mostConnections;
  if ('path' in at) clearSocketPlace(at.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, resolve);
  });
  server.on('error', () => {});
  if ('path' in at) chmodSync(at.path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const end of [...ends]) end('closed');
      }),
  };
};

export type FramedClient = { close(): void };

/** Connects to a server for as long as it lives: at once, and again whenever the connection has ended. */
export const connectFrames = <M>(path: string, conversation: Conversation<M>): FramedClient => {
  const delays = { ...socketDelays, ...conversation.delays };
  let pauseMs = delays.firstPauseMs;
  let timer: NodeJS.Timeout | null = null;
  let end: ((reason: EndReason) => void) | null = null;
  let closed = false;
  const attempt = (): void => {
    let here = true;
    const own = converse(
      (onread) => connect({ path, onread }),
      conversation,
      () => {
        here = false;
        if (closed) return;
        timer = setTimeout(attempt, pauseMs);
        pauseMs = Math.min(2 * pauseMs, delays.lastPauseMs);
      },
      () => {
        pauseMs = delays.firstPauseMs;
      },
    );
    end = here ? own : null;
  };
  attempt();
  return {
    close: () => {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      end?.('closed');
    },
  };
};
