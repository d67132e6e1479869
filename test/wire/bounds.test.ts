import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { z } from 'zod';
import { messageForms } from '../../src/wire/message-forms.ts';
import { resultSchema, settingsMessageSchema, stateSchema } from '../../src/wire/messages.ts';
import { type TopicLeaf, topicLeaves } from '../../src/wire/topics.ts';
import { v1Schemas } from '../../src/wire/v1-messages.ts';
import { type JsonSchema, messagesOf } from './schema-probes.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
/** As release 19854c3 published them. */
const firstRelease = JSON.parse(read('test/fixtures/wire-v1-payloads.json')) as Record<TopicLeaf, JsonSchema>;
const published = parse(read('docs/asyncapi.yaml')) as {
  readonly components: {
    readonly messages: Readonly<Record<string, { readonly name: string; readonly payload: JsonSchema }>>;
  };
};
const payloadOf = (leaf: TopicLeaf): JsonSchema => {
  const message = Object.values(published.components.messages).find(({ name }) => name === `uketsuke-${leaf}`);
  if (message === undefined) throw new Error(`no message ${leaf}`);
  return message.payload;
};

const ajv = new Ajv({ strict: false, validateFormats: false });

const hasDefault = (field: JsonSchema): boolean =>
  'default' in field ||
  (field.properties !== undefined && Object.values(field.properties).every((inner) => 'default' in inner));
const defaultOf = (field: JsonSchema): unknown => ('default' in field ? field.default : withDefaults(field, {}));

/** The document says what is sent: what has a default is in it, and may be left out of what is received. */
const withDefaults = (schema: JsonSchema, value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((one) => withDefaults(schema.items ?? {}, one));
  if (typeof value !== 'object' || value === null || schema.properties === undefined) return value;
  const given = Object.entries(value).map(([name, own]) => [name, withDefaults(schema.properties?.[name] ?? {}, own)]);
  const absent = Object.entries(schema.properties).filter(([name]) => !(name in value));
  return {
    ...Object.fromEntries(given),
    ...Object.fromEntries(absent.flatMap(([name, field]) => (hasDefault(field) ? [[name, defaultOf(field)]] : []))),
  };
};

/** Taken and refused alike by the document and by the schema that receives, and nothing of it is changed. */
const expectAlike = (schema: z.ZodType, document: JsonSchema): void => {
  const validate = ajv.compile(document);
  const count = { taken: 0, refused: 0 };
  const different: unknown[] = [];
  for (const message of messagesOf(document)) {
    const completed = withDefaults(document, message);
    const expected = validate(completed);
    const parsed = schema.safeParse(message);
    if (parsed.success !== expected || (parsed.success && !isDeepStrictEqual(parsed.data, completed)))
      different.push({ message, expected, parsed: parsed.data ?? parsed.error });
    count[expected ? 'taken' : 'refused'] += 1;
  }
  expect(different).toEqual([]);
  expect(count.taken).toBeGreaterThan(2);
  expect(count.refused).toBeGreaterThan(20);
};

describe('each field of each message, at its bounds and just beyond', () => {
  /** Where two versions are said, the later one. */
  const todays = { state: stateSchema, result: resultSchema, settings: settingsMessageSchema } as const;

  test.each(topicLeaves)('%s: as docs/asyncapi.yaml publishes it', (leaf) => {
    const document = payloadOf(leaf);
    const schema = (todays as Partial<Record<TopicLeaf, z.ZodType>>)[leaf] ?? messageForms[leaf].schema;
    expectAlike(schema, document.anyOf?.[1] ?? document);
  });

  test.each(topicLeaves)('%s of version 1: as its release published it', (leaf) =>
    expectAlike(v1Schemas[leaf], firstRelease[leaf]),
  );
});
