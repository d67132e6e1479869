import { lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import {
  connectFrames,
  type EndReason,
  type FramedClient,
  type FramedServer,
  listenAt,
  type Peer,
  serveFrames,
} from '../../drivers/host/framed-socket.ts';
import { encodeFrame, type Frame, FrameReader, maximumFrameBytes } from '../../drivers/host/frames.ts';
import { serveHealth } from '../../drivers/host/health-socket.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';

vi.setConfig({ testTimeout: 60_000 });
const directory = mkdtempSync(join(tmpdir(), 'uketsuke-frames-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const anyFrame = fc.record({
  body: fc.dictionary(fc.string({ minLength: 1 }), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
  parts: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }),
});

describe('frames', () => {
  test('come out of a stream as they went in, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 6 }), fc.integer({ min: 1, max: 400 }), (frames, cut) => {
        const stream = Buffer.concat(frames.map(({ body, parts }) => encodeFrame(body, parts)));
        const reader = new FrameReader();
        const got: Frame[] = [];
        for (let at = 0; at < stream.length; at += cut) {
          const read = reader.push(Buffer.from(stream.subarray(at, at + cut)));
          expect(read).not.toBeNull();
          got.push(...(read ?? []));
        }
        expect(got).toEqual(frames.map(({ body, parts }) => ({ body: JSON.parse(JSON.stringify(body)), parts })));
      }),
    );
  });

  test('leave nothing in the chunk they came in', () => {
    const chunk = encodeFrame({ type: 'reference' }, [new Uint8Array(100).fill(7)]);
    expect(new FrameReader().push(chunk)).toHaveLength(1);
    expect(chunk.every((byte) => byte === 0)).toBe(true);
  });

  test.each([
    ['longer than allowed', () => Buffer.from([0x7f, 0xff, 0xff, 0xff])],
    ['whose text is no JSON', () => Buffer.from([0, 0, 0, 6, 0, 0, 0, 1, 0, 0x7b])],
    ['whose lengths do not add up', () => Buffer.from([0, 0, 0, 6, 0, 0, 0, 9, 0, 0x7b])],
    ['with too many parts', () => Buffer.from([0, 0, 0, 6, 0, 0, 0, 1, 200, 0x7b])],
    ['too short to be one', () => Buffer.from([0, 0, 0, 1, 0])],
  ])('end a stream at a frame %s', (_name, bytes) => {
    expect(new FrameReader().push(bytes())).toBeNull();
  });

  test('longer than the reader takes are a mistake of the sender', () => {
    expect(() => encodeFrame({}, [new Uint8Array(maximumFrameBytes)])).toThrow(/frame of/);
  });
});

