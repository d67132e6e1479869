import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedBroker, startEmbeddedBroker } from '../../drivers/message-bus/aedes-broker.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { readDeviceKeys } from '../../scripts/beds/device-keys.ts';
import { mosquittoPath } from '../../scripts/beds/mosquitto.ts';
import { facility, makeTestFacility } from '../../scripts/beds/test-facility.ts';
import { measureSilence } from '../../scripts/trials/silent-connections.ts';
import { readBrokerFiles } from '../../src/agent/provisioning/facility-authority.ts';

let testFacility: Awaited<ReturnType<typeof makeTestFacility>>;
let broker: EmbeddedBroker;
const silent: Socket[] = [];
beforeEach(async () => {
  testFacility = await makeTestFacility();
  broker = await startEmbeddedBroker({
    tls: await readBrokerFiles(testFacility.directory),
    users: { facility, agents: ['agent-1'], devices: ['front-1'] },
  });
});
afterEach(async () => {
  for (const socket of silent.splice(0)) socket.destroy();
  await broker.close();
  testFacility.remove();
});

const isServed = async (): Promise<boolean> => {
  const keys = await readDeviceKeys(join(testFacility.directory, 'devices', 'front-1'));
  const bus = createMqttMessageBus({
    host: '127.0.0.1',
    port: broker.port,
    tls: keys.tls,
    clientId: 'front-1',
    protocolVersion: 4,
  });
  const connected = await new Promise<boolean>((resolve) => {
    const late = setTimeout(() => resolve(false), 60_000);
    bus.subscribeConnection((is) => {
      if (is) {
        clearTimeout(late);
        resolve(true);
      }
    });
  });
  await bus.close();
  return connected;
};

describe('the embedded broker', () => {
  it('serves a terminal through 1,100 connections that say nothing, and holds few of them', async () => {
    for (let index = 0; index < 1_100; index += 1) {
      // 127.0.0.0/8 is all this machine: from 40 addresses.
      const socket = connect({ port: broker.port, host: '127.0.0.1', localAddress: `127.0.1.${(index % 40) + 1}` });
      socket.on('error', () => socket.destroy());
      silent.push(socket);
      await once(socket, 'connect');
    }
    expect(await isServed()).toBe(true);
    expect(silent.filter((socket) => !socket.destroyed && socket.readyState === 'open').length).toBeLessThanOrEqual(
      128,
    );
    // From one address alone: eight.
    for (const socket of silent.splice(0)) socket.destroy();
    for (let index = 0; index < 50; index += 1) {
      const socket = connect({ port: broker.port, host: '127.0.0.1' });
      socket.on('error', () => socket.destroy());
      silent.push(socket);
      await once(socket, 'connect');
    }
    expect(await isServed()).toBe(true);
  });

  it('lives on bytes that are no TLS, and on half a handshake', async () => {
    for (const bytes of [
      'GET / HTTP/1.1\r\n\r\n',
      '\x16\x03\x01\x40\x00',
      '\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00',
    ]) {
      const socket = connect({ port: broker.port, host: '127.0.0.1' });
      socket.on('error', () => socket.destroy());
      socket.end(Buffer.from(bytes, 'latin1'));
      socket.resume();
      await once(socket, 'close');
    }
    expect(await isServed()).toBe(true);
  });
});

const missing =
  mosquittoPath === null
    ? 'mosquitto'
    : process.getuid?.() !== 0
      ? 'root'
      : spawnSync('nft', ['--version']).error
        ? 'nftables (Debian package nftables)'
        : spawnSync('ip', ['netns', 'list']).status !== 0
          ? 'network namespaces'
          : null;
if (missing !== null) console.warn(`skipped: silent connections against mosquitto need ${missing}`);

it.skipIf(missing !== null)(
  'mosquitto behind its limits serves a terminal through 1,100 silent connections; without them it does not',
  async () => {
    const figures = await measureSilence();
    expect(figures.undefended.served).toBe(false);
    expect(figures.oneAddress.served).toBe(true);
    expect(figures.oneAddress.held).toBeLessThanOrEqual(8);
    expect(figures.manyAddressesUnknown.held).toBeLessThanOrEqual(400);
    expect(figures.manyAddressesUnknown.served).toBe(false);
    expect(figures.manyAddressesKnown.served).toBe(true);
    expect(figures.manyAddressesEnrolled).toMatchObject({ served: true, held: 400 });
    expect(figures.manyAddressesRestarted).toMatchObject({ served: true, held: 400 });
  },
  280_000,
);
