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
