import { expect, test } from 'vitest';
import type { Incoming } from '../../../src/agent/agent-context.ts';
import { agentFor, LaneShare } from '../../../src/agent/desk/lane-share.ts';
import type { TopicLeaf } from '../../../src/wire/topics.ts';

const devices = Array.from({ length: 300 }, (_, index) => `front-${index}`);
const three = ['agent-1', 'agent-2', 'agent-3'];

test('each terminal has one agent, whatever the order in which they are told; each agent has about its share', () => {
  const shares = new Map(three.map((agent) => [agent, 0]));
  for (const device of devices) {
    const agent = agentFor(device, three) ?? '';
    expect(agentFor(device, three.toReversed())).toBe(agent);
    shares.set(agent, (shares.get(agent) ?? 0) + 1);
  }
  for (const count of shares.values()) expect(count).toBeGreaterThan(60);
});

test('where one goes, its terminals alone change hands', () => {
  for (const device of devices) {
    const before = agentFor(device, three);
    const after = agentFor(device, ['agent-1', 'agent-3']);
    if (before !== 'agent-2') expect(after).toBe(before);
  }
});

const at = (clock: { ms: number }, own = 'agent-1') => {
  const answered: string[] = [];
  const share = new LaneShare(
    own,
    () => clock.ms,
    ({ leaf, device }) => void answered.push(`${leaf} ${device.device}`),
  );
  const receive = (leaf: TopicLeaf, device: string): void =>
    share.receive({ leaf, device: { device }, payload: new Uint8Array() } as Incoming);
  return { answered, share, receive };
};
const two = ['agent-1', 'agent-2'];
const ownLane = devices.find((device) => agentFor(device, two) === 'agent-1') ?? '';
const otherLane = devices.find((device) => agentFor(device, two) === 'agent-2') ?? '';

test('one agent alone, or one that does not know yet who is there, answers everybody', () => {
  const { answered, receive } = at({ ms: 0 });
  receive('request', ownLane);
  receive('lookup', otherLane);
  expect(answered).toEqual([`request ${ownLane}`, `lookup ${otherLane}`]);
});

test("another's terminal: its state is heard; what it asks waits, and is answered once that agent is known to be silent", () => {
  const clock = { ms: 0 };
  const { answered, share, receive } = at(clock);
  share.look(two);
  for (const leaf of ['state', 'challenge-request', 'lookup', 'request'] as const) receive(leaf, otherLane);
  receive('lookup', ownLane);
  expect(answered).toEqual([`state ${otherLane}`, `lookup ${ownLane}`]);
  clock.ms = 3_000;
  share.look(['agent-1']);
  expect(answered.slice(2)).toEqual(['challenge-request', 'lookup', 'request'].map((leaf) => `${leaf} ${otherLane}`));
  share.look(['agent-1']);
  expect(answered).toHaveLength(5);
});

test('one that stood still holds what it finds until it knows who is there; one whose database is away goes on', () => {
  const clock = { ms: 0 };
  const { answered, share, receive } = at(clock);
  share.look(two);
  clock.ms = 10_000;
  receive('request', ownLane);
  receive('request', otherLane);
  expect(answered).toEqual([]);
  share.look(null);
  expect(answered).toEqual([`request ${ownLane}`]);
  receive('lookup', ownLane);
  expect(answered).toHaveLength(2);
});

test('what the other one has long answered is not answered again when it ends', () => {
  const clock = { ms: 0 };
  const { answered, share, receive } = at(clock);
  share.look(two);
  receive('request', otherLane);
  for (clock.ms = 500; clock.ms <= 4_500; clock.ms += 500) share.look(two);
  share.look(['agent-1']);
  expect(answered).toEqual([]);
});

test('a terminal that never stops asking takes nobody else’s place among what is held', () => {
  const { answered, share, receive } = at({ ms: 0 });
  share.look(two);
  const [loud = '', quiet = ''] = devices.filter((device) => agentFor(device, two) === 'agent-2');
  for (let times = 0; times < 6_000; times += 1) receive('challenge-request', loud);
  receive('request', quiet);
  share.look(['agent-1']);
  expect(answered).toContain(`request ${quiet}`);
  expect(answered).toHaveLength(65);
});
