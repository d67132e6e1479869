/**
 * npm run soak:kept [-- --visits 400 --json]
 *
 * Visits one after the other at a simulated counter (scripts/trials/simulate), half a minute apart, with nothing wrong: which Map, Set
 * or array of the product goes on growing with them? Each must end by itself: what is kept of a visit is let go with it, or
 * some minutes after. `--plant`: with the lines taken out that let go, to see that each is named.
 * Exit code 1 where something grows that nobody bounds.
 */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { watchCollections } from '../../beds/grown-collections.ts';
import { layGroundWith } from '../../trials/simulate/lay-ground.ts';
import type { VisitPlan } from '../../trials/simulate/plan.ts';
import { bounded, planted } from './bounded.ts';

const { values: options } = parseArgs({
  options: {
    visits: { type: 'string', default: '400' },
    plant: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const visits = Number(options.visits);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const collections = watchCollections(visits / 8);
const { ground, World } = await layGroundWith(options.plant ? planted.map(({ change }) => change) : []);

/** Some are cut off, or answered late: whoever waited has gone, and what comes then is let go, too. */
const faultsOf = (index: number): VisitPlan['faults'] => {
  if (index % 5 !== 2) return [];
  const name = index % 2 === 0 ? 'terminal cut off' : 'service slow';
  return [{ name, atMs: 5_000, lastsMs: 45_000, amount: index, other: false }];
};

/** By PIN, by face, by eye; one in ten agrees to nothing, or leaves when it suits. */
const visitOf = (index: number): VisitPlan => ({
  persona: (['hanako', 'taro', 'grace'] as const)[index % 3] ?? 'hanako',
  method: (['pin', 'face', 'pin', 'staff'] as const)[index % 4] ?? 'pin',
  ...{ wrongPins: 0, faceMisses: 0, whims: index, isPatient: index % 10 !== 9 },
  ...{ comesAfterMs: 30_000, faults: faultsOf(index) },
});
const plan = {
  ...{ words: 'kept', isReal: false, agentIsOld: false, asksEverything: true },
  visits: Array.from({ length: visits }, (_, index) => visitOf(index)),
};
const world = new World(ground, plan);
let made = 0;
world.onRest = () => {
  made += 1;
  if (made === Math.floor(visits / 2)) collections.note();
};
const { accepted, violations } = await world.run();
collections.end();
collect();
const growing = collections.growing(visits / 8);
const unbounded = growing.filter(({ place }) => !bounded.some((known) => place.startsWith(known)));
for (const { place, from, to } of growing) process.stderr.write(`soak:kept: ${place}: ${from} -> ${to}\n`);
for (const { promise, what } of violations) process.stderr.write(`soak:kept: ${promise}: ${what}\n`);
process.stdout.write(
  `${JSON.stringify({ visits: made, accepted, violations: violations.length, growing: unbounded.map(({ place }) => place) })}\n`,
);
ground.facility.remove();
process.exitCode = unbounded.length === 0 && violations.length === 0 && accepted > visits / 2 ? 0 : 1;
