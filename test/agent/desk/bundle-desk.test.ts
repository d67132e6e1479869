import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MemoryBroker } from '../../../scripts/beds/memory-bus.ts';
import { until } from '../../../scripts/beds/simulated-clock.ts';
import { BundleDesk } from '../../../src/agent/desk/bundle-desk.ts';
import type { DeviceEntry } from '../../../src/agent/provisioning/agent-keys.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import { type BundleRequest, bundleTopic } from '../../../src/wire/bundle-messages.ts';

test('thirty terminals that ask at once are all answered, beside one that asks without end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-bundle-desk-'));
  writeFileSync(join(folder, 'board.raucb'), 'a release');
  const broker = new MemoryBroker();
  const facility = 'clinic-1';
  const devices = Array.from({ length: 30 }, (_, index) => `front-${index}`);
  const loud = 'front-loud';
  const known = new Map([...devices, loud].map((device) => [device, { device, revoked: false } as DeviceEntry]));
  const log = createEventLog({ format: 'silent' });
  const keys = () => ({ facility, agent: 'agent-1' }) as never;
  let withheld = '';
  const context = { bus: broker.connect('agent'), keys, devices: () => known, log };
  const desk = new BundleDesk(context, folder, (sha256) => sha256 === withheld);
  const link = broker.connect('link');
  const request: BundleRequest = { compatible: 'board', id: null, offset: 0, agent: 'agent-1' };
  const ask = (device: string) =>
    void link.publish(bundleTopic(facility, device, 'request'), new TextEncoder().encode(JSON.stringify(request)));
  for (let times = 0; times < 100; times += 1) ask(loud);
  for (const device of devices) ask(device);
  const answered = (device: string): number =>
    broker.passed.filter(({ topic }) => topic === bundleTopic(facility, device, 'answer')).length;
  await until('an answer for each', () => devices.every((device) => answered(device) === 1));
  expect(answered(loud)).toBe(2);
  // Stopped while it lies there: nobody is given another piece, and another file of that name all the same.
  withheld = createHash('sha256').update('a release').digest('hex');
  const [first = '', second = ''] = devices;
  ask(first);
  writeFileSync(join(folder, 'other.raucb'), 'another release');
  void link.publish(
    bundleTopic(facility, second, 'request'),
    new TextEncoder().encode(JSON.stringify({ ...request, compatible: 'other' })),
  );
  await until('the other one', () => answered(second) === 2);
  expect(answered(first)).toBe(1);
  desk.close();
  rmSync(folder, { recursive: true });
});
