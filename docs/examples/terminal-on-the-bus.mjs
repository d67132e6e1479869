// A terminal of your own on a clinic's bus: terminal-on-the-bus.mjs FOLDER PORT, of `uketsuke kit bus`, with an agent running.
import { join } from 'node:path';
import { createMqttMessageBus } from 'uketsuke/message-bus';
import { readLinkKeys, readTerminalKeys } from 'uketsuke/trust/key-files';
import { openSigned, sign } from 'uketsuke/trust/seal';
import { challengesSchema } from 'uketsuke/wire/messages';
import { clientOf } from './clinic-client.ts';

const [folder = '', port = '8883'] = process.argv.slice(2);
const directory = join(folder, 'devices/terminal-01');
const [keys, tls] = await Promise.all([readTerminalKeys(directory), readLinkKeys(directory)]);
const { facility, device } = keys;
const bus = createMqttMessageBus({
  ...{ host: 'localhost', serverName: 'localhost', port: Number(port), tls, clientId: device, protocolVersion: 4 },
});
const terminal = clientOf('terminal', {
  ...{ facility, device, check: () => null },
  transport: {
    publish: async (topic, bytes, options) => {
      const published = await bus.publish(topic, bytes, options);
      if (!published.ok) throw new Error(published.failure.code);
    },
    subscribe: async (topic, hear) => void bus.subscribe(topic, ({ payload }) => hear(payload)),
  },
  envelopes: {
    close: (_channel, payload) => sign('challenge-request', JSON.parse(Buffer.from(payload)), keys.signing),
    open: async (_channel, bytes) => {
      const opened = await openSigned('challenge', bytes, challengesSchema, keys.agents, { facility, device });
      if (!opened.ok) throw new Error(opened.failure.code);
      return Buffer.from(JSON.stringify(opened.value.message));
    },
  },
});

const answered = new Promise((resolve, reject) => terminal.on('challenge', resolve, reject));
await new Promise((resolve) => bus.subscribeConnection((connected) => connected && resolve()));
// The agent may still be on its way. Each question has its own id: the kit tells whoever asks twice under one.
const ask = () => ({ facility, device, challengeRequestId: crypto.randomUUID(), requestedAt: Date.now(), wanted: 2 });
const asking = setInterval(() => terminal.send('challengeRequest', ask()), 1000);
console.log(`challenges from the agent: ${(await answered).challenges.length}`);
clearInterval(asking);
await bus.close();
// prints: challenges from the agent: 2
