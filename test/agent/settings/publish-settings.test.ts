import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { until } from '../../../scripts/beds/simulated-clock.ts';
import { facility } from '../../../scripts/beds/test-facility.ts';
import { openSigned } from '../../../src/trust/seal.ts';
import { type SettingsMessage, settingsMessageSchema } from '../../../src/wire/messages.ts';
import { sayWire } from '../../../src/wire/versions.ts';

let bed: AgentBed;
beforeEach(async () => {
  bed = await makeAgentBed();
});
afterEach(() => bed.close());

/** What front-1 was told, oldest first. */
const told = async (): Promise<SettingsMessage[]> => {
  const { agents } = bed.testFacility.device;
  const address = { facility, device: 'front-1' };
  const opened = bed.broker
    .passedOn('settings')
    .filter(({ topic }) => topic.includes('/front-1/'))
    .map(({ payload }) => openSigned('settings', payload, settingsMessageSchema, agents, address));
  return (await Promise.all(opened)).map((each) => {
    if (!each.ok) throw new Error(each.failure.detail);
    return each.value.message;
  });
};
/** Of the first release's wire unless `more` says otherwise */
const say = (more: object): Promise<unknown> => bed.say({ version: '0.1.0', since: 1, ...more });
/** How often, once nothing more comes: the settings of the connection may still be on their way. */
const count = async (): Promise<number> => {
  await bed.quiet();
  return bed.broker.passedOn('settings').filter(({ topic }) => topic.includes('/front-1/')).length;
};

test('told again after a restart the settings are the same message: no news, and nothing stale', async () => {
  bed.desk.publishSettings();
  const before = await count();
  expect(before).toBeGreaterThan(0);
  const [first] = await told();
  bed.restart();
  await bed.clock.advance(60_000, async () => {});
  bed.desk.publishSettings();
  expect(await count()).toBeGreaterThan(before);
  for (const again of await told()) expect(again).toEqual(first);
});

test('a terminal that holds later settings than a lost journal knows is told beyond them', async () => {
  bed.desk.publishSettings();
  const known = await count();
  const before = (await told()).at(-1)?.version ?? 0;
  await say({ version: sayWire('0.2.0'), settingsVersion: before + 1_000_000 });
  const times = await count();
  expect(times).toBeGreaterThan(known);
  const beyond = (await told()).at(-1)?.version ?? 0;
  expect(beyond).toBeGreaterThan(before + 1_000_000);
  // What it says then is what we know: nothing is told again.
  await say({ version: sayWire('0.2.0'), settingsVersion: beyond });
  await bed.clock.advance(1_000);
  expect(await count()).toBe(times);
});

test('a version that no settings can have is a lie, and keeps nobody from the next ones', async () => {
  bed.desk.publishSettings();
  await bed.quiet();
  for (const settingsVersion of [2 ** 40, 2_147_483_647, 2_147_483_000]) await say({ settingsVersion });
  await bed.clock.advance(1_000);
  const known = await count();
  const before = (await told()).at(-1)?.version ?? 0;
  bed.desk.publishSettings();
  expect(await count()).toBeGreaterThan(known);
  expect((await told()).at(-1)?.version).toBe(before);
  expect(bed.journal.mishaps()).toEqual([]);
});

test('a terminal that says that it has no settings is told them again, and no oftener than every few seconds', async () => {
  await say({ version: sayWire('0.2.0') });
  expect(await count()).toBeGreaterThan(0);
  const again = async (since: number): Promise<SettingsMessage | undefined> => {
    await bed.clock.advance(60_000, async () => {});
    const before = await count();
    await say({ version: sayWire('0.2.0'), since });
    expect(await count()).toBeGreaterThan(before);
    return (await told()).at(-1);
  };
  const first = await again(10);
  expect(await again(11)).toEqual(first);
  const known = await count();
  for (const since of [2, 3, 4]) await say({ version: sayWire('0.2.0'), since });
  await bed.clock.advance(1_000);
  expect(await count()).toBe(known);
  await bed.clock.advance(60_000, async () => {});
  await say({ version: sayWire('0.2.0'), settingsVersion: first?.version });
  await say({ version: sayWire('0.2.0'), status: 'offline' });
  await bed.clock.advance(1_000);
  expect(await count()).toBe(known);
});

test('a state of a later release is taken without its new keys', async () => {
  await say({ version: '9.9.9+wire.9', planted: { deep: 1 } });
  await until('the lane', () => bed.desk.lanes.all().find(({ device }) => device === 'front-1')?.state !== null);
  expect(bed.desk.lanes.all()[0]?.state).toMatchObject({ version: '9.9.9+wire.9', status: 'idle' });
});
