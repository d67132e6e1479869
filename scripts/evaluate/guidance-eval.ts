/**
 * A simulated patient who stands wrong, hears a hint, and does what it says, a little late and not exactly. It tests the
 * guidance, not the matcher: every picture is painted. Time is simulated, a frame every 66 ms. The time of a hint runs
 * from the moment the picture went wrong, somewhere between two frames, and includes what the telling frame took to
 * examine. With `--images DIR`, pictures of real people besides: folders called as the classes below (`mask`, `hatBrim`,
 * `right`, …), each picture shown alone. Exit code 1 when a patient in a hundred fails, a hint comes later than 700 ms,
 * fewer than 95 % hear the right one first, fewer than 95 % of a class or of those who wear one kind of mask, or somebody who stands
 * well, from the first or by now, hears for a second or more what is not the matter. In a class whoever was recognised as they stood
 * counts as well: no hint was of use to them; \`recognisedAsTheyStood\` tells them apart, and \`rightFirst\` does not count them.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { emptyScene, frameHeight, frameWidth, type Person, seededNumbers } from '../../drivers/virtual/render-scene.ts';
import { type FaceHint, isFacePrompt } from '../../src/core/visit/verification.ts';
import { between } from './between.ts';
import { codeOfAttempts, KeptResults, seedFor } from './kept-results.ts';
import { obedient } from './obedient.ts';
import { type Known, keyOfAttempt, openBench, shippedPadStrength } from './open-bench.ts';
import { endsTurn, type Played, playAttempt, type Told } from './play-attempt.ts';
import { follow, type Mistake, mistakes, sceneOf, standsWell, upright } from './standing-wrong.ts';
import { smear } from './wearables.ts';

const { values: options } = parseArgs({
  options: {
    /** The first so many of all that the least numbers below ask for. */
    runs: { type: 'string' },
    /** Names with commas; left out: all. */
    classes: { type: 'string' },
    seed: { type: 'string', default: '1' },
    images: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const frameMs = 66;
const timeLimitMs = 20_000;
const hintWithinMs = 700;
const minSucceeded = 0.99;
const minRightFirst = 95;
/** One wrong of fewer says little about 95 %. */
const leastOfClass = 20;
const leastOfKind = 8;

/** From then on after the picture became right a hint is one for nothing: it has been seen, and the hint before could be read. */
const rightForMs = 1_000;

/** `forNothing`: what whoever stood well for so long was still or newly told, but for prompts. */
type Run = Played & { readonly mistake: string; readonly forNothing: readonly FaceHint[] };

const bench = await openBench('guidance-eval', Number(options.seed));
const kept = new KeptResults('guidance-eval', codeOfAttempts);
const { people, renderer } = bench;

const prompts: readonly (FaceHint | null)[] = ['turn-left', 'turn-right', 'blink', 'hold-still'];

const run = async (mistake: string, i: number): Promise<Run> => {
  const random = seededNumbers(seedFor(options.seed, mistake, i));
  renderer.restart(seedFor(options.seed, mistake, i));
  const known = people[Math.floor(random() * people.length)] as Known;
  const others = people.filter(({ id }) => id !== known.id);
  const companion = (others[Math.floor(random() * others.length)] as Known).id;
  let patient = mistakes[mistake]?.make(upright(known), random, known, renderer) ?? upright(known);
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
  const moving = (told: Told, yaw: number): Partial<Person> => {
    const asked = obedient(known, told);
    return { ...asked, yaw: yaw + (asked.yaw ?? 0) };
  };
  let rightSinceMs: number | null = null;
  const forNothing = new Set<FaceHint>();
  const sharpFrame = new Uint8Array(frameWidth * frameHeight * 3);
  const played = await playAttempt(bench, known.reference, {
    frameMs: frameMs,
    timeLimitMs: timeLimitMs,
    padStrength: shippedPadStrength,
    endsAtMiss: false,
    random,
    paint: (atMs, told, target) => {
      if (
        rightSinceMs !== null &&
        atMs - rightSinceMs >= rightForMs &&
        told.hint !== null &&
        !prompts.includes(told.hint)
      )
        forNothing.add(told.hint);
      react(told);
      const { blur } = patient;
      const moved = { ...patient, person: { ...patient.person, ...moving(told, patient.person.yaw) } };
      // Whoever turns the head as asked comes to stand well anew.
      rightSinceMs = standsWell(moved) && !isFacePrompt(told.hint) ? (rightSinceMs ?? atMs) : null;
      renderer.render(sceneOf(moved, companion, emptyScene), atMs, blur.length > 0 ? sharpFrame : target);
      if (blur.length > 0)
        smear({ width: frameWidth, height: frameHeight, rgb: sharpFrame }, blur.length, blur.angle, target);
    },
  });
  if (played.end !== 'matched')
    process.stderr.write(`guidance-eval: ${mistake} of ${known.id}: ${played.end}, ${played.hints.join(', ')}\n`);
  return { mistake, ...played, forNothing: [...forNothing] };
};

