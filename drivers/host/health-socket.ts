import { chmodSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { clearSocketPlace } from './socket-place.ts';

/** A doctor reads at once. ms */
const silentMs = 2_000;
const mostConnections = 16;

type HealthServer = { close(): Promise<void> };

/**
 * Answers each connection to a Unix socket with one JSON document, which may take a while, and hangs up; reads nothing.
 * Only this user and group may connect. Rejects when the path cannot be listened on; what a killed process left behind is
 * taken over.
 */
export const serveHealth = async (path: string, report: () => unknown): Promise<HealthServer> => {
  clearSocketPlace(path);
  const answer = async (socket: Socket): Promise<void> => {
    const text = JSON.stringify(await report());
    // Who neither reads nor hangs up must not hold a descriptor.
    socket.setTimeout(silentMs, () => socket.destroy());
    socket.end(`${text}\n`);
  };
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.resume();
    answer(socket).catch(() => socket.destroy());
  });
  server.maxConnections = mostConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  server.on('error', () => {});
  chmodSync(path, 0o660);
  return {
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
};

/** Beside the terminal's own: whoever connects has the parts tried, and is told what came of it. */
export const partsSocketOf = (healthSocket: string): string => `${healthSocket.replace(/\.sock$/, '')}-parts.sock`;

/** What the daemon at `path` answers, unparsed; null when there is none, or none within `timeoutMs`. */
export const askHealth = (path: string, timeoutMs: number): Promise<string | null> =>
  new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    const end = (answer: string | null): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => end(null));
    socket.on('error', () => end(null));
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
    });
    socket.on('end', () => end(text === '' ? null : text));
  });

/** The same, by its schema. Somebody else's answer, or that of another version, is as good as none. */
export const askReport = async <T>(
  schema: { parse(told: unknown): T },
  path: string,
  timeoutMs: number,
): Promise<T | null> => {
  try {
    return schema.parse(JSON.parse((await askHealth(path, timeoutMs)) ?? ''));
  } catch {
    return null;
  }
};
