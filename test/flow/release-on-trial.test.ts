import { expect, it } from 'vitest';
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
