import { type TopicLeaf, topicLeaves } from '../../src/wire/topics.ts';
import { type asyncapiDocument, messageNameOf } from './asyncapi-document.ts';

type Schema = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
};

const isName = (key: string): boolean => /^[A-Za-z_]\w*$/.test(key);

const objectType = ({ properties = {}, required = [], additionalProperties, propertyNames }: Schema): string => {
  const named = Object.entries(properties).map(
    ([key, each]) =>
      `readonly ${isName(key) ? key : JSON.stringify(key)}${required.includes(key) ? '' : '?'}: ${typeOfSchema(each)}`,
  );
  if (named.length > 0) return `{ ${named.join('; ')} }`;
  const value = typeof additionalProperties === 'object' ? typeOfSchema(additionalProperties) : 'never';
  return `Readonly<Record<${propertyNames === undefined ? 'string' : typeOfSchema(propertyNames)}, ${value}>>`;
};

/** The TypeScript type of a JSON schema as the document has them. Throws on a form that it does not know. */
export const typeOfSchema = (schema: Schema): string => {
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined) return [...new Set(either.map(typeOfSchema))].join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((each) => JSON.stringify(each)).join(' | ');
  switch (schema.type) {
    case 'object':
      return objectType(schema);
    case 'array':
      return `readonly (${schema.items === undefined ? 'unknown' : typeOfSchema(schema.items)})[]`;
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'integer':
    case 'number':
      return 'number';
    default:
      throw new Error(`no type for ${JSON.stringify(schema)}`);
  }
};

const runtime = `
export type Channel = keyof Messages;
/** What the terminal sends; an agent receives it. */
export type Sent = { [C in Channel]: (typeof channels)[C]['action'] extends 'send' ? C : never }[Channel];
/** What the terminal receives; an agent sends it. */
export type Received = Exclude<Channel, Sent>;
type Side = { readonly terminal: { sends: Sent; hears: Received }; readonly agent: { sends: Received; hears: Sent } };

/** MQTT as whoever uses this has it: QoS 1; \`hear\` is called for each message under the topic. */
export type Transport = {
  publish(topic: string, bytes: Uint8Array, options: { readonly retain: boolean }): Promise<void>;
  subscribe(topic: string, hear: (bytes: Uint8Array) => void): Promise<void>;
};
/** Signatures and seals, by the channel's envelope; the bytes between are the payload's JSON, UTF-8. */
export type Envelopes = {
  close(channel: Channel, payload: Uint8Array): Promise<Uint8Array>;
  /** Throws on anything that is not signed and sealed as the channel asks. */
  open(channel: Channel, bytes: Uint8Array): Promise<Uint8Array>;
};
export type Parts = {
  readonly facility: string;
  readonly device: string;
  readonly transport: Transport;
  readonly envelopes: Envelopes;
  /** What is wrong with a payload by the document's schema (any validator of JSON Schema draft 7); null: nothing. */
  check(channel: Channel, payload: unknown): string | null;
};

/** \`uketsuke/v1/<facility>/<device>/<leaf>\` */
export const topicOf = ({ facility, device }: Pick<Parts, 'facility' | 'device'>, channel: Channel): string =>
  channels[channel].address.replace('{facility}', facility).replace('{device}', device);

/** One end of the clinic's bus. Nothing is sent or heard that the document does not allow. */
export const clientOf = <S extends keyof Side>(_side: S, parts: Parts) => {
  const { transport, envelopes, check } = parts;
  return {
    /** Throws where the payload is not as the document has it, and where signing or publishing fails. */
    send: async <C extends Side[S]['sends']>(channel: C, payload: Messages[C]): Promise<void> => {
      const wrong = check(channel, payload);
      if (wrong !== null) throw new TypeError(\`\${channel}: \${wrong}\`);
      const bytes = await envelopes.close(channel, new TextEncoder().encode(JSON.stringify(payload)));
      await transport.publish(topicOf(parts, channel), bytes, { retain: channels[channel].retain });
    },
    /** \`refused\`: why a message was not handed on; nothing of it may be believed. */
    on: <C extends Side[S]['hears']>(
      channel: C,
      hear: (payload: Messages[C]) => void,
      refused: (reason: Error) => void,
    ): Promise<void> =>
      transport.subscribe(topicOf(parts, channel), async (bytes) => {
        let payload: unknown;
        try {
          payload = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await envelopes.open(channel, bytes)));
          const wrong = check(channel, payload);
          if (wrong !== null) throw new TypeError(\`\${channel}: \${wrong}\`);
        } catch (error) {
          return refused(error instanceof Error ? error : new Error(String(error)));
        }
        hear(payload as Messages[C]);
      }),
  };
};
`;

/** A TypeScript module that imports nothing, from the document alone. */
export const asyncapiClient = (document: ReturnType<typeof asyncapiDocument>): string => {
  const typeNameOf = (leaf: TopicLeaf): string => {
    const name = messageNameOf(leaf);
    return `${name[0]?.toUpperCase()}${name.slice(1)}`;
  };
  const operations = Object.values(document.operations) as readonly {
    readonly action: string;
    readonly channel: { readonly $ref: string };
    readonly bindings: { readonly mqtt: { readonly retain: boolean } };
  }[];
  const types = topicLeaves.map((leaf) => {
    const message = document.components.messages[messageNameOf(leaf)];
    if (message === undefined) throw new Error(`no message ${leaf}`);
    return `/** ${message.summary} */\nexport type ${typeNameOf(leaf)} = ${typeOfSchema(message.payload as Schema)};\n`;
  });
  const channels = topicLeaves.map((leaf) => {
    const name = messageNameOf(leaf);
    const operation = operations.find(({ channel }) => channel.$ref === `#/channels/${name}`);
    const { address } = document.channels[name] ?? {};
    const envelope = document.components.messages[name]?.['x-envelope'];
    const { action, bindings } = operation ?? {};
    return `  ${name}: ${JSON.stringify({ address, action, retain: bindings?.mqtt.retain, envelope })},\n`;
  });
  return [
    `/*\n * A typed client of ${document.info.title} ${document.info.version}, made from docs/asyncapi.yaml by \`npm run asyncapi\`; a test\n`,
    ' * holds it equal. It imports nothing: copy it. Transport, keys and validator are yours (docs/examples/typed-client.mjs).\n',
    ' * Instants are ms since 1970 UTC by the clock of whoever wrote them, bytes are base64url.\n */\n\n',
    ...types,
    `\nexport type Messages = {\n${topicLeaves.map((leaf) => `  readonly ${messageNameOf(leaf)}: ${typeNameOf(leaf)};\n`).join('')}};\n\n`,
    '/** `action` as the terminal sees it; `envelope`: how the document says that each is signed and sealed */\n',
    `export const channels = {\n${channels.join('')}} as const;\n`,
    runtime,
  ].join('');
};
