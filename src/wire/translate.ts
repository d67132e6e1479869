import type { z } from 'zod';
import type { TopicLeaf } from './topics.ts';
import { v1Schemas } from './v1-messages.ts';
import { codeToV1, settingsToV1 } from './v1-names.ts';

/** A value as a schema takes it, and the keys that were left out for it, as paths: `facilitySettings.newKey`. */
export type Taken<T> = { readonly value: T; readonly unknown: readonly string[] };

/** Deeper than any of our messages nests unknown keys within unknown keys. */
const mostRounds = 8;

const without = (value: unknown, path: readonly PropertyKey[], keys: readonly string[]): unknown => {
  const [head, ...rest] = path;
  if (head === undefined)
    return Object.fromEntries(Object.entries(value as object).filter(([key]) => !keys.includes(key)));
  const inner = without((value as Record<PropertyKey, unknown>)[head], rest, keys);
  return Array.isArray(value)
    ? value.map((each, index) => (index === head ? inner : each))
    : { ...(value as object), [head]: inner };
};

/**
 * Takes what a strict schema knows and leaves out the rest. null: something is wrong besides unknown keys.
 * For state, settings and commands only: of what a card signed nothing may be overlooked.
 */
export const takeKnown = <T>(schema: z.ZodType<T>, value: unknown): Taken<T> | null => {
  const unknown: string[] = [];
  let known = value;
  for (let round = 0; round < mostRounds; round += 1) {
    const parsed = schema.safeParse(known);
    if (parsed.success) return { value: parsed.data, unknown };
    for (const issue of parsed.error.issues) {
      if (issue.code !== 'unrecognized_keys') return null;
      unknown.push(...issue.keys.map((key) => [...issue.path, key].join('.')));
      known = without(known, issue.path, issue.keys);
    }
  }
  return null;
};

/** What has another name today. */
const renamedForV1 = (leaf: TopicLeaf, message: object): object => {
  if ('facilitySettings' in message) return { ...message, facilitySettings: settingsToV1(message.facilitySettings) };
  const isTest = 'profile' in message && message.profile === 'test';
  return codeToV1(leaf, isTest ? { ...message, profile: 'demo' } : message);
};

/**
 * A message of this release in the words of an older wire. Keys that came later are left out; a key that was renamed or
 * whose meaning moved is put back here. Throws when an older wire has no words for it: a fault of whoever made it.
 */
export const inWordsOf = (wire: number, leaf: TopicLeaf, message: object): object => {
  if (wire > 1) return message;
  const taken = takeKnown(v1Schemas[leaf], renamedForV1(leaf, message));
  if (taken === null) throw new Error(`version 1 of the wire has no words for this ${leaf}`);
  return taken.value as object;
};
