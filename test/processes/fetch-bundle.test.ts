import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MemoryBroker } from '../../scripts/beds/memory-bus.ts';
import { SimulatedClock, until } from '../../scripts/beds/simulated-clock.ts';
import { BundleDesk } from '../../src/agent/desk/bundle-desk.ts';
import type { DeviceEntry } from '../../src/agent/provisioning/agent-keys.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { fetchBundles } from '../../src/processes/fetch-bundle.ts';
import { accessRules, permits } from '../../src/wire/broker-access-rules.ts';
import { bundleTopic, decodePiece, encodePiece, pieceBytes } from '../../src/wire/bundle-messages.ts';

const facility = 'clinic-0001';
const device = 'front-1';
const log = createEventLog({ format: 'silent' });
const compatible = 'uketsuke-terminal-arm64';
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let directory: string;
let broker: MemoryBroker;
let clock: SimulatedClock;
let closed: boolean;
let free: number;
let ends: (() => void)[];
/** Looks that have ended: the next one has its time */
let looks: number;
const askMs = 5 * 60_000;
const at = (folder: string, name: string): string => join(directory, folder, name);
const release = (pieces: number): Buffer => randomBytes(Math.round(pieces * pieceBytes));
const offer = (bytes: Uint8Array): void => writeFileSync(at('agent', `${compatible}.raucb`), bytes);
const kept = (): readonly string[] => readdirSync(join(directory, 'terminal'));
const requests = (): number => broker.passed.filter(({ topic }) => topic.endsWith('/bundle-request')).length;

/** Both ends, with the broker's memory between them. */
const begin = (revoked = false): void => {
  const entry = { device, revoked } as DeviceEntry;
  const keys = () => ({ facility, agent: 'agent-1' }) as never;
  const desk = new BundleDesk(
    { bus: broker.connect('agent'), keys, devices: () => new Map([[device, entry]]), log },
    join(directory, 'agent'),
  );
  looks = -1;
  const watched: Pick<SimulatedClock, 'now' | 'wakeAt'> = {
    now: () => clock.now(),
    wakeAt: (atMs, then) => {
      if (atMs - clock.now().monotonicMs === askMs) looks += 1;
      return clock.wakeAt(atMs, then);
    },
  };
  const endFetching = fetchBundles({
    ...{ clock: watched, log, facility, device, compatible, folder: join(directory, 'terminal') },
    bus: grantingAll(broker.connect('link')),
    mayFetch: () => closed,
    freeBytes: async () => free,
  });
  ends.push(() => desk.close(), endFetching);
};
/** The broker in memory says nothing of what it grants. */
const grantingAll = (bus: ReturnType<MemoryBroker['connect']>): typeof bus => ({
  ...bus,
  subscribe: (filter, listener, choice) => {
    choice?.granted(true);
    return bus.subscribe(filter, listener);
  },
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'uketsuke-bundles-'));
  for (const folder of ['agent', 'terminal']) mkdirSync(join(directory, folder));
  broker = new MemoryBroker();
  clock = new SimulatedClock();
  closed = true;
  free = 1e10;
  ends = [];
  looks = -1;
});
afterEach(() => {
  for (const end of ends) end();
  rmSync(directory, { recursive: true, force: true });
});

/** The next look for a release, from its beginning to its end; `within`: what happens meanwhile */
const look = async (within: () => Promise<void> = async () => {}): Promise<void> => {
  const before = looks;
  await clock.advance(askMs);
  await within();
  await until('the end of a look', () => looks > before);
};
const whole = (bytes: Uint8Array): string => `fetched-${hashOf(bytes)}.raucb`;
test('a release comes in pieces, byte for byte, gets its name at the end, and is not fetched again', async () => {
  const bundle = release(3.5);
  offer(bundle);
  begin();
  expect(requests()).toBe(0);
  await look();
  expect(hashOf(readFileSync(at('terminal', whole(bundle))))).toBe(hashOf(bundle));
  expect(kept()).toEqual([whole(bundle)]);
  // Who has one, then the pieces.
  expect(requests()).toBe(5);
  await look();
  expect(requests()).toBe(6);
  expect(kept()).toEqual([whole(bundle)]);
});

