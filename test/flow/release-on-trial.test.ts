import { expect, it } from 'vitest';
import { openStaffPage } from '../../scripts/beds/staff-page-bed.ts';
import { openVisitBed } from '../../scripts/beds/visit-bed.ts';
import { createMorningRound } from '../../src/agent/desk/morning-round.ts';
import { runTestVisit } from '../../src/agent/desk/order-test-visit.ts';

/** A release that has not proved itself: the terminal of a device with two slots, started once in the new one. */
it('serves nobody, is tested all the way, and serves once it has proved itself', async () => {
  let isOnTrial = true;
  const bed = await openVisitBed({ onTrial: () => isOnTrial });
  try {
    await bed.pass(2_000);
    expect(bed.state).toMatchObject({ name: 'outOfService', failure: { code: 'update.on-trial' } });
    await bed.insert('hanako');
    await bed.pass(2_000);
    expect(bed.state.name).toBe('outOfService');
    bed.reader.pull();
    await bed.pass(1_000);
    expect(bed.runner.lastTest).toBeNull();
    // Its 45 s are for that test request alone: a test before opening would stand in its way.
    createMorningRound(bed.agent.context, bed.agent.desk, '00:00')();
    await bed.agent.quiet();
    const order = () =>
      runTestVisit(bed.agent.context, (session) => bed.agent.desk.commands.testVisit('front-1', session));
    expect(await order()).toMatchObject({ code: null });
    expect(bed.runner.lastTest).toMatchObject({ ok: true });
    expect(bed.visits()).toMatchObject([{ kind: 'test', outcome: 'tested' }]);
    // The mark goes with the commit.
    isOnTrial = false;
    await bed.pass(2_000);
    expect(bed.state.name).toBe('idle');
  } finally {
    await bed.close();
  }
});

it('an order to it that was lost is given again after 3 s, though nothing else happens', async () => {
  const bed = await openVisitBed({ onTrial: () => true });
  const page = await openStaffPage(bed.agent, []);
  try {
    let orders = 0;
    bed.broker.tamper = (passing) => {
      if (passing.topic.endsWith('/command')) orders += 1;
      return passing.topic.endsWith('/command') && orders === 1 ? [] : [passing];
    };
    bed.agent.context.changed();
    await bed.agent.quiet();
    expect([orders, bed.runner.lastTest]).toEqual([1, null]);
    await bed.pass(3_500);
    await bed.agent.quiet();
    expect([orders, bed.runner.lastTest]).toMatchObject([2, { ok: true }]);
  } finally {
    await page.close();
    await bed.close();
  }
});
