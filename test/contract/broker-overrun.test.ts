import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:tls';
import { expect, test } from 'vitest';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { makeTestFacility } from '../../scripts/beds/test-facility.ts';
import { readBrokerFiles } from '../../src/agent/provisioning/facility-authority.ts';

/** CONNACK of MQTT 3.1.1: accepted */
const accepted = Uint8Array.of(0x20, 2, 0, 0);

test('a broker that is there but takes longer than an attempt to admit anybody is waited for longer each time', {
  timeout: 120_000,
}, async () => {
  const bed = await makeTestFacility();
  const files = await readBrokerFiles(bed.directory);
  const connectMs = 1_000;
  let attempts = 0;
  const server = createServer({ key: files.key, cert: files.certificate, minVersion: 'TLSv1.3' }, (socket) => {
    attempts += 1;
    socket.on('error', () => {});
    // As one that two hundred ask at once.
    setTimeout(() => socket.writable && socket.write(accepted), 1.3 * connectMs).unref();
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { tls, device } = bed.device;
  const options = { host: '127.0.0.1', port, tls, clientId: device, protocolVersion: 4 as const };
  const bus = createMqttMessageBus({ ...options, delays: { connectMs, probeMs: 60_000 } });
  let isConnected = false;
  bus.subscribeConnection((connected) => {
    isConnected ||= connected;
  });
  try {
    await until('admitted', () => isConnected, 60_000);
    // The first time it is given up when an attempt is over: it might be somebody who only has our port open.
    expect(attempts).toBeGreaterThan(1);
    // What its certificate says of its end is known, too.
    expect(bus.serverEndsMs).toBe(new X509Certificate(files.certificate).validToDate.getTime());
  } finally {
    await bus.close();
    server.close();
    bed.remove();
  }
});

test.each([
  [0x80, 'delivery.offline'],
  [0x97, 'delivery.offline'],
  [0x87, 'delivery.access-refused'],
] as const)('a subscription that fails with reason %i of MQTT 5 is %s', { timeout: 120_000 }, async (reason, code) => {
  const bed = await makeTestFacility();
  const files = await readBrokerFiles(bed.directory);
  const server = createServer({ key: files.key, cert: files.certificate, minVersion: 'TLSv1.3' }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (packet) => {
      const isConnect = packet[0] === 0x10;
      const [, , high = 0, low = 0] = packet;
      socket.write(isConnect ? Uint8Array.of(0x20, 3, 0, 0, 0) : Uint8Array.of(0x90, 4, high, low, 0, reason));
    });
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { tls, device } = bed.device;
  const bus = createMqttMessageBus({ host: '127.0.0.1', port, tls, clientId: device, protocolVersion: 5 });
  bus.subscribe('a', () => {});
  let said: string | undefined;
  try {
    await until('its cause', () => {
      void bus.publish('b', new Uint8Array()).then((done) => {
        if (!done.ok && done.failure.detail === 'subscription') said = done.failure.code;
      });
      return said !== undefined;
    });
    expect(said).toBe(code);
  } finally {
    await bus.close();
    server.close();
    bed.remove();
  }
});