const isRight = ({ hints }: Mistake, first: FaceHint | null): boolean => hints.includes(first);
const percent = (part: number, whole: number): number => Number(((part / Math.max(1, whole)) * 100).toFixed(1));

const wanted = options.classes?.split(',');
const names = Object.keys(mistakes).filter((name) => wanted?.includes(mistakes[name]?.class ?? name) ?? true);
/** Each kind in turn; of a class of few kinds each more often. */
const plan = names
  .flatMap((name) => {
    const ofClass = names.filter((other) => mistakes[other]?.class === mistakes[name]?.class).length;
    const times = Math.max(leastOfKind, Math.ceil(leastOfClass / ofClass));
    return Array.from({ length: times }, (_, i) => ({ name, i, at: i / times }));
  })
  .sort((a, b) => a.at - b.at)
  .slice(0, options.runs === undefined ? undefined : Number(options.runs));
const runs = plan.length;
const results: Run[] = [];
for (const { name, i } of plan) {
  const key = keyOfAttempt(bench.threshold, shippedPadStrength, options.seed, name, i);
  results.push(await kept.of(key, () => run(name, i)));
  if (results.length % 40 === 0) process.stderr.write(`guidance-eval: ${results.length} of ${runs} runs\n`);
}

/** A picture as a camera before that person would give it: the whole of it, as high as the frame. */
const asFrame = async (file: string): Promise<Uint8Array> =>
  new Uint8Array(
    await sharp(file)
      .toColourspace('srgb')
      .removeAlpha()
      .resize(frameWidth, frameHeight, { fit: 'contain', background: { r: 120, g: 120, b: 120 } })
      .raw()
      .toBuffer(),
  );

type Seen = {
  readonly class: string;
  readonly file: string;
  readonly hint: FaceHint | null;
  readonly isRight: boolean;
};
const lookAtPictures = async (folder: string): Promise<Seen[]> => {
  const seen: Seen[] = [];
  const classes = Map.groupBy(Object.values(mistakes), (mistake) => mistake.class);
  for (const [name, kinds] of classes) {
    if (!existsSync(join(folder, name))) continue;
    for (const file of (await readdir(join(folder, name))).filter((each) => /\.(jpe?g|png)$/i.test(each)).sort()) {
      const rgb = await asFrame(join(folder, name, file));
      const { seen: finding } = await bench.looker.frame({ width: frameWidth, height: frameHeight, rgb }, false);
      seen.push({ class: name, file, hint: finding.hint, isRight: kinds.some((kind) => isRight(kind, finding.hint)) });
    }
  }
  return seen;
};

const countOf = (hints: readonly FaceHint[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(hints, (hint) => hint)].map(([hint, all]) => [hint, all.length]));

