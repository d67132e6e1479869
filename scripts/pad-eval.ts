/**
 * Painted attacks against prompts, moiré check and repeated-frame check, and painted patients who do as asked. All of it
 * is synthetic: it shows that the parts work together, and is no measure of resistance to real attacks. The passive
 * model takes no part: a painted patient *is* a picture of a face, and it says so of nearly all of them.
 */
import { parseArgs } from 'node:util';
import { type FaceId, faceIds, loadFaceRgb } from '../drivers/virtual/faces.ts';
import {
  emptyScene,
  FRAME_HEIGHT,
  FRAME_WIDTH,
  type Person,
  personBefore,
  SceneRenderer,
  seededNumbers,
} from '../drivers/virtual/render-scene.ts';
import type { FaceHint } from '../src/core/verification.ts';
import type { Embedding } from '../src/face/embed-face.ts';
import { AttemptCourse, type AttemptFinding } from '../src/face/face-attempt.ts';
import { embedStill, examineFrame, findFace } from '../src/face/face-pipeline.ts';
import { LEFT_EYE, meanMeshPoint, RIGHT_EYE } from '../src/face/find-landmarks.ts';
import { readHeadSignals } from '../src/face/liveness-prompts.ts';
import type { EmbeddingEntry } from '../src/face/manifest.ts';
import { measureMoire } from '../src/face/measure-moire.ts';
import { CameraWatch } from '../src/face/watch-camera.ts';
import { loadFaceModels } from './face-eval/load-face-models.ts';