test('while the clinic is open nothing is asked for, also in the midst of a bundle', async () => {
  const bundle = release(4);
  offer(bundle);
  closed = false;
  begin();
  await clock.advance(30 * 60_000);
  expect(requests()).toBe(0);
  closed = true;
  broker.tamper = (passing) => {
    if (requests() === 2) closed = false;
    return [passing];
  };
  await look();
  await clock.advance(60 * 60_000);
  expect(requests()).toBe(2);
  expect(kept()[0]).toMatch(/\.part$/);
});

test.each(['the cable', 'the link'])('%s is away in the midst: it goes on from where it was', async (what) => {
  const bundle = release(5);
  offer(bundle);
  begin();
  broker.tamper = (passing) => {
    if (requests() !== 3) return [passing];
    if (what === 'the link') ends.pop()?.();
    return [];
  };
  const cut = async (): Promise<void> => {
    await until('the cut', () => requests() === 3);
    // An answer that does not come is given up.
    await clock.advance(20_000);
  };
  if (what === 'the cable') await look(cut);
  else {
    await clock.advance(askMs);
    await cut();
  }
  broker.tamper = (passing) => [passing];
  if (what === 'the link') {
    broker = new MemoryBroker();
    begin();
    await look();
  }
  expect(kept()).toEqual([whole(bundle)]);
  const asked = broker.passed.filter(({ topic }) => topic.endsWith('/bundle-request'));
  const offsets = asked.map(
    ({ payload }) => (JSON.parse(new TextDecoder().decode(payload)) as { offset: number }).offset,
  );
  expect(offsets).toEqual([...offsets].sort((one, other) => one - other));
  expect(offsets.filter((offset) => offset === 0)).toHaveLength(what === 'the link' ? 0 : 2);
});

test('what a power cut took of the last pieces is asked for again; what it spoilt is fetched anew', async () => {
  const bundle = release(3);
  offer(bundle);
  const part = at('terminal', `fetched-${hashOf(bundle)}.part`);
  writeFileSync(part, bundle.subarray(0, 2 * pieceBytes));
  truncateSync(part, pieceBytes + 100);
  begin();
  await look();
  expect(kept()).toEqual([whole(bundle)]);

  rmSync(at('terminal', whole(bundle)));
  writeFileSync(part, Buffer.alloc(2 * pieceBytes));
  await look();
  expect(kept()).toEqual([]);
  await look();
  expect(kept()).toEqual([whole(bundle)]);
});

test('another release in the midst begins from the start, and nothing of the one before stays', async () => {
  const [first, second] = [release(4), release(2)];
  offer(first);
  begin();
  broker.tamper = (passing) => {
    if (requests() === 2) offer(second);
    return [passing];
  };
  await look();
  expect(kept()).toEqual([whole(second)]);
});

test('no room on the disk, no release, a terminal that was revoked: nothing is kept', async () => {
  begin();
  // An agent that has none says nothing.
  await look(async () => {
    await until('the question', () => requests() === 1);
    await clock.advance(20_000);
  });
  offer(release(2));
  free = 1_000_000;
  await look();
  for (const end of ends.splice(0)) end();
  free = 1e10;
  // What the desk of before is still about to say goes to nobody.
  broker = new MemoryBroker();
  begin(true);
  await look(async () => {
    await until('the question of the revoked one', () => requests() === 1);
    await clock.advance(20_000);
  });
  expect(kept()).toEqual([]);
});

test('only the agent may say what a piece is, and only to its terminal', () => {
  const rules = accessRules({ facility, agents: ['agent-1'], devices: [device, 'front-2'] });
  const topic = bundleTopic(facility, device, 'answer');
  expect(permits(rules, 'agent-1', 'write', topic)).toBe(true);
  expect(permits(rules, device, 'read', topic)).toBe(true);
  expect(permits(rules, device, 'write', topic)).toBe(false);
  expect(permits(rules, 'front-2', 'read', topic)).toBe(false);
});

test('a piece is read back as it was, and what is none is none', () => {
  const head = { agent: 'agent-1', id: hashOf(Buffer.from('x')), bytes: 9, offset: 4 };
  const piece = encodePiece(head, Buffer.from('\nab'));
  expect(decodePiece(piece)).toEqual({ head, bytes: new Uint8Array(Buffer.from('\nab')) });
  for (const bad of ['', 'x', '{}\n', '{"agent":"a","id":"../../etc","bytes":1,"offset":0}\nx'])
    expect(decodePiece(new TextEncoder().encode(bad)), bad).toBeNull();
  expect(decodePiece(encodePiece(head, Buffer.alloc(pieceBytes + 300)))).toBeNull();
});
