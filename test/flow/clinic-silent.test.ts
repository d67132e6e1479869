import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';

let bed: VisitBed;
beforeEach(async () => {
  bed = await openVisitBed();
});
afterEach(() => bed.close());

const upToTheSignature = async (): Promise<void> => {
  await bed.insert('hanako');
  await bed.enterPin('1234');
  await bed.see('consent-bundle');
};

it('broker cut for 3 s while sending: the patient notices a short wait', async () => {
  await upToTheSignature();
  bed.broker.setConnected('front-1', false);
  await bed.answerAll('agree');
  await bed.see('sending');
  await bed.pass(3_000);
  expect(bed.visits()).toEqual([]);
  bed.broker.setConnected('front-1', true);
  await bed.see('accepted');
  expect(bed.visits()).toMatchObject([{ verdict: 'accepted' }]);
});

it('broker gone for 30 s: sent to the desk; back later: received once, never lost', async () => {
  await upToTheSignature();
  bed.broker.setConnected('front-1', false);
  await bed.answerAll('agree');
  await bed.see('sending');
  await bed.pass(30_000);
  await bed.see('desk');
  expect(bed.code).toBe('delivery.offline');
  expect(bed.store.rows.size).toBe(1);
  bed.broker.setConnected('front-1', true);
  await bed.pass(1_000);
  await bed.agent.quiet();
  expect(bed.visits()).toMatchObject([{ verdict: 'accepted' }]);
  expect(bed.store.rows.size).toBe(0);
});

it('receipt lost on the way: the request is sent again, done once, and the receipt is the same', async () => {
  await upToTheSignature();
  let lost = 0;
  bed.broker.tamper = (passing) => {
    if (!passing.topic.endsWith('/receipt') || lost > 0) return [passing];
    lost += 1;
    return [];
  };
  await bed.answerAll('agree');
  await bed.see('sending');
  await bed.agent.quiet();
  await bed.pass(3_000);
  await bed.see('accepted');
  expect(lost).toBe(1);
  expect(bed.broker.passedOn('request').length).toBeGreaterThan(1);
  expect(bed.visits()).toHaveLength(1);
  await until('its file', () => bed.agent.files().length === 1);
  const receipts = await bed.agent.receipts();
  expect(new Set(receipts.map((receipt) => JSON.stringify(receipt))).size).toBe(1);
});

it('agent silent: the lookup is waited for and left out, then the desk after 30 s, and the row waits for it', async () => {
  await bed.insert('hanako');
  await bed.see('choose-method');
  bed.broker.setConnected('agent-1', false);
  await bed.enterPin('1234');
  await bed.pass(4_000);
  await bed.see('consent-bundle');
  await bed.answerAll('agree');
  await bed.see('sending');
  await bed.pass(30_000);
  await bed.see('desk');
  expect(bed.store.rows.size).toBe(1);
  bed.broker.setConnected('agent-1', true);
  await bed.pass(10_000);
  await bed.agent.quiet();
  expect(bed.visits()).toHaveLength(1);
});

it('a request that outlives its challenge is void: said to staff by its audit entry, nothing is sent after', async () => {
  await upToTheSignature();
  bed.broker.setConnected('front-1', false);
  await bed.answerAll('agree');
  await bed.see('sending');
  await bed.pass(11 * 60_000);
  expect(bed.store.rows.size).toBe(0);
  expect(bed.store.audit.map(({ event }) => event)).toContain('request-expired');
  bed.broker.setConnected('front-1', true);
  await bed.agent.quiet();
  expect(bed.visits()).toEqual([]);
});

it('disk full when the row is to be written: the desk, nothing is said to be accepted', async () => {
  await upToTheSignature();
  bed.store.full = true;
  await bed.answerAll('agree');
  await bed.see('desk');
  expect(bed.code).toBe('delivery.store-failed');
  expect(bed.broker.passedOn('request')).toEqual([]);
});

it('a terminal whose clock is a day wrong: the visit is accepted, dated by the agent’s clock', async () => {
  const agentMs = bed.clock.now().wallMs;
  for (const wrongMs of [86_400_000, -86_400_000]) {
    bed.setClockError(wrongMs);
    await upToTheSignature();
    await bed.answerAll('agree');
    await bed.see('accepted');
    await bed.takeCard();
  }
  for (const visit of bed.visits()) {
    expect(visit.verdict).toBe('accepted');
    expect(Math.abs(visit.issuedAt - agentMs)).toBeLessThan(120_000);
  }
});
