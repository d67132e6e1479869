import { expect, test } from 'vitest';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { makeTestFacility } from '../../scripts/beds/test-facility.ts';
import { loneRabbit, rabbitRoot } from '../../scripts/trials/rabbitmq.ts';
import { renewBrokerFiles } from '../../src/agent/provisioning/broker-configuration.ts';
import { addDevice, deviceDirectory, revokeDevice } from '../../src/agent/provisioning/facility-authority.ts';
import { readLinkKeys } from '../../src/trust/key-files.ts';

if (rabbitRoot === null)
  console.warn('skipped: what a running RabbitMQ refuses needs UKETSUKE_RABBITMQ_ROOT (message-bus.test.ts)');

test.skipIf(rabbitRoot === null)(
  "a running RabbitMQ refuses another's client id, and a revoked certificate as soon as the lists are written, whoever its users are",
  { timeout: 240_000 },
  async () => {
    const bed = await makeTestFacility();
    await addDevice(bed.directory, 'front-9', 9);
    const tls = await readLinkKeys(deviceDirectory(bed.directory, 'front-9'));
    const rabbit = await loneRabbit(rabbitRoot ?? '', bed.directory);
    /** What the certificate of front-9 meets under this client id */
    const meets = async (clientId: string): Promise<string> => {
      const bus = createMqttMessageBus({ host: '127.0.0.1', port: rabbit.port, tls, clientId, protocolVersion: 5 });
      let said = '';
      bus.subscribeConnection((connected, why) => {
        said = connected ? 'admitted' : `${why?.code} ${why?.detail}`;
      });
      await until(`an answer to ${clientId}`, () => said === 'admitted' || said.startsWith('delivery.access-refused'));
      await bus.close();
      return said;
    };
    try {
      await rabbit.start();
      expect(await meets('front-9')).toBe('admitted');
      expect(await meets('front-1')).toMatch(/client identifier/i);
      await revokeDevice(bed.directory, 'front-9');
      await renewBrokerFiles(bed.directory);
      expect(await meets('front-9')).toMatch(/certificate revoked/i);
      const users = (): string[] => rabbit.control('list_users', '--no-table-headers').split(/\s+/);
      expect(users()).toContain('front-9');
      rabbit.control('import_definitions', `${bed.directory}/rabbitmq/definitions.json`);
      rabbit.control('delete_user', 'front-9');
      expect(users()).not.toContain('front-9');
    } finally {
      await rabbit.kill();
      bed.remove();
    }
  },
);
