/**
 * Who is within the camera's reach: people of 100 to 190 cm, standing, seated, lying back, children, before a terminal on
 * a counter and on a desk (scripts/trials/reach/people-at-counter.ts). Each is painted where such a face is seen from there, hears the
 * hints and follows them as far as a body can; the real pipeline and course of an attempt decide, the real rules and screen of a
 * visit tell. `decided`: matched within 20 s; `toldOtherWay`: not, and within 20 s the screen has said in words that other ways
 * serve, with their buttons on it. Exit code 1 when fewer than 95 % have either. Faces are drawn: it tells of reach, not of matching.
 *
 *   npm run camera-envelope -- --json [--each 2] [--seed 1]
 */
import { parseArgs } from 'node:util';
import { emptyScene, personBefore, seededNumbers } from '../../../drivers/virtual/render-scene.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { drawScreen } from '../../../src/core/screen/draw-screen.ts';
import { VisitStory } from '../../beds/visit-story.ts';
import { codeOfAttempts, KeptResults, seedFor } from '../../evaluate/kept-results.ts';
import { obedient } from '../../evaluate/obedient.ts';
import { type Known, keyOfAttempt, openBench, shippedPadStrength } from '../../evaluate/open-bench.ts';
import { playAttempt } from '../../evaluate/play-attempt.ts';
import { everybody, type MountingName, mountings, type PostureName, VisitorAtCounter } from './people-at-counter.ts';

const { values: options } = parseArgs({
  options: {
    each: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

const withinMs = 20_000;
const minReached = 95;
/** Half of the camera's default rate: what is measured are seconds, and each frame costs the real pipeline. */
const frameMs = 2_000 / 15;

const bench = await openBench('camera-envelope', Number(options.seed));
const kept = new KeptResults('camera-envelope', [
  ...codeOfAttempts,
  'scripts/trials/reach',
  'src/core',
  'src/catalogue',
]);
const catalogue = catalogueAt(Date.UTC(2026, 10, 21));
const otherWays = catalogue.languages.ja?.texts['face.others'];

/** The visit's own rules and screen during a face check: when it first says in words what else serves, ms; null = not yet. */
class ToldOnScreen {
  readonly #story = VisitStory.atRest();
  readonly #beganMs: number;
  otherWayMs: number | null = null;

  constructor() {
    this.#story.present();
    this.#story.touch('use-face');
    this.#beganMs = this.#story.nowMs;
    if (this.#story.name !== 'verifyingFace') throw new Error(`camera-envelope: no face check in ${this.#story.name}`);
  }

  hint(hint: Parameters<VisitorAtCounter['hear']>[0], atMs: number): void {
    const story = this.#story;
    story.pass(Math.max(0, this.#beganMs + atMs - story.nowMs));
    if (story.name !== 'verifyingFace') return;
    story.tell({ type: 'FaceHinted', insertion: story.visit.insertion, hint });
    const screen = drawScreen(story.session, { catalogue, now: { monotonicMs: story.nowMs, wallMs: 0 } });
    const ids = screen.controls.map(({ id }) => id);
    const offers = ids.includes('use-pin') && ids.includes('call-staff');
    if (offers && screen.lead.some((line) => line === otherWays)) this.otherWayMs ??= atMs;
  }
}

type Outcome = { readonly decidedMs: number | null; readonly otherWayMs: number | null; readonly hints: number };

const visit = async (posture: PostureName, stature: number, mounting: MountingName, n: number): Promise<Outcome> => {
  const seed = seedFor(options.seed, posture, stature, mounting, n);
  const random = seededNumbers(seed);
  bench.renderer.restart(seed);
  const known = bench.people[Math.floor(random() * bench.people.length)] as Known;
  const visitor = new VisitorAtCounter(posture, stature, mounting, random);
  const told = new ToldOnScreen();
  const played = await playAttempt(bench, known.reference, {
    frameMs,
    timeLimitMs: withinMs,
    padStrength: shippedPadStrength,
    endsAtMiss: false,
    random,
    paint: (atMs, { hint, forMs }, target) => {
      visitor.hear(hint, forMs);
      told.hint(hint, atMs);
      const { yaw, ...asked } = obedient(known, { hint, forMs });
      const { seen } = visitor;
      const person = { ...personBefore(known.id), ...seen, ...asked, yaw: seen.yaw + (yaw ?? 0) };
      bench.renderer.render({ ...emptyScene, people: [person] }, atMs, target);
    },
  });
  const matched = played.end === 'matched' && played.decidedAfterMs <= withinMs;
  // What the visit's own deadline says, at the last moment that counts.
  if (!matched) told.hint(played.told.at(-1)?.hint ?? null, withinMs);
  return { decidedMs: matched ? played.decidedAfterMs : null, otherWayMs: told.otherWayMs, hints: played.hints.length };
};

type Row = Outcome & { readonly mounting: MountingName; readonly posture: PostureName; readonly stature: number };
const rows: Row[] = [];
for (const mounting of Object.keys(mountings) as MountingName[])
  for (const [posture, stature] of everybody)
    for (let n = 0; n < Number(options.each); n++) {
      const key = keyOfAttempt(bench.threshold, shippedPadStrength, options.seed, mounting, posture, stature, n);
      const outcome = await kept.of(key, () => visit(posture, stature, mounting, n));
      rows.push({ ...outcome, mounting, posture, stature });
      const { decidedMs, otherWayMs } = outcome;
      process.stderr.write(
        `camera-envelope: ${mounting} ${posture} ${stature} cm: ${decidedMs === null ? 'not decided' : `matched after ${Math.round(decidedMs)} ms`}, ${otherWayMs === null ? 'no other way told' : `other way told after ${Math.round(otherWayMs)} ms`}, ${outcome.hints} hints\n`,
      );
    }

const percent = (part: number, whole: number): number => Number(((part / Math.max(1, whole)) * 100).toFixed(1));
const countOf = (of: readonly Row[]) => {
  const decided = of.filter(({ decidedMs }) => decidedMs !== null).length;
  const other = of.filter(({ decidedMs, otherWayMs }) => decidedMs === null && otherWayMs !== null).length;
  return {
    visits: of.length,
    reached: percent(decided + other, of.length),
    decided: percent(decided, of.length),
    toldOtherWay: percent(other, of.length),
  };
};
const by = (nameOf: (row: Row) => string) =>
  Object.fromEntries([...Map.groupBy(rows, nameOf)].map(([name, own]) => [name, countOf(own)]));
const latest = Math.max(
  0,
  ...rows.flatMap(({ decidedMs, otherWayMs }) => (decidedMs === null ? [otherWayMs ?? 0] : [])),
);
const all = countOf(rows);
const report = {
  profile: 'release',
  synthetic: true,
  withinMs,
  ...all,
  otherWayLatestMs: Math.round(latest),
  postures: by(({ mounting, posture }) => `${mounting} ${posture}`),
  statures: by(({ mounting, posture, stature }) => `${mounting} ${posture} ${stature}`),
};
process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
if (all.reached < minReached) process.exitCode = 1;
