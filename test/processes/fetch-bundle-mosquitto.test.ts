import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { AgentProcess, furnishAgent } from '../../scripts/beds/delivery-bed.ts';
import { readDeviceKeys } from '../../scripts/beds/device-keys.ts';
import { freePort } from '../../scripts/beds/free-port.ts';
import { Mosquitto, mosquittoPath } from '../../scripts/beds/mosquitto.ts';
import { SimulatedClock, until } from '../../scripts/beds/simulated-clock.ts';
import { makeTestFacility, type TestFacility } from '../../scripts/beds/test-facility.ts';
import { addAgent } from '../../src/agent/provisioning/facility-authority.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import type { MessageBus } from '../../src/ports/message-bus.ts';
import { fetchBundles } from '../../src/processes/fetch-bundle.ts';
import { type BundleRequest, decodePiece, pieceBytes } from '../../src/wire/bundle-messages.ts';

/*
 * A release on its way to terminals: the link's own fetching, two real agents, and a real mosquitto with the configuration
 * that a clinic gets, its limits and access rules.
 */
if (mosquittoPath === null) console.warn('skipped: bundles over a broker need mosquitto (Debian package mosquitto)');

const compatible = 'uketsuke-terminal-arm64';
/** What a question waits, at most: of simulated time no more than that passes at once. */
const answerMs = 20_000;
const log = createEventLog({ format: 'silent' });
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const release = (pieces: number): Buffer => randomBytes(Math.round(pieces * pieceBytes));

let facility: TestFacility;
let mosquitto: Mosquitto;
let agents: readonly { readonly directory: string; readonly process: AgentProcess }[];
let terminals: Terminal[] = [];

/** A terminal's link, as far as it fetches releases; `port`: the broker's, or of a line before it. */
class Terminal {
  readonly requests: BundleRequest[] = [];
  /** Which agent gave each piece that came */
  readonly givers: string[] = [];
  /** Where the last piece that came ends */
  cameTo = 0;
  isGranted = false;
  mayFetch = true;
  readonly folder: string;
  readonly #clock = new SimulatedClock();
  readonly #bus: ReturnType<typeof createMqttMessageBus>;
  readonly #endFetching: () => void;

  constructor(device: string, tls: Awaited<ReturnType<typeof readDeviceKeys>>['tls'], port: number) {
    this.folder = join(facility.directory, `fetched-${device}`);
    mkdirSync(this.folder, { recursive: true });
    // A machine that stalls for a second is none of this; a line that does is.
    const delays = { connectMs: 10_000, probeMs: 2_000 };
    this.#bus = createMqttMessageBus({
      ...{ host: '127.0.0.1', port, tls, clientId: device, protocolVersion: 5, delays },
    });
    this.#endFetching = fetchBundles({
      ...{ bus: this.#watched(), clock: this.#clock, log, facility: facility.device.facility, device, compatible },
      ...{ folder: this.folder, mayFetch: () => this.mayFetch, freeBytes: async () => 1e10 },
    });
  }

  #watched(): MessageBus {
    return {
      publish: (topic, payload, options) => {
        this.requests.push(JSON.parse(new TextDecoder().decode(payload)) as BundleRequest);
        return this.#bus.publish(topic, payload, options);
      },
      subscribe: (filter, listener, choice) =>
        this.#bus.subscribe(
          filter,
          (delivery) => {
            const piece = decodePiece(delivery.payload);
            this.givers.push(piece?.head.agent ?? 'unreadable');
            this.cameTo = (piece?.head.offset ?? 0) + (piece?.bytes.length ?? 0);
            listener(delivery);
          },
          {
            granted: (granted) => {
              this.isGranted = granted;
              choice?.granted(granted);
            },
          },
        ),
      subscribeConnection: (listener) => this.#bus.subscribeConnection(listener),
      close: () => this.#bus.close(),
    };
  }

  get kept(): readonly string[] {
    return readdirSync(this.folder);
  }

  holds(bundle: Uint8Array): boolean {
    return this.kept.includes(`fetched-${hashOf(bundle)}.raucb`);
  }

  /** Simulated time goes on whenever nothing has come for `patienceMs`, until it holds the release. */
  async fetch(
    bundle: Uint8Array,
    { patienceMs = 2_000, enough = () => this.holds(bundle) }: { patienceMs?: number; enough?: () => boolean } = {},
  ): Promise<void> {
    const endMs = performance.now() + 60_000;
    while (!enough() && performance.now() < endMs) {
      const asked = this.requests.length;
      await this.#clock.advance(answerMs);
      if (this.requests.length === asked) continue;
      for (let came = -1; came < this.givers.length && !enough(); ) {
        came = this.givers.length;
        await until('a piece', () => this.givers.length > came || enough(), patienceMs).catch(() => {});
      }
    }
    expect(enough(), `${this.kept} after ${this.requests.length} questions`).toBe(true);
  }

  async end(): Promise<void> {
    this.#endFetching();
    await this.#bus.close();
  }
}

const terminal = async (device: string, port = mosquitto.port): Promise<Terminal> => {
  const made = new Terminal(device, (await readDeviceKeys(`${facility.directory}/devices/${device}`)).tls, port);
  terminals.push(made);
  await until('a terminal that may hear of bundles', () => made.isGranted);
  return made;
};
const expectNoWayBack = ({ requests }: Terminal): void => {
  const offsets = requests.map(({ offset }) => offset);
  expect(offsets).toEqual([...offsets].sort((one, other) => one - other));
};
const offer = (bundle: Uint8Array, to = agents): void => {
  for (const { directory } of to) writeFileSync(join(directory, 'bundles', `${compatible}.raucb`), bundle);
};

