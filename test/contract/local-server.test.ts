import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type LocalServer, startLocalServer } from '../../src/web/local-server.ts';

let server: LocalServer;
const open = new Set<Socket>();
const errors: unknown[] = [];
const start = async (): Promise<void> => {
  server = await startLocalServer({
    port: 0,
    answer: ({ method, path, body }) => {
      if (path === '/throws') throw new Error('of the page');
      if (path === '/stream') return { status: 200, stream: (response) => void response.write('begun') };
      return { status: 200, body: `${method} ${path} ${body.length}` };
    },
    socket: { path: '/socket', maximumMessageBytes: 16, admit: (socket) => socket.send('in') },
    onError: (error) => errors.push(error),
  });
};
afterEach(async () => {
  for (const socket of open) socket.destroy();
  open.clear();
  errors.length = 0;
  await server.close();
});

const dial = async (): Promise<Socket> => {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  open.add(socket);
  await once(socket, 'connect');
  return socket;
};

/** Sends raw bytes, answers everything that came back until the other side hung up. */
const say = async (bytes: string | Uint8Array): Promise<string> => {
  const socket = await dial();
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.end(bytes);
  await once(socket, 'close');
  return text;
};
const host = (): string => `Host: 127.0.0.1:${server.port}\r\n`;
const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

describe('the local server', () => {
  it.each([
    ['an empty authority', 'GET // HTTP/1.1', 400],
    ['an authority', 'GET //host:99999/ HTTP/1.1', 400],
    ['an absolute address', 'GET http://[ HTTP/1.1', 400],
    ['an asterisk', 'OPTIONS * HTTP/1.1', 405],
    ['a tunnel', 'CONNECT 127.0.0.1:1 HTTP/1.1', 0],
    ['an escape that is none', 'GET /%zz?%=%&&& HTTP/1.1', 200],
    ['a page that throws', 'GET /throws HTTP/1.1', 500],
    ['a method that is none', 'BREW / HTTP/1.1', 400],
  ])('answers %s and lives', async (_name, line, status) => {
    await start();
    expect(statusOf(await say(`${line}\r\n${host()}Connection: close\r\n\r\n`))).toBe(status);
    expect(await say(`GET /after HTTP/1.1\r\n${host()}Connection: close\r\n\r\n`)).toContain('GET /after 0');
  });

  it.each([
    ['no Host', 'GET / HTTP/1.1\r\n', 400],
    ['a foreign Host', 'GET / HTTP/1.1\r\nHost: clinic.example\r\n', 421],
    ['a foreign Origin', 'GET / HTTP/1.1\r\nORIGIN: null\r\n', 403],
    ['long headers', `GET / HTTP/1.1\r\nX: ${'x'.repeat(9_000)}\r\n`, 431],
    ['a long body', 'POST / HTTP/1.1\r\nContent-Length: 4097\r\n', 413],
    ['two lengths', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n', 400],
    ['length and chunks', 'POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n', 400],
  ])('refuses %s', async (_name, head, status) => {
    await start();
    const own = /Host/i.test(head) || (status === 400 && !head.includes('POST')) ? '' : host();
    expect(statusOf(await say(`${head}${own}Connection: close\r\n\r\n`))).toBe(status);
  });

  it('is reached through 500 connections that say nothing', async () => {
    await start();
    const silent = await Promise.all(Array.from({ length: 500 }, dial));
    expect(await say(`GET /through HTTP/1.1\r\n${host()}Connection: close\r\n\r\n`)).toContain('GET /through');
    // The oldest made room: no more than the limit are held.
    expect(silent.filter((socket) => !socket.destroyed && socket.readyState === 'open').length).toBeLessThan(200);
  });

  it.each([
    [
      'bodies that never end',
      () => `POST / HTTP/1.1\r\n${host()}Expect: 100-continue\r\nContent-Length: 4000\r\n\r\nx`,
    ],
    ['answers that never end', () => `GET /stream HTTP/1.1\r\n${host()}\r\n`],
  ])('is reached through a hundred %s', async (_what, head) => {
    await start();
    const held: Socket[] = [];
    for (let index = 0; index < 100; index += 1) {
      const socket = await dial();
      held.push(socket);
      socket.write(head());
      // The server has its request.
      await once(socket, 'data');
    }
    expect(await say(`GET /through HTTP/1.1\r\n${host()}Connection: close\r\n\r\n`)).toContain('GET /through');
    expect(held.filter((socket) => !socket.destroyed && socket.readyState === 'open').length).toBeLessThan(100);
  });

  it('a socket of another page, name or path is refused; a long message ends its own connection alone', async () => {
    await start();
    const address = `ws://127.0.0.1:${server.port}`;
    for (const [path, options] of [
      ['/socket', { origin: 'http://clinic.example' }],
      ['/socket', { headers: { host: 'clinic.example' } }],
      ['/other', {}],
    ] as const) {
      const refused = new WebSocket(`${address}${path}`, options);
      const [error] = (await once(refused, 'error')) as [Error];
      expect(error.message).toMatch(/421|403/);
    }
    const good = new WebSocket(`${address}/socket`);
    await once(good, 'message');
    const long = new WebSocket(`${address}/socket`);
    await once(long, 'message');
    long.send('x'.repeat(17));
    const [code] = (await once(long, 'close')) as [number];
    expect(code).toBe(1009);
    expect(good.readyState).toBe(WebSocket.OPEN);
    good.terminate();
  });

  it('holds no more than eight sockets: the oldest makes room', async () => {
    await start();
    const sockets: WebSocket[] = [];
    for (let index = 0; index < 12; index += 1) {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/socket`);
      socket.on('error', () => {});
      sockets.push(socket);
      await once(socket, 'message');
    }
    await Promise.all(
      sockets.slice(0, 4).map(async (socket) => socket.readyState === WebSocket.CLOSED || once(socket, 'close')),
    );
    expect(sockets.filter(({ readyState }) => readyState === WebSocket.OPEN)).toHaveLength(8);
    for (const socket of sockets) socket.terminate();
  });
});
