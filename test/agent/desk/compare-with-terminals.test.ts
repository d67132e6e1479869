import { copyFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { until } from '../../../scripts/beds/simulated-clock.ts';
import { compareWithTerminals } from '../../../src/agent/desk/compare-with-terminals.ts';
import { dayMs } from '../../../src/core/time-units.ts';

/* An older copy of the agent's whole directory: journal, keys and witness agree with each other, and not with what the terminals saw. */

let bed: AgentBed;
beforeEach(async () => {
  bed = await makeAgentBed();
});
afterEach(() => bed.close());

const mishaps = () => bed.journal.mishaps().map(({ code }) => code);

/** One visit; what the terminal says of it afterwards */
const visit = async () => {
  const requestId = crypto.randomUUID();
  const { sealed } = await bed.sign(await bed.pin('5E570001'), { requestId });
  await bed.request(sealed);
  return { requestId, at: bed.journal.visit(requestId)?.receivedAt ?? 0 };
};
const copyPath = () => `${bed.journalPath}.copy`;
const putCopyBack = (): void => {
  bed.restart(() => copyFileSync(copyPath(), bed.journalPath));
};

test('a request that was accepted and that the journal does not know: told once, until a newer visit is known', async () => {
  await bed.say({ lastAccepted: await visit() });
  expect(mishaps()).toEqual([]);
  bed.journal.copyTo(copyPath());
  const lastAccepted = await visit();
  await bed.say({ lastAccepted });
  expect(mishaps()).toEqual([]);
  putCopyBack();
  const unused = await bed.challenge();
  for (let times = 0; times < 3; times += 1) await bed.say({ lastAccepted });
  expect(mishaps()).toEqual(['storage.rolled-back']);
  expect(bed.journal.audit.verify().entries).toBeGreaterThan(0);
  expect([...bed.journal.audit.lines()].filter(({ event }) => event === 'storage.rolled-back')).toHaveLength(1);
  // What the copy thinks unused may have been used since: none of it is good.
  const { sealed } = await bed.sign(await bed.pin('5E570001'), {
    ...{ requestId: crypto.randomUUID(), challenge: unused.nonce, expiresAt: unused.expiresAt },
  });
  await bed.request(sealed, 'receipted');
  expect((await bed.receipts()).at(-1)).toMatchObject({ verdict: 'refused', code: 'message.stale' });
});

test('what is noted already is not found out again by each start, nor at another terminal', async () => {
  bed.journal.copyTo(copyPath());
  const lastAccepted = await visit();
  putCopyBack();
  await bed.say({ lastAccepted });
  const noted = () => [...bed.journal.audit.lines()].filter(({ event }) => event === 'storage.rolled-back');
  expect(noted()).toHaveLength(1);
  for (let times = 0; times < 2; times += 1) {
    bed.restart();
    await bed.say({ lastAccepted });
  }
  expect(noted()).toHaveLength(1);
  // Another copy of before, put there later: what was lost since is news.
  await bed.clock.advance(1_000);
  bed.journal.copyTo(copyPath());
  const later = await visit();
  putCopyBack();
  await bed.say({ lastAccepted: later });
  expect(noted()).toHaveLength(2);
});

test('settings that a terminal holds and the journal never told: the journal is older', async () => {
  bed.desk.publishSettings();
  await until('the settings', () => bed.broker.passedOn('settings').length > 0);
  await bed.say({ settingsVersion: 1 });
  expect(mishaps()).toEqual([]);
  await bed.say({ settingsVersion: 2_000_000_000 });
  expect(mishaps()).toEqual(['storage.rolled-back']);
});

test('a visit of so long ago that its row has gone by right is no sign of it', async () => {
  const at = bed.clock.now().wallMs - 301 * dayMs;
  await bed.say({ lastAccepted: { requestId: crypto.randomUUID(), at } });
  expect(mishaps()).toEqual([]);
});

test('what a terminal did at another clinic, before it was added here, is no sign of it', () => {
  const lastAccepted = { requestId: crypto.randomUUID(), at: bed.clock.now().wallMs };
  compareWithTerminals(bed.context)({ lastAccepted }, false, lastAccepted.at + 1);
  expect(mishaps()).toEqual([]);
  compareWithTerminals(bed.context)({ lastAccepted }, false, lastAccepted.at);
  expect(mishaps()).toEqual(['storage.rolled-back']);
});

test('of two agents nobody knows which of them accepted it', async () => {
  const { keys } = bed.context;
  const [own] = keys().agents;
  if (own === undefined) throw new Error('no agent');
  const lastAccepted = { requestId: crypto.randomUUID(), at: bed.clock.now().wallMs };
  const both = { ...keys(), agents: [own, { ...own, owner: 'agent-02' }] };
  compareWithTerminals({ ...bed.context, keys: () => both })({ lastAccepted }, false);
  expect(mishaps()).toEqual([]);
  compareWithTerminals(bed.context)({ lastAccepted }, false);
  expect(mishaps()).toEqual(['storage.rolled-back']);
});
