import { beforeEach, expect, test } from 'vitest';
import { MemoryStore } from '../../../scripts/beds/memory-store.ts';
import { SimulatedClock } from '../../../scripts/beds/simulated-clock.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import { createCommandGate } from '../../../src/terminal/delivery/admit-command.ts';
import type { CommandMessage } from '../../../src/wire/messages.ts';

let clock: SimulatedClock;
let store: MemoryStore;
let agentNowMs: number | null;
let admit: ReturnType<typeof createCommandGate>;
let refusals: unknown[];
let count = 0;

beforeEach(() => {
  clock = new SimulatedClock();
  store = new MemoryStore();
  agentNowMs = clock.now().wallMs;
  refusals = [];
  const log = createEventLog({ format: 'silent' });
  log.event = ((name: string, fields: object) => void refusals.push({ name, ...fields })) as typeof log.event;
  admit = createCommandGate({ store, clock, log, agentNowMs: () => agentNowMs });
});

const command = (more: Partial<CommandMessage> = {}): CommandMessage => {
  count += 1;
  const issuedAt = agentNowMs ?? 0;
  return {
    ...{ facility: 'clinic', device: 'front-1', commandId: `command-${count}`, nonce: `nonce-${count}` },
    ...{ issuedAt, expiresAt: issuedAt + 30_000, command: { name: 'answer-help' } },
    ...more,
  };
};
const refused = (code: string) => [expect.objectContaining({ code })];

test('a command in time is carried out once, however often it comes, by whichever id', async () => {
  const one = command();
  expect(await admit(one)).toBe(true);
  expect(refusals).toEqual([]);
  expect(await admit({ ...one, commandId: 'another' })).toBe(false);
  expect(refusals).toEqual([{ name: 'command.refused', command: 'another', code: 'message.stale' }]);
});

test.each([
  [1, true],
  [0, false],
  [-1, false],
])('one with %i ms left by the agent’s clock: %s', async (leftMs, carried) => {
  clock.setWall((agentNowMs ?? 0) + 3_600_000);
  expect(await admit(command({ expiresAt: (agentNowMs ?? 0) + leftMs }))).toBe(carried);
  if (!carried) expect(refusals).toEqual(refused('message.stale'));
});

test('none before the agent’s time is known', async () => {
  const one = command();
  agentNowMs = null;
  expect(await admit(one)).toBe(false);
  expect(refusals).toEqual(refused('message.stale'));
});

test('thirty in a minute, and a minute later again', async () => {
  const many = await Promise.all(Array.from({ length: 31 }, () => admit(command())));
  expect(many.filter(Boolean)).toHaveLength(30);
  expect(many.at(-1)).toBe(false);
  expect(refusals).toEqual(refused('message.stale'));
  await clock.advance(59_999);
  expect(await admit(command())).toBe(false);
  await clock.advance(1);
  expect(await admit(command())).toBe(true);
});

test('none that could not be remembered: it would be carried out again after a restart', async () => {
  store.full = true;
  expect(await admit(command())).toBe(false);
  expect(refusals).toEqual(refused('delivery.store-failed'));
});
