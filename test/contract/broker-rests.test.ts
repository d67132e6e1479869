import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { makeTestFacility, type TestFacility } from '../../scripts/beds/test-facility.ts';

let made: TestFacility;
beforeAll(async () => {
  made = await makeTestFacility();
});
afterAll(() => made.remove());

test('a bus that is told to rest sends nothing for so long, and tries at once when it is told to', async () => {
  const triedAtMs: number[] = [];
  const nobody = createServer((socket) => {
    triedAtMs.push(performance.now());
    socket.destroy();
  });
  await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve));
  const address = nobody.address();
  const { tls, device } = made.device;
  const bus = createMqttMessageBus({
    ...{ host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0, tls, clientId: device },
    ...{ protocolVersion: 4, delays: { firstPauseMs: 1, lastPauseMs: 1 } },
  });
  const tries = (count: number) => until(`${count} tries`, () => triedAtMs.length >= count);
  await tries(3);
  bus.rest(1_500);
  const beganMs = performance.now();
  // One that was on its way already may still be met.
  const before = triedAtMs.length + 1;
  await tries(before + 1);
  expect((triedAtMs[before] ?? 0) - beganMs).toBeGreaterThanOrEqual(1_490);
  bus.rest(3_600_000);
  bus.rest(0);
  await tries(triedAtMs.length + 2);
  await bus.close();
  nobody.close();
});
