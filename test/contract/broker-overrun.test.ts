import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { makeTestFacility } from '../../scripts/beds/test-facility.ts';
import { readBrokerFiles } from '../../src/agent/provisioning/facility-authority.ts';

/** CONNACK of MQTT 3.1.1: accepted */
const accepted = Uint8Array.of(0x20, 2, 0, 0);
const connectMs = 1_000;

/** A broker of ours on 127.0.0.1 that has shown its certificate, and what it does then; a terminal's bus for it. */
const brokerBed = async (met: (socket: TLSSocket) => void) => {
  const bed = await makeTestFacility();
  const files = await readBrokerFiles(bed.directory);
  const open = new Set<TLSSocket>();
  const server = createServer({ key: files.key, cert: files.certificate, minVersion: 'TLSv1.3' }, (socket) => {
    open.add(socket);
    socket.on('error', () => {});
    met(socket);
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { tls, device } = bed.device;
  const bus = createMqttMessageBus({
    ...{ host: 'nodes.example', serverName: '127.0.0.1', port, tls, clientId: device, protocolVersion: 4 as const },
    // Of the other node's host nobody listens: it is gone.
    lookUp: () => Promise.resolve(['127.0.0.1', '127.0.0.2']),
    delays: { connectMs, probeMs: 60_000 },
  });
  let isConnected = false;
  bus.subscribeConnection((connected) => {
    isConnected ||= connected;
  });
  return {
    ...{ bus, files },
    isConnected: () => isConnected,
    /** As the end of its process does */
    kill: () => {
      for (const socket of open) socket.destroy();
    },
    remove: async () => {
      await bus.close();
      server.close();
      bed.remove();
    },
  };
};

test('a broker that is there but takes longer than an attempt to admit anybody is waited for longer each time, also where another node of its cluster is gone', async () => {
  let attempts = 0;
  const bed = await brokerBed((socket) => {
    attempts += 1;
    // As one that two hundred ask at once.
    setTimeout(() => socket.writable && socket.write(accepted), 1.3 * connectMs).unref();
  });
  try {
    await until('admitted', bed.isConnected);
    // The first time it is given up when an attempt is over: it might be somebody who only has our port open.
    expect(attempts).toBeGreaterThan(1);
    // What its certificate says of its end is known, too.
    expect(bed.bus.serverEndsMs).toBe(new X509Certificate(bed.files.certificate).validToDate.getTime());
  } finally {
    await bed.remove();
  }
});

test('a broker that hung once its certificate was shown, and was ended: its next start is not waited for as long as the hung one was', async () => {
  let isHung = true;
  let attempts = 0;
  const bed = await brokerBed((socket) => {
    attempts += 1;
    if (!isHung) socket.write(accepted);
  });
  try {
    await until('the longest wait', () => attempts === 4);
    isHung = false;
    bed.kill();
    const killedMs = performance.now();
    await until('admitted', bed.isConnected);
    expect(performance.now() - killedMs).toBeLessThan(7 * connectMs);
  } finally {
    await bed.remove();
  }
});

test.each([
  [0x80, 'delivery.offline'],
  [0x97, 'delivery.offline'],
  [0x87, 'delivery.access-refused'],
] as const)('a subscription that fails with reason %i of MQTT 5 is %s', async (reason, code) => {
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