const { values: options } = parseArgs({
  options: {
    presentations: { type: 'string', default: '16' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

const FRAME_MS = 100;
const TIME_LIMIT_MS = 15_000;
const TURN_DEGREES = 22;

type Known = { readonly id: FaceId; readonly reference: Embedding; readonly eyes: readonly { x: number; y: number }[] };
/** What the one before the camera has been asked, and for how long. */
type Asked = { readonly prompt: FaceHint | null; readonly forMs: number };
type Presentation = {
  readonly pose: (known: Known, atMs: number, asked: Asked) => Partial<Person>;
  readonly spoil?: (rgb: Uint8Array) => void;
  /** The recording's length: from then on the very same frames come again. */
  readonly loopMs?: number;
};

const eyesOf = ({ eyes }: Known, opening: number): Partial<Person> =>
  opening === 1 ? {} : { eyes: { opening, centres: eyes } };
/** 0 until the reaction time has passed, then 1 after 300 ms, and on up to 2: people turn until they are told it will do. */
const effort = ({ forMs }: Asked): number => Math.min(2, Math.max(0, (forMs - 500) / 300));
const blinks = ({ prompt, forMs }: Asked): boolean => prompt === 'blink' && forMs > 500 && forMs < 900;
const wave = (atMs: number, periodMs: number): number => Math.sin((atMs / periodMs) * 2 * Math.PI);

const bonaFide: Presentation = {
  pose: (known, _, asked) => ({
    yaw:
      asked.prompt === 'turn-left'
        ? TURN_DEGREES * effort(asked)
        : asked.prompt === 'turn-right'
          ? -TURN_DEGREES * effort(asked)
          : 0,
    ...eyesOf(known, blinks(asked) ? 0.05 : 1),
  }),
};

const flat = (atMs: number, { prompt }: Asked): Partial<Person> => ({
  roll: 6 * wave(atMs, 1_700),
  x: 0.03 * wave(atMs, 1_300),
  // Turned like a head, a sheet of paper only becomes narrower.
  narrowing: prompt === 'turn-left' || prompt === 'turn-right' ? 0.75 + 0.2 * wave(atMs, 900) : 0.95,
});

/** A screen's pixels against the sensor's: a fine grid of light. */
const addMoire = (rgb: Uint8Array): void => {
  for (let i = 0; i < rgb.length; i++) {
    const x = Math.floor(i / 3) % FRAME_WIDTH;
    rgb[i] = Math.min(255, (rgb[i] as number) * (1 + 0.14 * Math.cos((x * 2 * Math.PI) / 4.3)));
  }
};

const species: Readonly<Record<string, Presentation>> = {
  'printed-photo-waved': { pose: (_, atMs, asked) => flat(atMs, asked) },
  'screen-with-moire': { pose: (_, atMs) => ({ x: 0.01 * wave(atMs, 1_300) }), spoil: addMoire },
  'cut-out-eyes': {
    pose: (known, atMs, asked) => ({ ...flat(atMs, asked), ...eyesOf(known, blinks(asked) ? 0.05 : 1) }),
  },
  'replayed-loop': { pose: (_, atMs) => ({ yaw: TURN_DEGREES * wave(atMs, 1_600) }), loopMs: 1_600 },
  // Turns and blinks all the time and hopes to be asked for it; no moiré, no repetition.
  'recorded-turns': {
    pose: (known, atMs) => ({ yaw: TURN_DEGREES * wave(atMs, 3_000), ...eyesOf(known, atMs % 2_000 < 300 ? 0.05 : 1) }),
  },
};

const models = await loadFaceModels('fr_feature');
const { defaultThreshold } = models.embedder.entry as EmbeddingEntry;
const random = seededNumbers(Number(options.seed));
const renderer = new SceneRenderer(Number(options.seed));
const people: Known[] = [];
for (const id of faceIds.filter((each) => each !== 'sample1-c')) {
  await renderer.load(id);
  const cut = await loadFaceRgb(id);
  const found = await findFace(models, cut);
  const reference = await embedStill(models, cut);
  if (found === null || reference === null) throw new Error(`pad-eval: no face in ${id}`);
  const { mesh } = found.landmarks;
  people.push({ id, reference, eyes: [meanMeshPoint(mesh, LEFT_EYE), meanMeshPoint(mesh, RIGHT_EYE)] });
}

/** The evidence of one frame, without the passive model (see above). */
const examine = async (rgb: Uint8Array, mirrored: boolean, isRepeated: boolean): Promise<AttemptFinding> => {
  const image = { width: FRAME_WIDTH, height: FRAME_HEIGHT, rgb };
  const finding = await examineFrame(models, image, { mirrored, pad: null });
  if (finding.hint !== null) return { hint: finding.hint, ...(finding.signals ? { signals: finding.signals } : {}) };
  const found = await findFace(models, image);
  if (found === null) return { hint: 'no-face' };
  const { mesh } = found.landmarks;
  const liveness = { bonaFide: 1, moire: measureMoire(image, mesh), isRepeated, signals: readHeadSignals(mesh) };
  return { hint: null, embedding: finding.embedding, liveness };
};

const present = async (
  { pose, spoil, loopMs }: Presentation,
  known: Known,
): Promise<'matched' | 'missed' | 'suspected'> => {
  const course = new AttemptCourse(defaultThreshold, 'active', random);
  course.compareWith(known.reference.slice());
  const watch = new CameraWatch();
  const recording: Uint8Array[] = [];
  let asked: { prompt: FaceHint | null; sinceMs: number } = { prompt: null, sinceMs: 0 };
  for (let atMs = 0, i = 0; atMs < TIME_LIMIT_MS; atMs += FRAME_MS, i++) {
    const place = loopMs === undefined ? -1 : Math.floor((atMs % loopMs) / FRAME_MS);
    let rgb = recording[place];
    if (rgb === undefined) {
      rgb = new Uint8Array(FRAME_WIDTH * FRAME_HEIGHT * 3);
      const change = pose(known, atMs, { prompt: asked.prompt, forMs: atMs - asked.sinceMs });
      renderer.render({ ...emptyScene, people: [{ ...personBefore(known.id), ...change }] }, atMs, rgb);
      spoil?.(rgb);
      if (place >= 0) recording[place] = rgb;
    }
    watch.check({ width: FRAME_WIDTH, height: FRAME_HEIGHT, rgb, capturedAtMs: atMs });
    for (const step of course.take(await examine(rgb, i % 2 === 1, watch.isRepeated), atMs)) {
      if (step.type === 'hint') asked = { prompt: step.hint, sinceMs: atMs };
      else return step.type;
    }
  }
  return 'missed';
};

/** Upper end of the 95 % confidence interval (Clopper-Pearson, one-sided; with no errors the rule of three). */
const upper95 = (errors: number, n: number): number => {
  const atMost = (p: number): number => {
    let term = (1 - p) ** n;
    let sum = term;
    for (let k = 1; k <= errors; k++) {
      term *= ((n - k + 1) / k) * (p / (1 - p));
      sum += term;
    }
    return sum;
  };
  if (errors >= n) return 100;
  let low = errors / n;
  let high = 1 - 1e-9;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (atMost(middle) > 0.05) low = middle;
    else high = middle;
  }
  return Number((low * 100).toFixed(1));
};

const n = Number(options.presentations);
const countMatched = async (name: string, presentation: Presentation): Promise<number> => {
  let matched = 0;
  for (let i = 0; i < n; i++)
    if ((await present(presentation, people[i % people.length] as Known)) === 'matched') matched++;
  process.stderr.write(`pad-eval: ${name}: ${matched} of ${n} accepted\n`);
  return matched;
};

const results = [];
for (const [name, attack] of Object.entries(species)) {
  const accepted = await countMatched(name, attack);
  results.push({ name, n, apcer: Number(((accepted / n) * 100).toFixed(1)), upper95: upper95(accepted, n) });
}
const refused = n - (await countMatched('bona fide', bonaFide));
const report = {
  synthetic: true,
  species: results,
  bpcer: Number(((refused / n) * 100).toFixed(1)),
  upper95: upper95(refused, n),
};
process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
