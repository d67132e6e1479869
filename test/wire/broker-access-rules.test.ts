import { describe, expect, test } from 'vitest';
import { accessRules, covers, permits, rabbitDefinitions, renderAclFile } from '../../src/wire/broker-access-rules.ts';
import { bundleTopic } from '../../src/wire/bundle-messages.ts';
import { certificateTopic } from '../../src/wire/certificate-messages.ts';
import { publisherOf, topicLeaves, topicOf } from '../../src/wire/topics.ts';

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

/** Beside the messages between terminal and agent: certificates and releases, which a link process asks for. */
test.each([
  ['certificate', certificateTopic],
  ['bundle', bundleTopic],
] as const)('each device asks for its own %s, and the agent answers all', (_what, topic) => {
  const may = (user: string, device: string) =>
    (['request', 'answer'] as const).map((leaf) =>
      (['write', 'read'] as const).filter((access) => permits(rules, user, access, topic('minato', device, leaf))),
    );
  expect(may('front-1', 'front-1')).toEqual([['write'], ['read']]);
  expect(may('front-2', 'front-1')).toEqual([[], []]);
  expect(may('agent-1', 'front-1')).toEqual([['read'], ['write']]);
  expect(permits(rules, 'agent-1', 'read', topic('minato', '+', 'request'))).toBe(true);
});

test('the ACL file says the same, one section a user', () => {
  const text = renderAclFile(users);
  expect(text.startsWith('# ')).toBe(true);
  // What mosquitto reads, and nothing else.
  for (const line of text.split('\n')) expect(line).toMatch(/^(|# .+|user \S+|topic (read|write) \S+)$/);
  const sections = text.split('\nuser ').slice(1);
  expect(sections.map((section) => section.split('\n')[0])).toEqual(['front-1', 'front-2', 'agent-1']);
  const lines = sections.flatMap((section) => section.split('\n').filter((line) => line.startsWith('topic ')));
  expect(lines).toHaveLength(rules.length);
  expect(lines).toContain('topic write uketsuke/v1/minato/front-1/request');
  expect(lines).toContain('topic read uketsuke/v1/minato/+/request');
});

describe('the permissions of RabbitMQ', () => {
  const definitions = rabbitDefinitions(users);
  /** What RabbitMQ makes of a topic or a filter before it asks the expression (rabbit_mqtt_util). */
  const seen = (topic: string): string => topic.replaceAll(/[/.+]/g, (sign) => ({ '/': '.', '.': '/' })[sign] ?? '*');

  test('say the same of every topic and filter', () => {
    const filters = [
      ...['front-1', 'front-2', 'front-10', 'agent-1', '+', '#', ''].flatMap((device) =>
        [...topicLeaves, 'bundle-request', 'certificate', '+', '#', 'unknown'].map(
          (leaf) => `uketsuke/v1/minato/${device}/${leaf}`,
        ),
      ),
      ...[
        '#',
        '+',
        'uketsuke/#',
        'uketsuke/v1/#',
        'uketsuke/+/minato/front-1/request',
        'x/uketsuke/v1/minato/front-1/state',
      ],
      ...[
        'uketsuke.v1.minato.front-1.request',
        'uketsuke/v1/other/front-1/request',
        'uketsuke/v1/minato/front-1/request/more',
      ],
      ...['uketsuke/v1/minato/front-1/request\n', 'uketsuke/v1/minato/front-1', 'uketsuke/v1/minato/front-1/', ''],
    ];
    let granted = 0;
    for (const { user, read, write } of definitions.topic_permissions)
      for (const filter of filters) {
        // Whoever publishes names one topic: MQTT refuses the rest.
        const isTopic = !/[+#]/.test(filter) && !filter.includes('//');
        for (const [access, expression] of Object.entries({ read, ...(isTopic && { write }) })) {
          const is = new RegExp(expression).test(seen(filter));
          const shall = permits(rules, user, access as 'read' | 'write', filter) && !filter.includes('//');
          expect(is, `${user} ${access} ${JSON.stringify(filter)}`).toBe(shall);
          if (is) granted += 1;
        }
      }
    expect(granted).toBeGreaterThan(30);
  });

  test('admit by certificate alone, each to the queues of its own name', () => {
    expect(definitions.users.map(({ name }) => name)).toEqual(['front-1', 'front-2', 'agent-1']);
    const [place, ...others] = definitions.vhosts;
    expect(place?.name).toMatch(/^\w+$/);
    expect(others).toEqual([]);
    for (const { vhost } of [...definitions.permissions, ...definitions.topic_permissions])
      expect(vhost).toBe(place?.name);
    expect(definitions.users.every(({ password_hash, tags }) => password_hash === '' && tags.length === 0)).toBe(true);
    for (const { user, ...permission } of definitions.permissions)
      for (const kind of ['configure', 'write', 'read'] as const) {
        const grants = (name: string): boolean => new RegExp(permission[kind]).test(name);
        expect(grants(`mqtt-subscription-${user}qos1`), kind).toBe(true);
        expect(grants('amq.topic'), kind).toBe(kind !== 'configure');
        for (const other of ['front-3', 'front-11', 'x-front-1'])
          expect(grants(`mqtt-subscription-${other}qos1`), `${user} ${kind} ${other}`).toBe(false);
        for (const name of ['amq.direct', 'amq.topic2', 'amqxtopic', '']) expect(grants(name), name).toBe(false);
      }
  });
});
