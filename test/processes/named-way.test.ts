import { expect, test } from 'vitest';
import { MemoryBroker } from '../../scripts/beds/memory-bus.ts';
import { SimulatedClock } from '../../scripts/beds/simulated-clock.ts';
import { type WayEvidence, wireSettlesMs } from '../../src/core/way-to-broker.ts';
import { withWayNamed } from '../../src/processes/named-way.ts';

const well: WayEvidence = {
  ...{ carrier: true, route: 'direct', host: true, router: null, port: 'silent', sent: true },
};

/** `told`: every cause in order; 'connected' */
const bed = (seen: () => WayEvidence | null) => {
  const broker = new MemoryBroker();
  const clock = new SimulatedClock();
  const bus = withWayNamed(broker.connect('terminal'), clock, async () => seen());
  const told: string[] = [];
  bus.subscribeConnection((connected, cause) => told.push(connected ? 'connected' : (cause?.code ?? 'nothing')));
  return { broker, clock, bus, told };
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
  await clock.advance(10_000);
  expect(told.at(-1)).toBe('delivery.offline');
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
