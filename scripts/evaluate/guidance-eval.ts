/**
 * A simulated patient who stands wrong, hears a hint, and does what it says, a little late and not exactly. It tests the
 * guidance, not the matcher: every picture is painted. Time is simulated, a frame every 66 ms. The time of a hint runs
 * from the moment the picture went wrong, somewhere between two frames, and includes what the telling frame really took
 * to examine; exit code 1 when a patient in a hundred fails or a hint comes later than 700 ms.
 */
import { parseArgs } from 'node:util';
import type { FaceId } from '../../drivers/virtual/faces.ts';
import { type Cover, emptyScene, type Person, personBefore, type Scene } from '../../drivers/virtual/render-scene.ts';
import type { FaceHint } from '../../src/core/visit/verification.ts';
import { leftEye, meanMeshPoint, meshBox, meshPoint, rightEye } from '../../src/face/models/find-landmarks.ts';
import { between, type Known, openBench, shippedPadStrength } from './open-bench.ts';
import { type Played, playAttempt, type Told } from './play-attempt.ts';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '240' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

const frameMs = 66;
const timeLimitMs = 20_000;
const hintWithinMs = 700;
const minSucceeded = 0.99;

type Patient = {
  readonly person: Person;
  readonly companion: boolean;
  readonly present: boolean;
  readonly light: number;
  readonly wall: number;
};
type Wearables = { readonly mask: readonly Cover[]; readonly sunglasses: readonly Cover[] };

const standing = (patient: Patient, change: Partial<Person>): Patient => ({
  ...patient,
  person: { ...patient.person, ...change },
});

/** A way to stand wrong, and the hint that belongs to it. */
type Mistake = {
  readonly hint: FaceHint | null;
  readonly make: (patient: Patient, random: () => number, wearables: Wearables) => Patient;
};
const mistakes: Readonly<Record<string, Mistake>> = {
  // Nobody is kept for nothing.
  right: { hint: null, make: (patient) => patient },
  away: { hint: 'no-face', make: (patient) => ({ ...patient, present: false }) },
  far: { hint: 'nearer', make: (patient, random) => standing(patient, { scale: between(random, 0.3, 0.42) }) },
  near: { hint: 'farther', make: (patient, random) => standing(patient, { scale: between(random, 2.2, 2.5) }) },
  // The picture is not mirrored: in its left half stands who is too far to their own right.
  left: { hint: 'move-left', make: (patient, random) => standing(patient, { x: between(random, -0.38, -0.3) }) },
  rightSide: { hint: 'move-right', make: (patient, random) => standing(patient, { x: between(random, 0.3, 0.38) }) },
  high: {
    hint: 'move-down',
    make: (patient, random) => standing(patient, { y: between(random, -0.36, -0.3), scale: 0.8 }),
  },
  low: { hint: 'move-up', make: (patient, random) => standing(patient, { y: between(random, 0.3, 0.34), scale: 0.8 }) },
  dark: {
    hint: 'more-light',
    make: (patient, random) => ({ ...patient, light: between(random, 0.15, 0.22), wall: 40 }),
  },
  backLit: {
    hint: 'strong-back-light',
    make: (patient, random) => ({ ...patient, light: between(random, 0.3, 0.42), wall: 250 }),
  },
  tilted: { hint: 'look-here', make: (patient, random) => standing(patient, { roll: between(random, 48, 58) }) },
  together: { hint: 'one-person-only', make: (patient) => ({ ...patient, companion: true }) },
  masked: { hint: 'mask-off', make: (patient, _, { mask }) => standing(patient, { covers: mask }) },
  sunglasses: {
    hint: 'sunglasses-off',
    make: (patient, _, { sunglasses }) => standing(patient, { covers: sunglasses }),
  },
};

/** What the patient does on a hint: the right thing, by 70 to 110 % of what is needed. */
const follow = (patient: Patient, hint: FaceHint, random: () => number): Patient => {
  const { person } = patient;
  const part = between(random, 0.7, 1.1);
  const { covers: _, ...bareFaced } = person;
  switch (hint) {
    case 'no-face':
      return { ...patient, present: true };
    case 'nearer':
    case 'farther':
      return standing(patient, { scale: person.scale + (1 - person.scale) * part });
    case 'move-left':
      return standing(patient, { x: person.x + Math.abs(person.x) * part });
    case 'move-right':
      return standing(patient, { x: person.x - Math.abs(person.x) * part });
    case 'move-up':
      return standing(patient, { y: person.y - Math.abs(person.y) * part });
    case 'move-down':
      return standing(patient, { y: person.y + Math.abs(person.y) * part });
    case 'look-here':
      return standing(patient, { roll: person.roll * (1 - part), yaw: person.yaw * (1 - part) });
    case 'more-light':
      return { ...patient, light: 1, wall: 120 };
    case 'strong-back-light':
      return { ...patient, light: 1 };
    case 'mask-off':
    case 'sunglasses-off':
      return { ...patient, person: bareFaced };
    case 'one-person-only':
      return { ...patient, companion: false };
    default:
      return patient;
  }
};