beforeAll(async () => {
  if (mosquittoPath === null) return;
  facility = await makeTestFacility();
  const directories = [facility.agentDirectory, await addAgent(facility.directory, 'agent-2')];
  mosquitto = await Mosquitto.prepare(facility.directory);
  await mosquitto.start();
  agents = await Promise.all(
    directories.map(async (directory) => {
      await furnishAgent(directory);
      mkdirSync(join(directory, 'bundles'), { recursive: true });
      const process = new AgentProcess(directory, `127.0.0.1:${mosquitto.port}`);
      await process.start(['--log', 'json']);
      return { directory, process };
    }),
  );
});
afterAll(async () => {
  if (mosquittoPath === null) return;
  for (const { process } of agents) await process.kill();
  await mosquitto.kill();
  facility.remove();
});
beforeEach(() => {
  terminals = [];
});
afterEach(async () => {
  for (const each of terminals) {
    await each.end();
    rmSync(each.folder, { recursive: true, force: true });
  }
  for (const { directory } of agents ?? []) rmSync(join(directory, 'bundles', `${compatible}.raucb`), { force: true });
});

const onBroker = test.skipIf(mosquittoPath === null);

onBroker('two terminals at once, within what the broker lets through: byte for byte, each from one agent', async () => {
  const bundle = release(20.5);
  offer(bundle);
  const both = [await terminal('front-1'), await terminal('front-2')];
  await Promise.all(both.map((each) => each.fetch(bundle, { patienceMs: 20_000 })));
  for (const { folder, kept, givers, requests } of both) {
    expect(kept).toHaveLength(1);
    expect(hashOf(readFileSync(join(folder, kept[0] ?? '')))).toBe(hashOf(bundle));
    // Every agent answers the question that goes to all of them; the pieces come from one.
    const open = requests.filter(({ agent }) => agent === null).length;
    expect(givers.length).toBeLessThanOrEqual(requests.length + open);
    expect(new Set(requests.flatMap(({ agent }) => agent ?? [])).size).toBe(1);
  }
});

onBroker('a release that lies with one agent alone is found; one that goes away in the midst is relieved', async () => {
  const bundle = release(30);
  const [one, two] = agents;
  if (one === undefined || two === undefined) throw new Error('two agents');
  offer(bundle, [one]);
  const lane = await terminal('front-1');
  await lane.fetch(bundle, { enough: () => lane.givers.length >= 5 });
  expect(new Set(lane.givers)).toEqual(new Set(['agent-1']));
  one.process.signal('SIGSTOP');
  try {
    offer(bundle, [two]);
    await lane.fetch(bundle);
  } finally {
    one.process.signal('SIGCONT');
  }
  expect(lane.givers.at(-1)).toBe('agent-2');
  // From where it was.
  expectNoWayBack(lane);
});

onBroker('the broker dies in the midst, then the terminal: both times it goes on from where it was', async () => {
  const bundle = release(40);
  offer(bundle);
  const lane = await terminal('front-1');
  await lane.fetch(bundle, { enough: () => lane.givers.length >= 8 });
  lane.isGranted = false;
  await mosquitto.kill();
  await mosquitto.start();
  await until('the broker again', () => lane.isGranted);
  const came = lane.givers.length;
  await lane.fetch(bundle, { enough: () => lane.givers.length >= came + 8 });
  lane.mayFetch = false;
  const part = join(lane.folder, `fetched-${hashOf(bundle)}.part`);
  await until('the last piece is laid', () => readFileSync(part).length === lane.cameTo);
  await lane.end();
  // What the disk had of the last piece.
  const had = lane.cameTo - 1_000;
  truncateSync(part, had);
  const again = await terminal('front-1');
  await again.fetch(bundle);
  expect(again.requests[0]).toMatchObject({ id: hashOf(bundle), offset: had });
  expectNoWayBack(lane);
});

/** A line before the broker that carries so many bytes a second to the terminal, bit by bit. */
const slowLine = async () => {
  const port = await freePort();
  const line = { port, bytesPerSecond: 1e9, close: () => server.close() };
  const server = createServer((near) => {
    const far = connect(mosquitto.port, '127.0.0.1');
    near.pipe(far);
    let waiting = Buffer.alloc(0);
    far.on('data', (bytes: Buffer) => {
      waiting = Buffer.concat([waiting, bytes]);
    });
    const drip = setInterval(() => {
      const now = Math.min(waiting.length, Math.ceil(line.bytesPerSecond / 50));
      near.write(waiting.subarray(0, now));
      waiting = waiting.subarray(now);
    }, 20);
    for (const each of [near, far]) {
      each.on('error', () => {});
      each.on('close', () => {
        clearInterval(drip);
        near.destroy();
        far.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return line;
};

onBroker(
  'a piece is on a slow line for longer than the silence that ends a connection: it comes all the same',
  async () => {
    const bundle = release(1.25);
    offer(bundle);
    const line = await slowLine();
    try {
      const slow = await terminal('front-1', line.port);
      line.bytesPerSecond = 16 * 1024;
      await slow.fetch(bundle, { patienceMs: 10_000 });
    } finally {
      line.close();
    }
  },
);
