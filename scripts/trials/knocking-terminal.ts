import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { topicOf } from '../../src/wire/topics.ts';
import { readDeviceKeys } from '../beds/device-keys.ts';

/*
 * A terminal that wants to be served by the broker: `node knocking-terminal.ts HOST PORT DIRECTORY CONNECTIONS`. Publishes
 * its state and hears it back; prints one JSON line: served or not within 15 s. Each connection moves some traffic.
 */
const [host = '', port = '0', directory = '', connections = '1'] = process.argv.slice(2);
const keys = await readDeviceKeys(directory);
const begun = performance.now();

const visit = async (): Promise<boolean> => {
  const bus = createMqttMessageBus({
    host,
    port: Number(port),
    serverName: 'localhost',
    tls: keys.tls,
    clientId: keys.device,
    protocolVersion: 5,
  });
  const connected = new Promise<boolean>((resolve) => {
    const late = setTimeout(() => resolve(false), 15_000);
    bus.subscribeConnection((isConnected) => {
      if (!isConnected) return;
      clearTimeout(late);
      resolve(true);
    });
  });
  const served = await connected;
  const topic = topicOf(keys.facility, keys.device, 'state');
  if (served) {
    const sent = await bus.publish(topic, Buffer.from('{}'));
    // As much as the answers of some visits: what a terminal is known by.
    for (let index = 0; index < 400; index += 1) await bus.publish(topic, Buffer.alloc(8));
    await bus.close();
    return sent.ok;
  }
  await bus.close();
  return false;
};
let served = true;
for (let index = 0; index < Number(connections) && served; index += 1) served = await visit();
process.stdout.write(`${JSON.stringify({ served, ms: Math.round(performance.now() - begun) })}\n`);
process.exit(0);
