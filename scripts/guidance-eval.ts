/**
 * A simulated patient who stands wrong, hears a hint, and does what it says, a little late and not exactly. It tests the
 * guidance, not the matcher: every picture is painted. Time is simulated (a frame every 66 ms); the time of a
 * first hint runs from the first frame that is not good, and includes what the hint's frame really took to examine.
 */
import { parseArgs } from 'node:util';
import { type FaceId, faceIds, loadFaceRgb } from '../drivers/virtual/faces.ts';
import {
  type Cover,
  emptyScene,
  FRAME_HEIGHT,
  FRAME_WIDTH,
  type Person,
  personBefore,
  type Scene,
  SceneRenderer,
  seededNumbers,
} from '../drivers/virtual/render-scene.ts';
import type { FaceHint } from '../src/core/verification.ts';
import type { Embedding } from '../src/face/embed-face.ts';
import { AttemptCourse } from '../src/face/face-attempt.ts';
import { embedStill, examineFrame, type FaceModels, findFace } from '../src/face/face-pipeline.ts';
import { LEFT_EYE, meanMeshPoint, meshBox, meshPoint, RIGHT_EYE } from '../src/face/find-landmarks.ts';
import type { EmbeddingEntry } from '../src/face/manifest.ts';
import { loadFaceModels } from './face-eval/load-face-models.ts';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

const FRAME_MS = 66;
const TIME_LIMIT_MS = 20_000;

type Patient = {
  readonly person: Person;
  readonly companion: boolean;
  readonly present: boolean;
  readonly light: number;
  readonly wall: number;
};
type Wearables = { readonly mask: readonly Cover[]; readonly sunglasses: readonly Cover[] };

const between = (random: () => number, low: number, high: number): number => low + random() * (high - low);

const standing = (patient: Patient, change: Partial<Person>): Patient => ({
  ...patient,
  person: { ...patient.person, ...change },
});

type Mistake = (patient: Patient, random: () => number, wearables: Wearables) => Patient;
/** Ways to stand wrong; `right` is among them as a check that nobody is kept for nothing. */
const mistakes: Readonly<Record<string, Mistake>> = {
  right: (patient) => patient,
  away: (patient) => ({ ...patient, present: false }),
  far: (patient, random) => standing(patient, { scale: between(random, 0.3, 0.42) }),
  near: (patient, random) => standing(patient, { scale: between(random, 2.2, 2.5) }),
  left: (patient, random) => standing(patient, { x: between(random, -0.38, -0.3) }),
  rightSide: (patient, random) => standing(patient, { x: between(random, 0.3, 0.38) }),
  high: (patient, random) => standing(patient, { y: between(random, -0.36, -0.3), scale: 0.8 }),
  low: (patient, random) => standing(patient, { y: between(random, 0.3, 0.34), scale: 0.8 }),
  dark: (patient, random) => ({ ...patient, light: between(random, 0.15, 0.25), wall: 40 }),
  backLit: (patient, random) => ({ ...patient, light: between(random, 0.3, 0.42), wall: 250 }),
  tilted: (patient, random) => standing(patient, { roll: between(random, 48, 58) }),
  together: (patient) => ({ ...patient, companion: true }),
  masked: (patient, _, { mask }) => standing(patient, { covers: mask }),
  sunglasses: (patient, _, { sunglasses }) => standing(patient, { covers: sunglasses }),
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
    sunglasses: [glass(meanMeshPoint(mesh, LEFT_EYE)), glass(meanMeshPoint(mesh, RIGHT_EYE))],
  };
};

type Known = { readonly id: FaceId; readonly reference: Embedding; readonly wearables: Wearables };

const learn = async (models: FaceModels, id: FaceId): Promise<Known> => {
  const cut = await loadFaceRgb(id);
  const found = await findFace(models, cut);
  const reference = await embedStill(models, cut);
  if (found === null || reference === null) throw new Error(`guidance-eval: no face in ${id}`);
  return { id, reference, wearables: wearablesFor(found.landmarks.mesh) };
};

