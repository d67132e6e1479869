import { z } from 'zod';
import { busQos, messageForms } from '../../src/wire/message-forms.ts';
import { publisherOf, type TopicLeaf, topicLeaves, topicOf } from '../../src/wire/topics.ts';

const nameOf = (leaf: TopicLeaf): string => leaf.replaceAll(/-(\w)/g, (_whole, letter: string) => letter.toUpperCase());

const contentTypes = {
  plain: 'application/json',
  signed: 'application/jose',
  sealed: 'application/jose',
  'sealed-document': 'application/jose',
} as const;
const envelopes = {
  plain: 'JSON, neither signed nor sealed.',
  signed: 'Compact JWS, ES256, protected header exactly {alg, typ, kid}; the schema is that of its payload.',
  sealed:
    'Compact JWE (ECDH-ES, A256GCM, protected header exactly {alg, enc, typ, kid, epk}) of a compact JWS; the schema is that of the JWS payload.',
  'sealed-document':
    'Compact JWE to the facility of a general JWS: signature 1 by the card (RS256, x5c or visualAp; none on the staff path), signature 2 by the device (ES256). The schema is that of the JWS payload.',
} as const;

/** AsyncAPI 3.0 as plain data, told from the terminal's side: it sends what devices publish and receives the rest. */
export const asyncapiDocument = (version: string) => ({
  asyncapi: '3.0.0',
  info: {
    title: 'Uketsuke: terminal and clinic agent',
    version,
    description:
      'Messages between the reception terminal and the agent on the 資格確認端末. Everything that says something of a patient is sealed end to end: the broker sees sizes and times. Rendered by `npm run asyncapi` from src/wire; a test holds it equal.',
    license: { name: 'MIT' },
  },
  defaultContentType: 'application/jose',
  servers: {
    clinicBroker: {
      host: 'broker.clinic.example:8883',
      protocol: 'mqtts',
      protocolVersion: '5',
      description:
        'MQTT 5 (3.1.1 on the embedded broker) over TLS 1.3 with certificates of the facility on both ends. Client id = CN of the certificate = device or agent id; the ACL follows from these channels.',
      security: [{ $ref: '#/components/securitySchemes/facilityCertificate' }],
    },
  },
  channels: Object.fromEntries(
    topicLeaves.map((leaf) => [
      nameOf(leaf),
      {
        address: topicOf('{facility}', '{device}', leaf),
        parameters: {
          facility: { $ref: '#/components/parameters/facility' },
          device: { $ref: '#/components/parameters/device' },
        },
        messages: { [nameOf(leaf)]: { $ref: `#/components/messages/${nameOf(leaf)}` } },
      },
    ]),
  ),
  operations: Object.fromEntries(
    topicLeaves.map((leaf) => {
      const isSent = publisherOf[leaf] === 'device';
      const { answeredOn, retained, summary } = messageForms[leaf];
      return [
        `${isSent ? 'send' : 'receive'}${nameOf(leaf)[0]?.toUpperCase()}${nameOf(leaf).slice(1)}`,
        {
          action: isSent ? 'send' : 'receive',
          channel: { $ref: `#/channels/${nameOf(leaf)}` },
          summary,
          messages: [{ $ref: `#/channels/${nameOf(leaf)}/messages/${nameOf(leaf)}` }],
          ...(answeredOn ? { reply: { channel: { $ref: `#/channels/${nameOf(answeredOn)}` } } } : {}),
          bindings: { mqtt: { qos: busQos, retain: retained, bindingVersion: '0.2.0' } },
        },
      ];
    }),
  ),
  components: {
    securitySchemes: {
      facilityCertificate: { type: 'X509', description: "A certificate of the facility's own CA" },
    },
    parameters: {
      facility: { description: 'Id of the facility' },
      device: { description: 'Id of the terminal' },
    },
    messages: Object.fromEntries(
      topicLeaves.map((leaf) => {
        const { schema, envelope, summary } = messageForms[leaf];
        return [
          nameOf(leaf),
          {
            name: `uketsuke-${leaf}`,
            summary,
            description: envelopes[envelope],
            contentType: contentTypes[envelope],
            'x-envelope': envelope,
            payload: z.toJSONSchema(schema, { target: 'draft-7', io: 'output' }),
          },
        ];
      }),
    ),
  },
});

export const messageNameOf = nameOf;
