import { expect, test } from 'vitest';
import { parseTopic, publisherOf, topicLeaves, topicOf } from '../../src/wire/topics.ts';
import { published } from './published-probes.ts';

/** Of another maker's terminal: what it reads in docs/asyncapi.yaml. */
const channels = Object.values(published.operations).map(({ action, channel }) => {
  const address = published.channels[channel.$ref.replace('#/channels/', '')]?.address;
  if (address === undefined) throw new Error(channel.$ref);
  return { action, address: address.replace('{facility}', 'minato').replace('{device}', 'front-1') };
});

test('each published channel is a topic of ours, sent by whom the document says, and there is no other', () => {
  const leaves = channels.map(({ action, address }) => {
    const topic = parseTopic(address);
    if (topic === null) throw new Error(address);
    expect(topic).toEqual({ facility: 'minato', device: 'front-1', leaf: topic.leaf });
    expect(topicOf(topic.facility, topic.device, topic.leaf)).toBe(address);
    expect(publisherOf[topic.leaf], address).toBe(action === 'send' ? 'device' : 'agent');
    return topic.leaf;
  });
  expect(leaves.sort()).toEqual([...topicLeaves].sort());
});

test.each([
  '',
  'uketsuke/v1/a/b',
  'uketsuke/v1/a/b/unknown',
  'uketsuke/v2/a/b/state',
  'uketsuke/v1//b/state',
  'uketsuke/v1/a//state',
  'uketsuke/v1/a/b/state/',
  'uketsuke/v1/a/b/state/x',
  'uketsuke/v1/a/b/c/state',
  'x/uketsuke/v1/a/b/state',
])('%j is no topic of ours', (topic) => expect(parseTopic(topic)).toBeNull());