const p99 = (times: readonly number[]): number =>
  Math.round([...times].sort((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1] ?? 0);
const firstOf = ({ hints }: Run): FaceHint | null => hints[0] ?? null;
const toldRight = (run: Run): boolean => isRight(mistakes[run.mistake] as Mistake, firstOf(run));
/** Not told right, but matched without a hint, perhaps with a turn: none would have been of use. */
const recognisedAsTheyStood = (run: Run): boolean =>
  !toldRight(run) &&
  run.end === 'matched' &&
  run.hints.every((hint, i) => prompts.includes(hint) || endsTurn(hint, run.hints[i - 1] ?? null));
const classOf = ({ mistake }: Run): string => mistakes[mistake]?.class ?? mistake;

const classes = Object.fromEntries(
  [...Map.groupBy(results, classOf)].map(([name, own]) => {
    const kinds = Map.groupBy(own, ({ mistake }) => mistake);
    const right = percent(own.filter(toldRight).length, own.length);
    const byKind = [...kinds].map(
      ([kind, each]) => [kind, percent(each.filter(toldRight).length, each.length)] as const,
    );
    const asTheyStood = percent(own.filter(recognisedAsTheyStood).length, own.length);
    return [
      name,
      {
        ...{ runs: own.length, right },
        ...(asTheyStood > 0 ? { recognisedAsTheyStood: asTheyStood } : {}),
        ...(kinds.size > 1 ? { kinds: Object.fromEntries(byKind) } : {}),
      },
    ];
  }),
);
const classesBelow = Object.entries(classes)
  .filter(([, { right, recognisedAsTheyStood: recognised = 0 }]) => right + recognised < minRightFirst)
  .map(([name]) => name);
const stoodWrong = results.filter((each) => classOf(each) !== 'right');
const succeeded = results.filter(({ end }) => end === 'matched').length;
const anyHintMs = p99(results.flatMap(({ hintMs }) => hintMs));
const keptForNothing = results.filter(({ forNothing }) => forNothing.length > 0);
const rightFirst = percent(stoodWrong.filter(toldRight).length, stoodWrong.length);
const pictures = options.images === undefined ? [] : await lookAtPictures(options.images);
const report = {
  profile: 'release',
  defaults: true,
  synthetic: true,
  padStrength: shippedPadStrength,
  runs,
  succeeded,
  stoodWrong: stoodWrong.length,
  classes,
  rightFirst,
  classesBelow,
  keptForNothing: {
    runs: keptForNothing.length,
    hints: countOf(keptForNothing.flatMap(({ forNothing }) => forNothing)),
  },
  firstHintMs: { p99: p99(results.flatMap(({ hintMs }) => hintMs[0] ?? [])) },
  /** The first and every one after it, which may not replace the one before at once. */
  anyHintMs: { p99: anyHintMs },
  ...(pictures.length === 0
    ? {}
    : {
        pictures: Object.fromEntries(
          [...Map.groupBy(pictures, (each) => each.class)].map(([name, own]) => [
            name,
            { pictures: own.length, right: percent(own.filter((each) => each.isRight).length, own.length) },
          ]),
        ),
      }),
};
for (const { class: name, file, hint, isRight: right } of pictures)
  if (!right) process.stderr.write(`guidance-eval: ${name}/${file}: ${hint ?? 'nothing'}\n`);
for (const name of names) {
  const told = results.filter(({ mistake }) => mistake === name).map((each) => firstOf(each) ?? 'nothing');
  process.stderr.write(
    `guidance-eval: ${name}: ${[...Map.groupBy(told, (hint) => hint)].map(([hint, all]) => `${hint} ${all.length}`).join(', ')}\n`,
  );
}
process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
const isMaskMissed = [...Map.groupBy(results, ({ mistake }) => mistake)].some(
  ([, own]) => classOf(own[0] as Run) === 'mask' && percent(own.filter(toldRight).length, own.length) < minRightFirst,
);
if (
  succeeded < runs * minSucceeded ||
  anyHintMs > hintWithinMs ||
  rightFirst < minRightFirst ||
  classesBelow.length > 0 ||
  isMaskMissed ||
  keptForNothing.length > 0
)
  process.exitCode = 1;
