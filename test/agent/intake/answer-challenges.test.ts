import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { facility } from '../../../scripts/beds/test-facility.ts';
import { openSigned } from '../../../src/trust/seal.ts';
import { challengesSchema } from '../../../src/wire/messages.ts';

let bed: AgentBed;
beforeEach(async () => {
  bed = await makeAgentBed();
  await bed.say();
});
afterEach(() => bed.close());

/** What the answer to one more question says of challenges of before. */
const voidBefore = async (): Promise<number | undefined> => {
  await bed.challenge();
  const { agents } = bed.testFacility.device;
  const payload = bed.broker.passedOn('challenge').at(-1)?.payload ?? new Uint8Array();
  const opened = await openSigned('challenge', payload, challengesSchema, agents, { facility, device: 'front-1' });
  if (!opened.ok) throw new Error(opened.failure.detail);
  return opened.value.message.voidBefore;
};

test('an agent that remembers says nothing of before; one that does not says so for as long as a challenge lives', async () => {
  expect(await voidBefore()).toBeUndefined();
  const nowMs = bed.clock.now().wallMs;
  bed.journal.noteRolledBack(nowMs);
  expect(await voidBefore()).toBe(nowMs);
  await bed.clock.advance(bed.options.challengeLifeMs + 1);
  expect(await voidBefore()).toBeUndefined();
});

test('a clock that is set back after the start makes no challenge void that is handed out now', async () => {
  bed.journal.noteRolledBack(bed.clock.now().wallMs);
  bed.clock.setWall(bed.clock.now().wallMs - 3_600_000);
  expect(await voidBefore()).toBeUndefined();
});
