import { expect, test } from 'vitest';
import { MemoryBroker } from '../../scripts/beds/memory-bus.ts';
import { SimulatedClock } from '../../scripts/beds/simulated-clock.ts';
import { type WayEvidence, wireSettlesMs } from '../../src/core/way-to-broker.ts';
import { withWayNamed } from '../../src/processes/named-way.ts';

const well: WayEvidence = {
  ...{ carrier: true, route: 'direct', host: true, router: null, port: 'silent', sent: true },
};

/** `told`: every cause in order; 'connected'. `rests`: until when the bus was told to send nothing, monotonic ms */
const bed = (seen: () => WayEvidence | null) => {
  const broker = new MemoryBroker();
  const clock = new SimulatedClock();
  const rests: number[] = [];
  const inner = { ...broker.connect('terminal'), rest: (ms: number) => rests.push(clock.now().monotonicMs + ms) };
  const bus = withWayNamed(inner, clock, async () => seen());
  const told: string[] = [];
  bus.subscribeConnection((connected, cause) => told.push(connected ? 'connected' : (cause?.code ?? 'nothing')));
  return { broker, clock, bus, told, rests };
};

test('an outage is told by its cause once two looks agree, and a cable at once', async () => {
  let seen: WayEvidence = { ...well, carrier: false };
  const { broker, clock, told, bus } = bed(() => seen);
  broker.setConnected('terminal', false);
  await clock.advance(10);
  expect(told).toEqual(['connected', 'delivery.offline', 'delivery.cable-unplugged']);
  seen = { ...well, port: 'open' };
  await clock.advance(550);
  expect(told.at(-1)).toBe('delivery.cable-unplugged');
  await clock.advance(500);
  expect(told.at(-1)).toBe('delivery.broker-away');
  broker.setConnected('terminal', true);
  expect(told.at(-1)).toBe('connected');
  const before = told.length;
  await clock.advance(10_000);
  expect(told).toHaveLength(before);
  await bus.close();
});

test('what is not known any more is taken back', async () => {
  let seen: WayEvidence | null = { ...well, host: false };
  const { broker, clock, told, bus } = bed(() => seen);
  broker.setConnected('terminal', false);
  await clock.advance(1_100);
  expect(told.at(-1)).toBe('delivery.clinic-pc-away');
  seen = null;
  await clock.advance(3_000);
  expect(told.at(-1)).toBe('delivery.offline');
  await bus.close();
});

test('a router that says only now and then that it knows no way is believed, until it has said nothing for 8 s', async () => {
  const routed = { ...well, route: 'routed', host: null, router: true } as const;
  let looks = 0;
  let says = true;
  const { broker, clock, told, bus } = bed(() => {
    looks += 1;
    return { ...routed, port: says && looks % 3 === 1 ? 'no-network' : 'silent' };
  });
  broker.setConnected('terminal', false);
  await clock.advance(2_000);
  expect(told.slice(1)).toEqual(['delivery.offline', 'delivery.line-down']);
  await clock.advance(10_000);
  expect(told).toHaveLength(3);
  says = false;
  await clock.advance(11_000);
  expect(told.at(-1)).toBe('delivery.offline');
  await bus.close();
});

/** Linux' ip_error and inet_peer_xrlim_allow: any packet to nowhere takes a token, a word takes another one. */
const linuxRouter = (nowMs: () => number) => {
  let tokens = 0;
  let atMs = nowMs();
  return (): boolean => {
    tokens = Math.min(5, tokens + (nowMs() - atMs) / 1_000);
    atMs = nowMs();
    if (tokens < 1) return false;
    tokens -= 1;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
};

test('behind a router nothing but looks goes out, so that one that speaks seldom is heard; and the bus tries again at once', async () => {
  const routed = { ...well, route: 'routed', host: null, router: true } as const;
  let isMended = false;
  let answers: () => boolean = () => false;
  const { broker, clock, told, bus, rests } = bed(() => {
    if (isMended) return { ...routed, port: 'open' };
    return { ...routed, port: answers() ? 'no-network' : 'silent' };
  });
  const nowMs = (): number => clock.now().monotonicMs;
  answers = linuxRouter(nowMs);
  broker.setConnected('terminal', false);
  // What the bus sends meanwhile: a SYN a second, as two of an attempt of 1.5 s and its pause come to.
  for (let seconds = 0; seconds < 6 && told.at(-1) !== 'delivery.line-down'; seconds += 1) {
    await clock.advance(1_000);
    if (nowMs() > (rests.at(-1) ?? 0)) answers();
  }
  expect(told.slice(1)).toEqual(['delivery.offline', 'delivery.line-down']);
  await clock.advance(20_000);
  expect(told).toHaveLength(3);
  expect(rests.at(-1)).toBeGreaterThan(nowMs());
  isMended = true;
  await clock.advance(2_500);
  expect(rests.at(-1)).toBeLessThanOrEqual(nowMs());
  const before = rests.length;
  await clock.advance(2_500);
  expect(rests).toHaveLength(before);
  await bus.close();
});

test('a port that went quiet after it had refused: the wire has to settle anew before its machine is said to be there', async () => {
  let seen: WayEvidence = { ...well, port: 'refused' };
  const { broker, clock, told, bus } = bed(() => seen);
  broker.setConnected('terminal', false);
  await clock.advance(600);
  const before = told.length;
  seen = well;
  await clock.advance(wireSettlesMs - 200);
  expect(told.slice(before)).toEqual(['delivery.offline']);
  seen = { ...well, host: false };
  await clock.advance(1_100);
  expect(told.at(-1)).toBe('delivery.clinic-pc-away');
  await bus.close();
});
