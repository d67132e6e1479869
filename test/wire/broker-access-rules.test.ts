import { describe, expect, test } from 'vitest';
import { accessRules, covers, permits, renderAclFile } from '../../src/wire/broker-access-rules.ts';
import { parseTopic, publisherOf, topicLeaves, topicOf } from '../../src/wire/topics.ts';

const users = { facility: 'minato', agents: ['agent-1'], devices: ['front-1', 'front-2'] };
const rules = accessRules(users);

test.each([
  ['a/+/c', 'a/b/c', true],
  ['a/+/c', 'a/+/c', true],
  ['a/+/c', 'a/#', false],
  ['a/+/c', 'a/b/c/d', false],
  ['a/+/c', 'a/b', false],
  ['a/b/c', 'a/+/c', false],
  ['a/#', 'a/b/c', true],
  ['a/#', '#', false],
  ['a/b', 'a/b/', false],
  ['a/b', '', false],
] as const)('%s covers %s: %s', (allowed, requested, answer) => {
  expect(covers(allowed, requested)).toBe(answer);
});

describe('who may what', () => {
  const expected = (
    user: string,
    access: 'read' | 'write',
    device: string,
    leaf: (typeof topicLeaves)[number],
  ): boolean => {
    const role = user === 'agent-1' ? 'agent' : user === device ? 'device' : null;
    return role !== null && (publisherOf[leaf] === role) === (access === 'write');
  };
  for (const user of ['front-1', 'front-2', 'agent-1', 'front-3', '', '+']) {
    test(`${user || 'nobody'}: each leaf of each lane in each direction`, () => {
      for (const device of ['front-1', 'front-2']) {
        for (const leaf of topicLeaves) {
          for (const access of ['read', 'write'] as const) {
            const permitted = permits(rules, user, access, topicOf('minato', device, leaf));
            expect(permitted, `${access} ${device}/${leaf}`).toBe(expected(user, access, device, leaf));
          }
        }
      }
      for (const outside of [
        '#',
        'uketsuke/#',
        'uketsuke/v1/minato/+/+',
        '$SYS/#',
        topicOf('other', 'front-1', 'request'),
      ])
        expect(permits(rules, user, 'read', outside)).toBe(false);
    });
  }
});

test('the ACL file says the same, one section a user', () => {
  const sections = renderAclFile(users).split('\nuser ').slice(1);
  expect(sections.map((section) => section.split('\n')[0])).toEqual(['front-1', 'front-2', 'agent-1']);
  const lines = sections.flatMap((section) => section.split('\n').filter((line) => line.startsWith('topic ')));
  expect(lines).toHaveLength(rules.length);
  expect(lines).toContain('topic write uketsuke/v1/minato/front-1/request');
  expect(lines).toContain('topic read uketsuke/v1/minato/+/request');
});

test.each([
  '',
  'uketsuke/v1/a/b',
  'uketsuke/v1/a/b/unknown',
  'uketsuke/v2/a/b/state',
  'uketsuke/v1//b/state',
  'x/uketsuke/v1/a/b/state',
])('%j is no topic of ours', (topic) => expect(parseTopic(topic)).toBeNull());