const protocol = 'test/1';
const understands = z.strictObject({ say: z.string() });
type Said = z.infer<typeof understands>;
const quick = { aliveMs: 25, firstPauseMs: 5, lastPauseMs: 20 };
let sockets = 0;
const opened: (FramedClient | FramedServer)[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

/** One end of a conversation and what it heard. */
const end = () => {
  const heard: Said[] = [];
  const ends: EndReason[] = [];
  const refusals: EndReason[] = [];
  const peers: Peer[] = [];
  return {
    heard,
    ends,
    refusals,
    peers,
    conversation: {
      protocol,
      understands,
      delays: quick,
      opened: (peer: Peer) => {
        peers.push(peer);
        return {
          received: (said: Said) => void heard.push(said),
          ended: (reason: EndReason) => void ends.push(reason),
        };
      },
      refused: (reason: EndReason) => void refusals.push(reason),
    },
  };
};
const newPath = (): string => join(directory, `${++sockets}.sock`);
const serve = async (path: string, server = end()) => {
  const running = await serveFrames({ path }, server.conversation);
  opened.push(running);
  return { ...server, running };
};
const dial = (path: string, client = end()) => {
  const running = connectFrames(path, client.conversation);
  opened.push(running);
  return { ...client, running };
};
/** A connection that says what it is told to, and nothing by itself. */
const raw = (path: string): Promise<Socket> =>
  new Promise((resolve) => {
    const socket = connect(path, () => resolve(socket));
    socket.on('error', () => {});
    socket.resume();
  });

describe('a framed socket', () => {
  test('carries messages both ways, and stays while nobody says anything', async () => {
    const path = newPath();
    const [server, client] = [await serve(path), dial(path)];
    await until('both greeted', () => server.peers.length === 1 && client.peers.length === 1);
    client.peers[0]?.send({ say: 'good day' });
    server.peers[0]?.send({ say: 'likewise' });
    await until('both heard', () => server.heard.length === 1 && client.heard.length === 1);
    const beganMs = performance.now();
    await until('many silent turns', () => performance.now() - beganMs > 20 * quick.aliveMs);
    expect([server.ends, client.ends]).toEqual([[], []]);
  });

  test('the client waits for a server that is not there yet, and comes back to one that was away', async () => {
    const path = newPath();
    const client = dial(path);
    const first = await serve(path);
    await until('greeted', () => client.peers.length === 1);
    await first.running.close();
    await until('told', () => client.ends.length === 1);
    const second = await serve(path);
    await until('greeted again', () => client.peers.length === 2 && second.peers.length === 1);
  });

  test('a server that was killed left its socket behind: the next one takes it', async () => {
    const path = newPath();
    const left = createServer();
    await new Promise<void>((resolve) => left.listen(path, resolve));
    const server = await serve(path);
    dial(path);
    await until('greeted', () => server.peers.length === 1);
    left.close();
  });

  test.each([
    ['a directory', (taken: string) => mkdirSync(taken)],
    ['a file', (taken: string) => writeFileSync(taken, 'kept')],
  ])('%s where the socket must be is named and left as it is', async (what, make) => {
    const taken = join(directory, `taken-${what.length}.sock`);
    make(taken);
    await expect(serveFrames({ path: taken }, end().conversation)).rejects.toThrow(
      `socket.place-taken: ${taken}: ${what}`,
    );
    await expect(serveHealth(taken, () => ({}))).rejects.toThrow(`socket.place-taken: ${taken}: ${what}`);
    expect(lstatSync(taken).isSocket()).toBe(false);
  });

  test('nonsense before and after the greeting ends that connection, and no other', async () => {
    const path = newPath();
    const server = await serve(path);
    const stranger = await raw(path);
    stranger.write('GET / HTTP/1.1\r\n\r\n');
    await until('refused', () => server.refusals.length === 1);
    const other = await raw(path);
    other.write(encodeFrame({ protocol: 'test/2' }));
    await until('refused', () => server.refusals.length === 2);
    const rude = await raw(path);
    rude.write(Buffer.concat([encodeFrame({ protocol }), encodeFrame({ shout: 1 })]));
    await until('ended', () => server.ends.length === 1);
    expect([...server.refusals, ...server.ends]).toEqual(['malformed', 'malformed', 'malformed']);
    dial(path);
    await until('served', () => server.peers.length === 2);
  });

  test('an end that hangs is given up: before its greeting and after', async () => {
    const path = newPath();
    const server = await serve(path);
    await raw(path);
    const half = await raw(path);
    half.write(encodeFrame({ protocol }));
    await until('given up', () => server.refusals.length === 1 && server.ends.length === 1);
    expect([...server.refusals, ...server.ends]).toEqual(['silent', 'silent']);
  });

  test('a peer that comes again while its old connection is half open is served at once', async () => {
    const path = newPath();
    const server = await serve(path);
    const half = await raw(path);
    half.write(encodeFrame({ protocol }));
    await until('greeted', () => server.peers.length === 1);
    const client = dial(path);
    await until('replaced', () => client.peers.length === 1 && server.ends.length === 1);
    expect(server.ends).toEqual(['replaced']);
    expect(client.ends).toEqual([]);
  });

  test('a peer that reads nothing is not written to without end', async () => {
    const path = newPath();
    const server = await serve(path);
    const deaf = await raw(path);
    deaf.pause();
    deaf.write(encodeFrame({ protocol }));
    await until('greeted', () => server.peers.length === 1);
    const flood = 'x'.repeat(400_000);
    for (let sent = 0; sent < 100 && server.ends.length === 0; sent++) server.peers[0]?.send({ say: flood });
    expect(server.ends).toEqual(['flooded']);
  });

  test('random bytes never harm the server', async () => {
    const path = newPath();
    const server = await serve(path);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, greetFirst) => {
        const socket = await raw(path);
        if (greetFirst) socket.write(encodeFrame({ protocol }));
        await new Promise<void>((resolve) => socket.end(Buffer.from(bytes), resolve));
        socket.destroy();
      }),
      { numRuns: 200 },
    );
    const client = dial(path);
    await until('served', () => client.peers.length === 1);
    client.peers[0]?.send({ say: 'still here' });
    await until('heard', () => server.heard.some(({ say }) => say === 'still here'));
  });

  test('is the service manager’s where there is one', () => {
    const own = String(process.pid);
    expect(listenAt('/a', { LISTEN_FDS: '1', LISTEN_PID: own })).toEqual({ fd: 3 });
    expect(listenAt('/a', { LISTEN_FDS: '1', LISTEN_PID: '1' })).toEqual({ path: '/a' });
    expect(listenAt('/a', {})).toEqual({ path: '/a' });
  });
});
