import { startEmbeddedBroker } from '../../drivers/message-bus/aedes-broker.ts';
import { Mosquitto, mosquittoPath } from '../../scripts/beds/mosquitto.ts';
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
}
