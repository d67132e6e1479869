import { expect, test } from 'vitest';
import type { z } from 'zod';
import { messageForms } from '../../src/wire/message-forms.ts';
import { resultSchema, stateSchema } from '../../src/wire/messages.ts';
import { type TopicLeaf, topicLeaves } from '../../src/wire/topics.ts';
import { expectAlike, todaysProbes } from './published-probes.ts';

/** Where two versions are said, the later one. */
const todays = { state: stateSchema, result: resultSchema } as const;

// Settings have a file of their own; the one with the most fields last.
const leaves = [...topicLeaves.filter((leaf) => leaf !== 'state' && leaf !== 'settings'), 'state' as const];

test.each(leaves)('%s: each field at its bounds and just beyond, as docs/asyncapi.yaml publishes it', (leaf) =>
  expectAlike((todays as Partial<Record<TopicLeaf, z.ZodType>>)[leaf] ?? messageForms[leaf].schema, todaysProbes(leaf)),
);

test('an end that has not said that it speaks more is told in the words of version 1, which are taken, too', () => {
  const told = { facility: 'minato', device: 'front-1', requestId: '00000000-0000-4000-8000-000000000001' };
  const { schema } = messageForms.result;
  expect(schema.parse({ ...told, outcome: 'failed', messageCode: 'a.b' })).toEqual({
    ...{ ...told, outcome: 'failed', messageCode: 'a.b' },
  });
  expect(schema.parse({ ...told, outcome: 'failed', code: 'a.b' })).toEqual({
    ...told,
    outcome: 'failed',
    code: 'a.b',
  });
});
