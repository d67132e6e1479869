import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { AgentProcess, furnishAgent } from '../../scripts/beds/delivery-bed.ts';
import { Mosquitto, mosquittoPath } from '../../scripts/beds/mosquitto.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { facility, makeTestFacility } from '../../scripts/beds/test-facility.ts';
import { topicOf } from '../../src/wire/topics.ts';

/** A power cut at the clinic's PC: whatever it left of the broker's files, mosquitto starts, and everybody is told again. */
if (mosquittoPath === null) console.warn('skipped: a broker without memory needs mosquitto (Debian package mosquitto)');

test.skipIf(mosquittoPath === null)(
  'a database of zero bytes stops no broker, and settings that it forgot are told again by themselves',
  async () => {
    const bed = await makeTestFacility();
    await furnishAgent(bed.agentDirectory);
    const mosquitto = await Mosquitto.prepare(bed.directory);
    const agent = new AgentProcess(bed.agentDirectory, `127.0.0.1:${mosquitto.port}`);
    const { device, tls } = bed.device;
    const bus = createMqttMessageBus({
      ...{ host: '127.0.0.1', port: mosquitto.port, tls, clientId: device, protocolVersion: 5 },
    });
    let told = 0;
    let connections = 0;
    bus.subscribe(topicOf(facility, device, 'settings'), () => {
      told += 1;
    });
    bus.subscribeConnection((connected) => {
      if (connected) connections += 1;
    });
    try {
      await mosquitto.start();
      await agent.start(['--log', 'silent']);
      await until('the settings', () => told > 0);
      await mosquitto.kill('SIGKILL');
      // Where it would keep its memory by itself, and where a former configuration had it.
      mkdirSync(join(mosquitto.directory, 'state'), { recursive: true });
      for (const name of ['mosquitto.db', 'state/mosquitto.db'])
        writeFileSync(join(mosquitto.directory, name), new Uint8Array(4096));
      const known = { told, connections };
      await mosquitto.start();
      await until('connected again', () => connections > known.connections);
      await until('the settings again', () => told > known.told);
    } finally {
      await bus.close();
      await agent.kill();
      await mosquitto.kill();
      bed.remove();
    }
  },
);
