import { startEmbeddedBroker } from '../../drivers/message-bus/aedes-broker.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { linkBed } from '../../scripts/beds/link-bed.ts';
import { MemoryStore } from '../../scripts/beds/memory-store.ts';
import { Mosquitto, mosquittoPath } from '../../scripts/beds/mosquitto.ts';
import { loneRabbit, rabbitRoot } from '../../scripts/trials/rabbitmq.ts';
import { brokerUsers } from '../../src/agent/provisioning/broker-configuration.ts';
import { readBrokerFiles } from '../../src/agent/provisioning/facility-authority.ts';
import { messageBusContract } from './message-bus.ts';

messageBusContract('embedded broker (MQTT 3.1.1)', 4, async (facilityDirectory) =>
  startEmbeddedBroker({ tls: await readBrokerFiles(facilityDirectory), users: await brokerUsers(facilityDirectory) }),
);

if (mosquittoPath === null) console.warn('skipped: "message bus: mosquitto" needs the Debian package mosquitto');
else {
  const overMosquitto = async (facilityDirectory: string) => {
    const mosquitto = await Mosquitto.prepare(facilityDirectory);
    await mosquitto.start();
    return {
      port: mosquitto.port,
      cut: () => mosquitto.kill(),
      restore: () => mosquitto.start(),
      close: () => mosquitto.kill(),
    };
  };
  messageBusContract('mosquitto (MQTT 5)', 5, overMosquitto);
  messageBusContract('mosquitto (MQTT 3.1.1)', 4, overMosquitto);
  messageBusContract('mosquitto (MQTT 5), a device by way of its link', 5, overMosquitto, (options) => {
    const mqtt = createMqttMessageBus(options);
    if (options.clientId.startsWith('agent')) return mqtt;
    const bed = linkBed({ bus: mqtt, store: new MemoryStore() });
    const close = async (): Promise<void> => {
      await mqtt.close();
      await bed.close();
    };
    return { ...bed.bus, close };
  });
}

if (rabbitRoot === null)
  console.warn(
    'skipped: "message bus: RabbitMQ" needs UKETSUKE_RABBITMQ_ROOT, a folder with what `npm run fleet -- --broker rabbitmq` keeps in ~/.cache/uketsuke/rabbitmq/trixie.tar',
  );
else {
  const root = rabbitRoot;
  const overRabbit = async (facilityDirectory: string) => {
    const rabbit = await loneRabbit(root, facilityDirectory);
    await rabbit.start();
    return {
      port: rabbit.port,
      retainsNothing: true,
      cut: () => rabbit.kill(),
      restore: () => rabbit.start(),
      close: () => rabbit.kill(),
    };
  };
  messageBusContract('RabbitMQ (MQTT 5)', 5, overRabbit);
  messageBusContract('RabbitMQ (MQTT 3.1.1)', 4, overRabbit);
}
