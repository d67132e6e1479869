// The client made from docs/asyncapi.yaml: both ends of a clinic's bus, signed, in one process without a broker.
import { messageForms } from 'uketsuke/wire/message-forms';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { clientOf } from './clinic-client.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const listeners = new Map();
const parts = {
  facility: 'my-clinic',
  device: 'terminal-01',
  // Yours: an MQTT client over TLS with the facility's certificates
  transport: {
    publish: async (topic, bytes) => listeners.get(topic)?.(bytes),
    subscribe: async (topic, hear) => void listeners.set(topic, hear),
  },
  // Yours: the document says for each channel how it is signed and sealed; here a compact JWS, ES256
  envelopes: {
    close: async (channel, payload) => {
      const head = Buffer.from(JSON.stringify({ alg: 'ES256', typ: `uketsuke-${channel}`, kid: 'mine' }));
      const signed = `${head.toString('base64url')}.${Buffer.from(payload).toString('base64url')}`;
      const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return Buffer.from(`${signed}.${signature.toString('base64url')}`);
    },
    open: async (_channel, bytes) => {
      const [head, payload, signature] = Buffer.from(bytes).toString().split('.');
      const key = { key: publicKey, dsaEncoding: 'ieee-p1363' };
      if (!verify('sha256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature ?? '', 'base64url')))
        throw new Error('signature');
      return Buffer.from(payload, 'base64url');
    },
  },
  // Yours: any validator over the schemas of the document; here the ones that it was made from
  check: (channel, payload) => {
    const leaf = channel.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return messageForms[leaf].schema.safeParse(payload).error?.issues[0]?.message ?? null;
  },
};

const terminal = clientOf('terminal', parts);
const agent = clientOf('agent', parts);
await agent.on(
  'challengeRequest',
  ({ wanted }) => console.log(`the agent is asked for ${wanted} challenges`),
  ({ message }) => console.log(`the agent refuses: ${message}`),
);
const question = { challengeRequestId: crypto.randomUUID(), requestedAt: Date.now(), wanted: 2 };
await terminal.send('challengeRequest', { facility: parts.facility, device: parts.device, ...question });
await listeners.get('uketsuke/v1/my-clinic/terminal-01/challenge-request')(Buffer.from('e30.e30.e30'));
await terminal.send('challengeRequest', question).catch(() => console.log('not sent: the document asks for more'));
// prints: the agent is asked for 2 challenges
// prints: the agent refuses: signature
// prints: not sent: the document asks for more