const sceneOf = (patient: Patient, companion: FaceId): Scene => ({
  ...emptyScene,
  light: patient.light,
  wall: patient.wall,
  people: [
    ...(patient.present ? [patient.companion ? { ...patient.person, x: -0.22, scale: 0.8 } : patient.person] : []),
    ...(patient.present && patient.companion ? [{ ...personBefore(companion), x: 0.22, scale: 0.8 }] : []),
  ],
});

const wearablesFor = (mesh: Float32Array): Wearables => {
  const width = meshBox(mesh).width;
  const mouth = meshPoint(mesh, 13);
  const glass = (eye: { x: number; y: number }): Cover => ({
    ...eye,
    radiusX: width * 0.21,
    radiusY: width * 0.15,
    colour: [18, 18, 20],
  });
  return {
    mask: [{ ...mouth, radiusX: width * 0.46, radiusY: width * 0.42, colour: [205, 220, 230] }],
    sunglasses: [glass(meanMeshPoint(mesh, leftEye)), glass(meanMeshPoint(mesh, rightEye))],
  };
};

type Run = Played & { readonly mistake: string };

const bench = await openBench(Number(options.seed));
const { random, people } = bench;

const run = async (mistake: string): Promise<Run> => {
  const known = people[Math.floor(random() * people.length)] as Known;
  const others = people.filter(({ id }) => id !== known.id);
  const companion = (others[Math.floor(random() * others.length)] as Known).id;
  const upright: Patient = { person: personBefore(known.id), companion: false, present: true, light: 1, wall: 120 };
  let patient = mistakes[mistake]?.make(upright, random, wearablesFor(known.mesh)) ?? upright;
  let heard: FaceHint | null = null;
  let reactAfterMs = 0;
  const react = ({ hint, forMs }: Told): void => {
    if (hint !== heard) {
      heard = hint;
      reactAfterMs = between(random, 400, 1_000);
    }
    if (hint === null || forMs < reactAfterMs) return;
    patient = follow(patient, hint, random);
    // Whoever is told the same thing for longer moves again.
    reactAfterMs = forMs + between(random, 600, 1_200);
  };
  const played = await playAttempt(bench, known.reference, {
    frameMs: frameMs,
    timeLimitMs: timeLimitMs,
    padStrength: shippedPadStrength,
    endsAtMiss: false,
    paint: (atMs, told, target) => {
      react(told);
      bench.renderer.render(sceneOf(patient, companion), atMs, target);
    },
  });
  if (played.end !== 'matched')
    process.stderr.write(`guidance-eval: ${mistake} of ${known.id}: ${played.hints.join(', ')}\n`);
  return { mistake, ...played };
};

const runs = Number(options.runs);
const names = Object.keys(mistakes);
const results: Run[] = [];
for (let i = 0; i < runs; i++) {
  results.push(await run(names[i % names.length] as string));
  if ((i + 1) % 40 === 0) process.stderr.write(`guidance-eval: ${i + 1} of ${runs} runs\n`);
}

const p99 = (times: readonly number[]): number =>
  Math.round([...times].sort((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1] ?? 0);
const stoodWrong = results.filter(({ mistake }) => mistake !== 'right');
const isFirst = ({ mistake, hints }: Run): boolean => hints[0] === mistakes[mistake]?.hint;
const succeeded = results.filter(({ end }) => end === 'matched').length;
const anyHintMs = p99(results.flatMap(({ hintMs }) => hintMs));
const report = {
  synthetic: true,
  runs,
  succeeded,
  stoodWrong: stoodWrong.length,
  /** Of those, who was told first what belongs to their mistake. */
  toldRight: stoodWrong.filter(isFirst).length,
  /** Who stood right and was told something all the same. */
  keptForNothing: results.filter(({ mistake, hints }) => mistake === 'right' && hints.length > 0).length,
  firstHintMs: { p99: p99(results.flatMap(({ hintMs }) => hintMs[0] ?? [])) },
  /** The first and every one after it, which may not replace the one before at once. */
  anyHintMs: { p99: anyHintMs },
};
for (const name of names) {
  const told = results.filter(({ mistake }) => mistake === name).map(({ hints }) => hints[0] ?? 'nothing');
  process.stderr.write(`guidance-eval: ${name}: ${[...new Set(told)].join(', ')}\n`);
}
process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
if (succeeded < runs * minSucceeded || anyHintMs > hintWithinMs) process.exitCode = 1;
