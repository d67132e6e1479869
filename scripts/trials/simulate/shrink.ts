import type { Ground } from './ground.ts';
import type { Promise_ } from './judge.ts';
import type { Fault, VisitPlan, WorldPlan } from './plan.ts';
import { World } from './world.ts';

/** So many smaller stories are tried. */
const mostTries = 120;

const simpler = (visit: VisitPlan): readonly VisitPlan[] => [
  ...(visit.wrongPins > 0 ? [{ ...visit, wrongPins: 0 }] : []),
  ...(visit.faceMisses > 0 ? [{ ...visit, faceMisses: 0 }] : []),
];

const without = <T>(list: readonly T[], from: number, count: number): readonly T[] => list.toSpliced(from, count);

/** Smaller plans than this, the boldest first: half of the visits gone, a quarter, one; then fault by fault. */
function* smaller(plan: WorldPlan): Generator<WorldPlan> {
  const { visits } = plan;
  for (let size = visits.length >> 1; size >= 1; size >>= 1)
    for (let from = 0; from < visits.length; from += size) yield { ...plan, visits: without(visits, from, size) };
  const change = (at: number, visit: VisitPlan): WorldPlan => ({ ...plan, visits: visits.with(at, visit) });
  for (const [at, visit] of visits.entries()) {
    for (let fault = 0; fault < visit.faults.length; fault += 1)
      yield change(at, { ...visit, faults: without<Fault>(visit.faults, fault, 1) });
    for (const plain of simpler(visit)) yield change(at, plain);
  }
  if (plan.agentIsOld) yield { ...plan, agentIsOld: false };
  if (plan.asksEverything) yield { ...plan, asksEverything: false };
}

/** The smallest plan found that breaks the same promise. */
export const shrink = async (ground: Ground, plan: WorldPlan, promise: Promise_): Promise<WorldPlan> => {
  let smallest = plan;
  let tries = 0;
  for (let found = true; found && tries < mostTries; ) {
    found = false;
    for (const candidate of smaller(smallest)) {
      tries += 1;
      if (tries > mostTries || candidate.visits.length === 0) break;
      const { violations } = await new World(ground, candidate).run();
      if (!violations.some((one) => one.promise === promise)) continue;
      smallest = candidate;
      found = true;
      break;
    }
  }
  return smallest;
};
