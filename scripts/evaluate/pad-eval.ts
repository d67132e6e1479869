/**
 * Painted attacks against prompts, flatness, continuity, moiré and repeated frames, and painted patients who do as asked.
 * All of it is synthetic: it shows that the parts work together, and is no measure of resistance to real attacks. A painted
 * patient *is* a picture of a face, and the passive model takes many for that; what it says of each is told apart. Everything
 * runs at the strength that is shipped, at the distances of a counter. Not among them is what passes for certain: somebody who
 * plays the right clip on a good screen for each prompt.
 */
import { parseArgs } from 'node:util';
import {
  emptyScene,
  frameWidth,
  type Person,
  personBefore,
  type Sheet,
  seededNumbers,
} from '../../drivers/virtual/render-scene.ts';
import { upper95 } from '../../src/face/calibration/confidence.ts';
import { between } from './between.ts';
import { codeOfAttempts, KeptResults, seedFor } from './kept-results.ts';
import { blinks, effort, eyesOf, obedient, sideOf, turnDegrees } from './obedient.ts';
import { type Known, keyOfAttempt, openBench, shippedPadStrength } from './open-bench.ts';
import { type Played, playAttempt, type Told } from './play-attempt.ts';

const { values: options } = parseArgs({
  options: {
    presentations: { type: 'string', default: '24' },
    /** Names with commas; left out: all, and the patients. */
    species: { type: 'string' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

const frameMs = 100;
const timeLimitMs = 40_000;
/**
 * As large as a face 15 cm wide is before a camera of 80° at 55 cm, and of 60° at 35 cm: from where the passive model sees all that
 * is around it to where it sees too little to judge by. Who is further away is told to come nearer, and an attacker does.
 */
const scales = { least: 0.45, most: 1.03 } as const;
/** Off the middle, parts of the frame. */
const mostOffset = 0.07;

type Presentation = {
  /** `other`: somebody who is not the card's holder. */
  readonly pose: (known: Known, atMs: number, told: Told, other: Known) => Partial<Person>;
  readonly spoil?: (rgb: Uint8Array) => void;
  readonly loopMs?: number;
};

const wave = (atMs: number, periodMs: number): number => Math.sin((atMs / periodMs) * 2 * Math.PI);

const paper = (turn: number): Sheet => ({ turn, rim: 24, colour: [236, 234, 228] });
const screen: Sheet = { turn: 0, rim: 40, colour: [12, 12, 14] };

/** Turned the way that was asked, like a head; a sheet only becomes narrower. */
const waved = (atMs: number, told: Told): Partial<Person> => ({
  roll: 6 * wave(atMs, 1_700),
  x: 0.03 * wave(atMs, 1_300),
  sheet: paper(sideOf(told) * 27 * effort(told) + 6 * wave(atMs, 1_100)),
});

/** A screen's pixels against the sensor's: a fine grid of light. */
const addMoire = (rgb: Uint8Array): void => {
  for (let i = 0; i < rgb.length; i++) {
    const x = Math.floor(i / 3) % frameWidth;
    rgb[i] = Math.min(255, (rgb[i] as number) * (1 + 0.09 * Math.cos((x * 2 * Math.PI) / 4.3)));
  }
};

const isBlinkingOfItself = (atMs: number): boolean => atMs % 2_700 < 300;

/** A film of somebody who rests, turns one way, rests, turns the other way, rests, blinks; 1.2 s each. */
const filmed = (known: Known, atMs: number): Partial<Person> => {
  const part = Math.floor(atMs / 1_200) % 6;
  const swing = Math.sin(((atMs % 1_200) / 1_200) * Math.PI);
  return {
    yaw: part === 1 ? 2 * turnDegrees * swing : part === 3 ? -2 * turnDegrees * swing : 0,
    ...eyesOf(known, part === 5 && swing > 0.7 ? 0.05 : 1),
  };
};

const species: Readonly<Record<string, Presentation>> = {
  'printed-photo-waved': { pose: (_, atMs, told) => waved(atMs, told) },
  // Whoever holds it even has the right clip for each prompt.
  'screen-with-moire': { pose: (known, _, told) => ({ sheet: screen, ...obedient(known, told) }), spoil: addMoire },
  'cut-out-eyes': {
    pose: (known, atMs, told) => ({ ...waved(atMs, told), ...eyesOf(known, blinks(told) ? 0.05 : 1) }),
  },
  // The same that nobody turns: it looks into the camera, and whoever is behind it blinks.
  'cut-out-eyes-still': {
    pose: (known, atMs, told) => ({
      ...{ roll: 3 * wave(atMs, 1_700), x: 0.02 * wave(atMs, 1_300), sheet: paper(3 * wave(atMs, 1_100)) },
      ...eyesOf(known, blinks(told) || isBlinkingOfItself(atMs) ? 0.05 : 1),
    }),
  },
  // What is easiest to be had of anybody: somebody who looks into the camera and blinks, as people do.
  'recorded-rest': {
    pose: (known, atMs) => ({
      ...{ sheet: screen, yaw: 3 * wave(atMs, 3_700), roll: 2 * wave(atMs, 4_300) },
      ...eyesOf(known, isBlinkingOfItself(atMs) ? 0.05 : 1),
    }),
  },
  'replayed-loop': {
    pose: (_, atMs) => ({ sheet: screen, yaw: turnDegrees * wave(atMs, 1_600) }),
    loopMs: 1_600,
  },
  'recorded-turns': {
    pose: (known, atMs) => ({
      sheet: screen,
      yaw: 1.5 * turnDegrees * wave(atMs, 3_000),
      ...eyesOf(known, atMs % 2_000 < 300 ? 0.05 : 1),
    }),
  },
  'recorded-answers': { pose: (known, atMs) => ({ sheet: screen, ...filmed(known, atMs) }) },
  // The same at half the speed, as a careful attacker would make it.
  'recorded-answers-slow': { pose: (known, atMs) => ({ sheet: screen, ...filmed(known, atMs / 2) }) },
  // The holder's photo until the first prompt, then the head of somebody else who does as asked.
  'changed-places': {
    pose: (_known, _atMs, told, other) =>
      told.hint === null ? { sheet: paper(0) } : { face: other.id, ...obedient(other, told) },
  },
};
const bonaFide: Presentation = { pose: (known, _, told) => obedient(known, told) };

const percent = (part: number, whole: number): number => Number(((part / whole) * 100).toFixed(1));

const bench = await openBench('pad-eval', Number(options.seed));
const kept = new KeptResults('pad-eval', codeOfAttempts);
const n = Number(options.presentations);
/** As in src/face/attempt/weigh-evidence.ts. */
const scoreTakenForReal = 0.4;

const presentAll = async (name: string, { pose, spoil, loopMs }: Presentation): Promise<readonly Played[]> => {
  const played: Played[] = [];
  const present = (i: number): Promise<Played> => {
    const known = bench.people[i % bench.people.length] as Known;
    const other = bench.people[(i + 1) % bench.people.length] as Known;
    const random = seededNumbers(seedFor(options.seed, name, i));
    bench.renderer.restart(seedFor(options.seed, name, i));
    // No two presentations begin at the same moment of a film.
    const startMs = Math.floor(random() * 10_000);
    const scale = between(random, scales.least, scales.most);
    const x = between(random, -mostOffset, mostOffset);
    return playAttempt(bench, known.reference, {
      random,
      frameMs: frameMs,
      timeLimitMs: timeLimitMs,
      padStrength: shippedPadStrength,
      paint: (atMs, told, target) => {
        const own = pose(known, atMs + startMs, told, other);
        const person = { ...personBefore(known.id), ...own, scale, x: x + (own.x ?? 0) };
        bench.renderer.render({ ...emptyScene, people: [person] }, atMs, target);
        spoil?.(target);
      },
      ...(loopMs === undefined ? {} : { loopMs }),
    });
  };
  for (let i = 0; i < n; i++)
    played.push(
      await kept.of(keyOfAttempt(bench.threshold, shippedPadStrength, options.seed, name, i), () => present(i)),
    );
  const accepted = played.filter(({ end }) => end === 'matched').length;
  process.stderr.write(`pad-eval: ${name}: ${accepted} of ${n} accepted\n`);
  return played;
};

const countReasons = (played: readonly Played[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { why } of played) if (why !== null) counts[why] = (counts[why] ?? 0) + 1;
  return counts;
};
/** By the passive model alone, of those of whom it could judge the three frames that decide first; undefined = of nobody. */
const takenForReal = (played: readonly Played[]): number | undefined => {
  const scores = played.flatMap(({ evidence }) => {
    const judged = evidence.slice(0, 3).flatMap(({ bonaFide: value }) => value ?? []);
    return judged.length < 3 ? [] : [judged.reduce((a, b) => a + b, 0) / 3];
  });
  return scores.length === 0
    ? undefined
    : percent(scores.filter((score) => score >= scoreTakenForReal).length, scores.length);
};

const wanted = options.species?.split(',');
const results = [];
for (const [name, attack] of Object.entries(species)) {
  if (wanted !== undefined && !wanted.includes(name)) continue;
  const played = await presentAll(name, attack);
  const accepted = played.filter(({ end }) => end === 'matched').length;
  results.push({
    name,
    n,
    apcer: percent(accepted, n),
    upper95: Number(upper95(accepted, n).toFixed(1)),
    stoppedBy: countReasons(played),
    takenForRealByPassiveModel: takenForReal(played),
  });
}
const patients = await presentAll('bona fide', bonaFide);
const refused = patients.filter(({ end }) => end !== 'matched').length;
const report = {
  profile: 'release',
  defaults: true,
  padStrength: shippedPadStrength,
  synthetic: true,
  species: results,
  bpcer: percent(refused, n),
  upper95: Number(upper95(refused, n).toFixed(1)),
  refusedFor: countReasons(patients),
  takenForRealByPassiveModel: takenForReal(patients),
};
process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