type Run = { readonly succeeded: boolean; readonly firstHintMs: number | null; readonly hints: readonly FaceHint[] };

const main = async (): Promise<void> => {
  const models = await loadFaceModels('fr_feature');
  const { defaultThreshold } = models.embedder.entry as EmbeddingEntry;
  const random = seededNumbers(Number(options.seed));
  const renderer = new SceneRenderer(Number(options.seed));
  const people: Known[] = [];
  for (const id of faceIds.filter((each) => each !== 'sample1-c')) {
    await renderer.load(id);
    people.push(await learn(models, id));
  }
  const rgb = new Uint8Array(FRAME_WIDTH * FRAME_HEIGHT * 3);

  const run = async (mistake: string, known: Known, companion: FaceId): Promise<Run> => {
    const upright: Patient = { person: personBefore(known.id), companion: false, present: true, light: 1, wall: 120 };
    let patient = mistakes[mistake]?.(upright, random, known.wearables) ?? upright;
    const course = new AttemptCourse(defaultThreshold, 'off', random);
    course.compareWith(known.reference.slice());
    const hints: FaceHint[] = [];
    let firstHintMs: number | null = null;
    let firstBadAtMs: number | null = null;
    let reactAtMs = Number.POSITIVE_INFINITY;
    for (let atMs = 0, i = 0; atMs < TIME_LIMIT_MS; atMs += FRAME_MS, i++) {
      const heard = hints.at(-1);
      if (atMs >= reactAtMs && heard !== undefined) {
        patient = follow(patient, heard, random);
        // Whoever is told the same thing again moves again.
        reactAtMs = atMs + between(random, 600, 1_200);
      }
      renderer.render(sceneOf(patient, companion), atMs, rgb);
      const startedMs = performance.now();
      const finding = await examineFrame(
        models,
        { width: FRAME_WIDTH, height: FRAME_HEIGHT, rgb },
        { mirrored: i % 2 === 1, pad: null },
      );
      const tookMs = performance.now() - startedMs;
      if (finding.hint !== null) firstBadAtMs ??= atMs;
      for (const step of course.take(finding, atMs)) {
        if (step.type === 'matched') return { succeeded: true, firstHintMs, hints };
        if (step.type !== 'hint') continue;
        if (step.hint === null) reactAtMs = Number.POSITIVE_INFINITY;
        else {
          firstHintMs ??= atMs - (firstBadAtMs ?? 0) + tookMs;
          hints.push(step.hint);
          reactAtMs = atMs + between(random, 400, 1_000);
        }
      }
    }
    return { succeeded: false, firstHintMs, hints };
  };

  const runs = Number(options.runs);
  const names = Object.keys(mistakes);
  const results: (Run & { mistake: string })[] = [];
  for (let i = 0; i < runs; i++) {
    const mistake = names[i % names.length] ?? 'right';
    const known = people[Math.floor(random() * people.length)] as Known;
    const others = people.filter(({ id }) => id !== known.id);
    const companion = (others[Math.floor(random() * others.length)] as Known).id;
    const result = { mistake, ...(await run(mistake, known, companion)) };
    results.push(result);
    if (!result.succeeded)
      process.stderr.write(`guidance-eval: ${mistake} of ${known.id}: ${result.hints.join(', ')}\n`);
    if ((i + 1) % 20 === 0) process.stderr.write(`guidance-eval: ${i + 1} of ${runs} runs\n`);
  }
  const hintTimes = results.flatMap(({ firstHintMs }) => firstHintMs ?? []).sort((a, b) => a - b);
  const report = {
    synthetic: true,
    runs,
    succeeded: results.filter(({ succeeded }) => succeeded).length,
    /** Of those who stood wrong, how many were told anything at all. */
    hinted: results.filter(({ mistake, hints }) => mistake !== 'right' && hints.length > 0).length,
    stoodWrong: results.filter(({ mistake }) => mistake !== 'right').length,
    firstHintMs: { p99: Math.round(hintTimes[Math.ceil(hintTimes.length * 0.99) - 1] ?? 0) },
  };
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
};

await main();
