import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEmbeddedBroker } from '../../drivers/message-bus/aedes-broker.ts';
import { HostAddress, type LookUp } from '../../drivers/message-bus/host-address.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { makeTestFacility, type TestFacility } from '../../scripts/beds/test-facility.ts';
import { brokerUsers } from '../../src/agent/provisioning/broker-configuration.ts';
import { readBrokerFiles } from '../../src/agent/provisioning/facility-authority.ts';

/** The broker by its name: what silent, failing and late name servers do to a terminal. */
let made: TestFacility;
let broker: Awaited<ReturnType<typeof startEmbeddedBroker>>;
const start = async (port?: number) =>
  startEmbeddedBroker({
    tls: await readBrokerFiles(made.directory),
    users: await brokerUsers(made.directory),
    ...(port === undefined ? {} : { port }),
  });
beforeAll(async () => {
  made = await makeTestFacility();
  broker = await start();
});
afterAll(async () => {
  await broker.close();
  made.remove();
});

const busBy = (lookUp: LookUp) => {
  const { tls, device } = made.device;
  const bus = createMqttMessageBus({
    ...{ host: 'broker.clinic.test', serverName: '127.0.0.1', port: broker.port, tls, clientId: device },
    ...{ protocolVersion: 4, lookUp, delays: { connectMs: 1_500 } },
  });
  const told = { connections: 0, detail: '' };
  bus.subscribeConnection((connected, cause) => {
    if (connected) told.connections += 1;
    else told.detail = cause?.detail ?? '';
  });
  return { bus, told };
};

test('an answer that comes later than any attempt may take is used all the same, and the silence is told meanwhile', async () => {
  const { promise, resolve } = Promise.withResolvers<string[]>();
  const { bus, told } = busBy(() => promise);
  // Told after 3 s; an attempt is given up after 1.5.
  await until('the silence', () => told.detail.includes('no name server has an answer for broker.clinic.test'));
  resolve(['127.0.0.1']);
  await until('connected', () => told.connections === 1);
  await bus.close();
});

test('a name that nobody knows is told with its name, and asked again until somebody does', async () => {
  let asked = 0;
  const { bus, told } = busBy(async () => {
    asked += 1;
    if (asked < 3) throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    return ['127.0.0.1'];
  });
  await until('the name', () => told.detail === 'the name broker.clinic.test is not known (ENOTFOUND)');
  await until('connected', () => told.connections === 1);
  expect(asked).toBe(3);
  await bus.close();
});

test('name servers that fail later on leave the address that was known', async () => {
  let isDown = false;
  const { bus, told } = busBy(() => (isDown ? new Promise(() => {}) : Promise.resolve(['127.0.0.1'])));
  await until('connected', () => told.connections === 1);
  isDown = true;
  const { port } = broker;
  await broker.close();
  broker = await start(port);
  await until('connected again', () => told.connections === 2);
  await bus.close();
});

test('of several addresses the one that serves is found, and kept to', async () => {
  // Nobody listens at the second address of loopback.
  const { bus, told } = busBy(async () => ['127.0.0.2', '127.0.0.1']);
  await until('connected', () => told.connections === 1);
  const { port } = broker;
  await broker.close();
  broker = await start(port);
  await until('connected again', () => told.connections === 2);
  await bus.close();
});

test('an address at which a stranger answers gives way to the next', async () => {
  const other = await makeTestFacility();
  const stranger = await startEmbeddedBroker({
    ...{ tls: await readBrokerFiles(other.directory), users: await brokerUsers(other.directory) },
    ...{ host: '127.0.0.2', port: broker.port },
  });
  const { bus, told } = busBy(async () => ['127.0.0.2', '127.0.0.1']);
  await until('connected', () => told.connections === 1);
  await bus.close();
  await stranger.close();
  other.remove();
});

test('the address in use stays in use, in whatever order the next answer names it', async () => {
  const asked: string[][] = [
    ['192.0.2.1', '192.0.2.2'],
    ['192.0.2.2', '192.0.2.1'],
  ];
  const address = new HostAddress('broker.clinic.test', async () => asked.shift() ?? []);
  expect(await address.next()).toBe('192.0.2.1');
  address.failed();
  expect(await address.next()).toBe('192.0.2.2');
  await Promise.resolve();
  expect(await address.next()).toBe('192.0.2.2');
});
