import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { Ajv } from 'ajv';
import { expect } from 'vitest';
import { parse } from 'yaml';
import type { z } from 'zod';
import type { TopicLeaf } from '../../src/wire/topics.ts';
import { type JsonSchema, messagesOf } from './schema-probes.ts';

/**
 * Messages that try what is published of each topic, with what the published schema says of each. Nothing here comes from
 * src/wire, so that a trial that changes it (npm run mutation) works them out once.
 */
type Probe = {
  readonly message: unknown;
  /** With what the document fills in */
  readonly completed: unknown;
  readonly isTaken: boolean;
};

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** docs/asyncapi.yaml, as far as tests ask it. */
export const published = parse(read('docs/asyncapi.yaml')) as {
  readonly channels: Readonly<Record<string, { readonly address: string }>>;
  readonly operations: Readonly<
    Record<string, { readonly action: 'send' | 'receive'; readonly channel: { readonly $ref: string } }>
  >;
  readonly components: {
    readonly messages: Readonly<Record<string, { readonly name: string; readonly payload: JsonSchema }>>;
  };
};

/** Where two versions are said, the later one. */
const payloadOf = (leaf: TopicLeaf): JsonSchema => {
  const message = Object.values(published.components.messages).find(({ name }) => name === `uketsuke-${leaf}`);
  if (message === undefined) throw new Error(`no message ${leaf}`);
  return message.payload.anyOf?.[1] ?? message.payload;
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

const probesOf = (document: JsonSchema): readonly Probe[] => {
  const validate = ajv.compile(document);
  return messagesOf(document).map((message) => {
    const completed = withDefaults(document, message);
    return { message, completed, isTaken: validate(completed) };
  });
};

const once = (make: (leaf: TopicLeaf) => readonly Probe[]) => {
  const made = new Map<TopicLeaf, readonly Probe[]>();
  return (leaf: TopicLeaf): readonly Probe[] => {
    const probes = made.get(leaf) ?? make(leaf);
    made.set(leaf, probes);
    return probes;
  };
};

/** As docs/asyncapi.yaml publishes it today. */
export const todaysProbes = once((leaf) => probesOf(payloadOf(leaf)));

/** As release 19854c3 published them. */
const firstRelease = JSON.parse(read('test/fixtures/wire-v1-payloads.json')) as Record<TopicLeaf, JsonSchema>;
export const firstReleaseProbes = once((leaf) => probesOf(firstRelease[leaf]));

/** More of them say no more. */
const enoughDifferent = 3;

/** Taken and refused alike by the document and by the schema that receives, and nothing of it is changed. */
export const expectAlike = (schema: z.ZodType, probes: readonly Probe[]): void => {
  const different: unknown[] = [];
  for (const { message, completed, isTaken } of probes) {
    const parsed = schema.safeParse(message);
    if (parsed.success !== isTaken || (parsed.success && !isDeepStrictEqual(parsed.data, completed)))
      different.push({ message, isTaken, parsed: parsed.data ?? parsed.error });
    if (different.length >= enoughDifferent) break;
  }
  expect(different).toEqual([]);
  expect(probes.filter(({ isTaken }) => isTaken).length).toBeGreaterThan(2);
  expect(probes.filter(({ isTaken }) => !isTaken).length).toBeGreaterThan(20);
};
