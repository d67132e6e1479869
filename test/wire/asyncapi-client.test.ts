import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Channel, channels, clientOf, type Messages, type Parts } from '../../docs/examples/clinic-client.ts';
import { type AgentBed, makeAgentBed } from '../../scripts/beds/agent-bed.ts';
import { openMessage } from '../../scripts/beds/opened-messages.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { facility } from '../../scripts/beds/test-facility.ts';
import { typeOfSchema } from '../../scripts/generate/asyncapi-client.ts';
import type { asyncapiDocument } from '../../scripts/generate/asyncapi-document.ts';
import { renderedClient } from '../../scripts/generate/render-asyncapi.ts';
import { toBase64url } from '../../src/protocol/base64url.ts';
import { sign, signAndSeal } from '../../src/trust/seal.ts';
import { parseTopic, type TopicLeaf, topicLeaves } from '../../src/wire/topics.ts';

const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('docs/asyncapi.yaml', root), 'utf8');
const document = parse(text) as ReturnType<typeof asyncapiDocument>;

const ajv = new Ajv({ strict: false });
addFormats.default(ajv);
const validators = new Map(
  Object.entries(document.components.messages).map(([name, { payload }]) => [name, ajv.compile(payload as object)]),
);
const check: Parts['check'] = (channel, payload) => {
  const validate = validators.get(channel);
  if (validate === undefined) return 'no such message';
  return validate(payload) ? null : ajv.errorsText(validate.errors);
};
const leafOf = (channel: Channel): TopicLeaf => {
  const leaf = parseTopic(channels[channel].address)?.leaf;
  if (leaf === undefined) throw new Error(channel);
  return leaf;
};

let bed: AgentBed;
beforeAll(async () => {
  bed = await makeAgentBed();
});
afterAll(() => bed.close());

/** A terminal as a stranger would build it: our seals, the generated client, and the bed's broker for MQTT. */
const terminal = () => {
  const bus = bed.broker.connect('front-1');
  const { device, agent } = bed.testFacility;
  return clientOf('terminal', {
    ...{ facility, device: 'front-1', check },
    transport: {
      publish: async (topic, bytes, { retain }) => {
        const published = await bus.publish(topic, bytes, { retain });
        if (!published.ok) throw new Error(published.failure.code);
      },
      subscribe: async (topic, hear) => void bus.subscribe(topic, ({ payload }) => hear(payload)),
    },
    envelopes: {
      close: async (channel, payload) => {
        const message = JSON.parse(new TextDecoder().decode(payload)) as object;
        if (channels[channel].envelope === 'plain') return payload;
        const facilityKey = device.facilityKeys[0];
        if (channels[channel].envelope === 'signed' || facilityKey === undefined)
          return sign(leafOf(channel), message, device.signing);
        return signAndSeal(leafOf(channel), message, device.signing, facilityKey);
      },
      open: async (channel, bytes) => {
        const address = channels[channel].address.replace('{facility}', facility).replace('{device}', 'front-1');
        const { content } = await openMessage(address, bytes, { device, agent });
        return new TextEncoder().encode(JSON.stringify(content));
      },
    },
  });
};

test('docs/examples/clinic-client.ts is what the document renders (npm run asyncapi), and imports nothing', () => {
  const client = readFileSync(new URL('docs/examples/clinic-client.ts', root), 'utf8');
  expect(client).toBe(renderedClient(text));
  expect(client).not.toMatch(/^import\b|\bfrom '/m);
});

test('every channel of the document, each with its address, its direction and its envelope', () => {
  expect(Object.keys(channels)).toHaveLength(topicLeaves.length);
  for (const [name, { address, envelope, retain }] of Object.entries(channels)) {
    expect(address).toBe(document.channels[name]?.address);
    expect(envelope).toBe(document.components.messages[name]?.['x-envelope']);
    expect(retain).toBe(['state', 'settings'].includes(name));
  }
});

test('a terminal made of it asks the real agent, and is answered in the types it has', async () => {
  const client = terminal();
  const refused: Error[] = [];
  const challenges: Messages['challenge'][] = [];
  const answers: Messages['lookupResult'][] = [];
  await client.on(
    'challenge',
    (message) => challenges.push(message),
    (reason) => refused.push(reason),
  );
  await client.on(
    'lookupResult',
    (message) => answers.push(message),
    (reason) => refused.push(reason),
  );
  const requestedAt = bed.clock.now().wallMs;
  const address = { facility, device: 'front-1' };
  await client.send('challengeRequest', { ...address, challengeRequestId: randomUUID(), requestedAt, wanted: 2 });
  await until('challenges', () => challenges.length === 1);
  expect(challenges[0]?.challenges).toHaveLength(2);
  const lookupId = randomUUID();
  const authCertificate = toBase64url(await bed.certificate('5E570001'));
  await client.send('lookup', { ...address, lookupId, session: randomUUID(), requestedAt, authCertificate });
  await until('an answer', () => answers.length === 1);
  expect(answers[0]).toMatchObject({ lookupId, registered: 'yes', certificateStatus: 'good' });
  expect(refused).toEqual([]);
});

test('what the document forbids is neither sent nor handed on; what is only wrong in type does not compile', async () => {
  const client = terminal();
  const passed = bed.broker.passed.length;
  // @ts-expect-error a field is missing
  await expect(client.send('challengeRequest', { facility, device: 'front-1' })).rejects.toThrow('challengeRequest');
  // @ts-expect-error the agent sends receipts
  await expect(client.send('receipt', {})).rejects.toThrow('receipt');
  expect(bed.broker.passed.length).toBe(passed);

  const refused: string[] = [];
  const heard: unknown[] = [];
  await client.on(
    'receipt',
    (message) => heard.push(message),
    (reason) => refused.push(reason.message),
  );
  const { agent } = bed.testFacility;
  const topic = `uketsuke/v1/${facility}/front-1/receipt`;
  bed.broker.deliver(topic, new TextEncoder().encode('{"verdict":"accepted"}'));
  bed.broker.deliver(topic, await sign('receipt', { facility, device: 'front-1', verdict: 'accepted' }, agent.signing));
  await until('refusals', () => refused.length === 2);
  expect(refused[1]).toMatch(/^receipt: .*required property/);
  expect(heard).toEqual([]);
});

test('a form of schema that the generator does not know ends it', () => {
  expect(typeOfSchema({ type: 'array', items: { anyOf: [{ const: 1 }, { type: 'null' }] } })).toBe(
    'readonly (1 | null)[]',
  );
  expect(typeOfSchema({ type: 'object', properties: { 'a-b': { type: 'integer' } } })).toBe(
    '{ readonly "a-b"?: number }',
  );
  expect(() => typeOfSchema({ type: 'tuple' })).toThrow('tuple');
});
