/**
 * Living people before the counter at the settings that are shipped: does everybody get through, and is nobody told the
 * same thing over and over? Each is painted from two other pictures than the one on the
 * card (people with three pictures; optimistic, as frames of one visit differ less), stands or sits where people do
 * at a counter (35-80 cm before a camera of 60-80°, high or low or beside its middle), moves a little, somebody else stands behind every third,
 * hears a hint or a prompt and does what it says. On the card is that one of the three that comes nearest to what is accepted for a
 * card: nothing before the face, looking into the camera (`--card first`: whichever comes first, caps and shut eyes and all). A
 * picture in which no face is found is a failure to acquire and counts as one who did not match; pictures in which somebody else
 * stands are left out, and counted. Exit code 1 when fewer than 98 % match, one hint loops, one in twenty of those who only had to
 * look (they were told nothing) waits for longer than 0.6 s, or pictures gave fewer than 80 sequences.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { faceIds, loadFaceRgb } from '../../drivers/virtual/faces.ts';
import { encodeGreyJp2 } from '../../drivers/virtual/jp2.ts';
import { frameHeight, frameWidth, seededNumbers } from '../../drivers/virtual/render-scene.ts';
import { type FaceHint, isFacePrompt } from '../../src/core/visit/verification.ts';
import { guessHint } from '../../src/face/attempt/choose-hint.ts';
import { findFace } from '../../src/face/attempt/find-face.ts';
import { asCardPhoto, readRgb } from '../../src/face/calibration/card-photo.ts';
import { personOf } from '../../src/face/calibration/group-rates.ts';
import { readHeadSignals } from '../../src/face/measures/head-signals.ts';
import { measureQuality } from '../../src/face/measures/measure-quality.ts';
import type { RgbImage } from '../../src/face/picture/sample-image.ts';
import { between } from './between.ts';
import { codeOfAttempts, codeOfEmbedding, hashOf, KeptResults, seedFor } from './kept-results.ts';
import { LivingPainter, type Pose, paintBehind } from './living-painter.ts';
import { keyOfAttempt, openBench, shippedPadStrength } from './open-bench.ts';
import { type Played, playAttempt, type Told } from './play-attempt.ts';

const { values: options } = parseArgs({
  options: {
    images: { type: 'string' },
    /** The first so many; left out: all. */
    sequences: { type: 'string' },
    seed: { type: 'string', default: '1' },
    card: { type: 'string', default: 'fit' },
    json: { type: 'boolean', default: false },
  },
});

/** The camera's default rate (src/processes/terminal-config.ts). */
const frameMs = 1_000 / 15;
const timeLimitMs = 30_000;
const minMatched = 98;
const minSequences = 80;
const lookingWithinMs = 600;
/** The same hint for so long is a loop. */
const loopMs = 10_000;
const faceMetres = 0.15;
const turnDegrees = 22;

type Sitter = { readonly name: string; readonly card: RgbImage; readonly living: readonly RgbImage[] };
/**
 * So long one of the two pictures is seen, then the other: another expression, another moment. Only while nothing is asked:
 * no head jumps in the middle of a movement.
 */
const viewMs = 400;

const drawnPeople = async (): Promise<Sitter[]> => {
  const sitters: Sitter[] = [];
  for (const id of faceIds.filter((each) => each !== 'sample1-c')) {
    const cut = await loadFaceRgb(id);
    sitters.push({ name: id, card: cut, living: [cut] });
  }
  return sitters;
};

/**
 * Whether somebody else stands in the picture, so that it is none of somebody who stands alone. A second face may show only at
 * the size that the counter's camera sees it. Where no face is found at all, there is no company either: that counts.
 */
const hasCompany = async (picture: RgbImage): Promise<boolean> => {
  const found = await findFace(bench.models, picture);
  if (found === null) return false;
  const painter = await LivingPainter.of(picture, found.landmarks.mesh, seededNumbers(1));
  const frame = { width: frameWidth, height: frameHeight, rgb: new Uint8Array(frameWidth * frameHeight * 3) };
  painter.paint({ x: 0, y: 0, faceWidth: 0.22, roll: 0, yaw: 0, eyesShut: false, light: 1 }, frame.rgb);
  const again = await findFace(bench.models, frame);
  const company = (seen: NonNullable<typeof found>, image: RgbImage): boolean => measureQuality(image, seen).people > 1;
  return company(found, picture) || (again !== null && company(again, frame));
};

/** Small = fit for a card. */
const unfitness = async (picture: RgbImage): Promise<number> => {
  const found = await findFace(bench.models, picture);
  if (found === null) return Number.POSITIVE_INFINITY;
  const signals = readHeadSignals(found.landmarks.mesh);
  return Math.abs(signals.noseOffset) + (guessHint(measureQuality(picture, found), signals) === null ? 0 : 1);
};

/** The one for the card comes first. */
const cardFirst = async (pictures: readonly RgbImage[]): Promise<RgbImage[]> => {
  if (options.card === 'first') return [...pictures];
  const ranked = [];
  for (const picture of pictures) ranked.push({ picture, unfit: await unfitness(picture) });
  return ranked.sort((a, b) => a.unfit - b.unfit).map(({ picture }) => picture);
};

/** Of each person three pictures at a time: one is on the card, the others live. */
const peopleOf = async (folder: string): Promise<Sitter[]> => {
  const byPerson = new Map<string, string[]>();
  for (const name of (await readdir(folder)).filter((each) => /_\d{4}\.jpe?g$/i.test(each)).sort()) {
    const person = personOf(name);
    byPerson.set(person, [...(byPerson.get(person) ?? []), name]);
  }
  const sitters: Sitter[] = [];
  for (const [name, files] of byPerson) {
    if (files.length < 3) continue;
    const alone: RgbImage[] = [];
    for (const file of files) {
      const picture = await readRgb(join(folder, file));
      if (await keptPictures.of(hashOf(picture.rgb), () => hasCompany(picture))) {
        leftOut.push(file);
        process.stderr.write(`living: ${file} is left out: somebody else stands in it\n`);
      } else alone.push(picture);
    }
    if (alone.length < 3) peopleLeftOut.push(name);
    for (let i = 0; i + 2 < alone.length; i += 3) {
      const [card, ...living] = (await cardFirst(alone.slice(i, i + 3))) as [RgbImage, RgbImage, RgbImage];
      sitters.push({ name: i === 0 ? name : `${name} (${i / 3 + 1})`, card, living });
    }
  }
  return sitters;
};

/** Does what was told, after the time that hearing and moving takes; else wanders a little, as nobody stands still. */
class Visitor {
  #at: Pose;
  readonly #random: () => number;
  readonly #phases: readonly number[];
  #reactAfterMs = 0;
  #heard: FaceHint | null = null;

  constructor(random: () => number) {
    this.#random = random;
    this.#phases = Array.from({ length: 4 }, () => random() * 2 * Math.PI);
    const distance = between(random, 0.35, 0.8);
    const halfView = (between(random, 60, 80) / 360) * Math.PI;
    const frameMetres = 2 * distance * Math.tan(halfView);
    this.#at = {
      // Off the middle by up to 8 cm sideways; standing, sitting or reclined: 10 cm above or below the camera's axis.
      x: between(random, -0.08, 0.08) / frameMetres,
      y: between(random, -0.1, 0.1) / (frameMetres * 0.75),
      faceWidth: faceMetres / frameMetres,
      roll: between(random, -6, 6),
      yaw: between(random, -5, 5),
      eyesShut: false,
      light: between(random, 0.75, 1.15),
    };
  }

  #follow(hint: FaceHint): void {
    const at = this.#at;
    const random = this.#random;
    const most = (part: number): number => between(random, 0.6, 0.9) * part;
    const change: Partial<Record<FaceHint, Partial<Pose>>> = {
      nearer: { faceWidth: Math.min(0.3, at.faceWidth * between(random, 1.3, 1.7)) },
      farther: { faceWidth: at.faceWidth * between(random, 0.65, 0.8) },
      'move-left': { x: at.x + most(-at.x) },
      'move-right': { x: at.x + most(-at.x) },
      'move-up': { y: at.y + most(-at.y) },
      'move-down': { y: at.y + most(-at.y) },
      'look-here': { yaw: 0, roll: 0 },
      'more-light': { light: 1 },
    };
    this.#at = { ...at, ...change[hint] };
  }

  pose(atMs: number, { hint, forMs }: Told): Pose {
    if (hint !== this.#heard) {
      this.#heard = hint;
      this.#reactAfterMs = between(this.#random, 500, 1_100);
    }
    if (hint !== null && forMs >= this.#reactAfterMs) {
      this.#follow(hint);
      this.#reactAfterMs = forMs + between(this.#random, 700, 1_300);
    }
    const effort = Math.min(1.6, Math.max(0, (forMs - 600) / 400));
    const side = hint === 'turn-left' ? 1 : hint === 'turn-right' ? -1 : 0;
    const swing = (periodMs: number, index: number): number =>
      Math.sin((atMs / periodMs) * 2 * Math.PI + (this.#phases[index] ?? 0));
    const own = this.#at;
    return {
      ...own,
      x: own.x + swing(4_100, 0) * 0.012,
      y: own.y + swing(3_300, 1) * 0.01,
      faceWidth: own.faceWidth * (1 + swing(5_700, 2) * 0.02),
      roll: own.roll + swing(4_700, 3) * 2,
      yaw: own.yaw + swing(3_900, 1) * 2 + turnDegrees * side * effort,
      eyesShut: (hint === 'blink' && forMs > 600 && (forMs - 600) % 1_500 < 350) || (atMs + 900) % 4_300 < 150,
    };
  }
}

/**
 * The same hint again without the picture reacting, a third time at all, or one that stays for 10 s. Prompts, to look here
 * after them, and to hold still before and after, are none that could be followed once for all.
 */
const loops = ({ told, toldAgain, decidedAfterMs }: Played): boolean => {
  const isAtPrompt = (i: number): boolean =>
    [told[i - 1], told[i], told[i + 1]].some(
      (each) => each !== undefined && each.hint !== null && isFacePrompt(each.hint),
    );
  const isBackToRest = (i: number): boolean =>
    told[i]?.hint === 'look-here' && isFacePrompt(told[i - 1]?.hint ?? 'no-face');
  const hints = told.filter(
    ({ hint }, i) =>
      hint !== null && !isBackToRest(i) && !(isAtPrompt(i) && (hint === 'hold-still' || isFacePrompt(hint))),
  );
  return (
    toldAgain.some((hint) => !isFacePrompt(hint)) ||
    hints.some(({ hint }) => hints.filter((each) => each.hint === hint).length > 2) ||
    told.some(({ hint, atMs }, i) => hint !== null && (told[i + 1]?.atMs ?? decidedAfterMs) - atMs >= loopMs)
  );
};

const bench = await openBench('living', Number(options.seed));
const keptPictures = new KeptResults('living-pictures', [
  ...codeOfEmbedding,
  'src/face/measures/measure-quality.ts',
  'scripts/evaluate/living-painter.ts',
]);
/** Pictures in which somebody else stands, and whoever has fewer than three without. */
const leftOut: string[] = [];
const peopleLeftOut: string[] = [];
const folder = options.images;
const hasPictures = folder !== undefined && existsSync(folder);
if (!hasPictures)
  process.stderr.write(
    `living: skipped, the people of pictures: no folder ${folder ?? '(--images DIR)'}; drawn people only\n`,
  );
const everybody = [...(await drawnPeople()), ...(hasPictures ? await peopleOf(folder) : [])];
const sitters = everybody.slice(0, Number(options.sequences ?? everybody.length));

type Outcome = { readonly played: Played; readonly hasBystander: boolean } | { readonly noFaceIn: string };

/** Behind every third stands somebody else, at the frame's edge: two to four times as far from the camera. */
const bystanderOf = async (random: () => number, name: string) => {
  if (random() > 1 / 3) return null;
  const others = faceIds.filter((id) => id !== 'sample1-c' && id !== name);
  const cut = await loadFaceRgb(others[Math.floor(random() * others.length)] as (typeof others)[number]);
  return { cut, side: random() < 0.5 ? -1 : 1, share: between(random, 0.25, 0.45), y: between(random, -0.25, 0.1) };
};

const comeToTheCounter = async ({ name, card, living }: Sitter): Promise<Outcome> => {
  const random = seededNumbers(seedFor(options.seed, name));
  const { seen: reference, tookMs: referenceMs } = await bench.looker.reference(await asCardPhoto(card, encodeGreyJp2));
  if (reference === null) return { noFaceIn: 'the card photo' };
  const painters: LivingPainter[] = [];
  const turnedBy: number[] = [];
  for (const picture of living) {
    const found = await findFace(bench.models, picture);
    if (found === null) return { noFaceIn: 'a picture' };
    painters.push(await LivingPainter.of(picture, found.landmarks.mesh, random));
    turnedBy.push(Math.abs(measureQuality(picture, found).yaw));
  }
  // Who is asked to look into the camera shows the picture in which they do so most.
  const straightest = turnedBy.indexOf(Math.min(...turnedBy));
  const visitor = new Visitor(random);
  const bystander = await bystanderOf(seededNumbers(seedFor(options.seed, name, 'behind')), name);
  let view = 0;
  let isMoving = false;
  const played = await playAttempt(bench, reference, {
    frameMs: frameMs,
    timeLimitMs: timeLimitMs,
    padStrength: shippedPadStrength,
    endsAtMiss: false,
    random,
    referenceMs,
    paint: (atMs, told, target) => {
      isMoving = told.hint !== null && (isMoving || isFacePrompt(told.hint));
      if (told.hint === null) view = Math.floor(atMs / viewMs) % painters.length;
      if (told.hint === 'look-here' && !isMoving) view = straightest;
      const pose = visitor.pose(atMs, told);
      painters[view]?.paint(pose, target);
      if (bystander === null) return;
      const faceWidth = pose.faceWidth * bystander.share;
      paintBehind(bystander.cut, { x: bystander.side * (0.49 - faceWidth), y: bystander.y, faceWidth }, target);
    },
  });
  return { played, hasBystander: bystander !== null };
};

const kept = new KeptResults('living', codeOfAttempts);
const results: (Played & { readonly name: string; readonly hasBystander: boolean })[] = [];
let failuresToAcquire = 0;
for (const sitter of sitters) {
  const { name, card, living } = sitter;
  const pictures = hashOf([card, ...living].map(({ rgb }) => hashOf(rgb)).join());
  const key = keyOfAttempt(bench.threshold, shippedPadStrength, options.seed, pictures);
  const outcome = await kept.of(key, () => comeToTheCounter(sitter));
  if ('noFaceIn' in outcome) {
    failuresToAcquire++;
    process.stderr.write(`living: ${name}: no face in ${outcome.noFaceIn}\n`);
  } else {
    const { played, hasBystander } = outcome;
    results.push({ name, ...played, hasBystander });
    const story = played.told.map(({ hint, atMs }) => `${Math.round(atMs)} ${hint ?? '–'}`).join(', ');
    process.stderr.write(
      `living: ${name}: ${played.end}${played.why === null ? '' : ` (${played.why})`} after ${Math.round(played.decidedAfterMs)} ms, passive ${played.evidence.map(({ bonaFide }) => bonaFide?.toFixed(2) ?? '–').join(' ') || 'not asked'}: ${story}\n`,
    );
  }
}

const quantile = (values: readonly number[], part: number): number =>
  Math.round([...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(values.length * part) - 1)] ?? 0);
const matchedRuns = results.filter(({ end }) => end === 'matched');
const isPrompted = ({ hints }: Played): boolean => hints.some(isFacePrompt);
const times = matchedRuns.map(({ decidedAfterMs }) => decidedAfterMs);
/**
 * The product told them nothing from the card's photo to the decision, whatever that was: for anything else it waits for the
 * person. Who ended otherwise than by a match waited for it all the same.
 */
const looking = results.filter(({ hints }) => hints.length === 0).map(({ decidedAfterMs }) => decidedAfterMs);
const lookingP95Ms = quantile(looking, 0.95);
/** The same and whoever was told anything but to turn the head, with the time in which they heard it. */
const unprompted = results.filter((played) => !isPrompted(played)).map(({ decidedAfterMs }) => decidedAfterMs);
/** Of those who were asked to turn, with their answer. */
const answering = matchedRuns.filter(isPrompted).map(({ decidedAfterMs }) => decidedAfterMs);
const sequences = results.length + failuresToAcquire;
const matched = Number(((matchedRuns.length / sequences) * 100).toFixed(1));
const hintLoops = results.filter(loops).length;
const people = new Set(sitters.map(({ name }) => name.replace(/ \(\d+\)$/, ''))).size;
const report = {
  profile: 'release',
  people,
  sequences,
  matched,
  hintLoops,
  medianMs: quantile(times, 0.5),
  p95Ms: quantile(times, 0.95),
  looking: { sequences: looking.length, medianMs: quantile(looking, 0.5), p95Ms: lookingP95Ms },
  unprompted: { sequences: unprompted.length, medianMs: quantile(unprompted, 0.5), p95Ms: quantile(unprompted, 0.95) },
  failuresToAcquire,
  /** As somebody else stands in them. */
  picturesLeftOut: leftOut.length,
  peopleLeftOut: peopleLeftOut.length,
  /** Behind whom somebody else stood. */
  bystanders: results.filter(({ hasBystander }) => hasBystander).length,
  prompted: {
    sequences: results.filter(isPrompted).length,
    medianMs: quantile(answering, 0.5),
    p95Ms: quantile(answering, 0.95),
  },
  unsure: results.filter(({ end }) => end === 'unsure').length,
  suspected: results.filter(({ end }) => end === 'suspected').length,
  padStrength: shippedPadStrength,
  threshold: bench.threshold,
  card: options.card,
  defaults: true,
};
/** What the words of the report mean, for whoever reads it without this file. */
const meanings = [
  'card: fit = of three pictures of a person that on which no hint would be told and the nose stands nearest to the middle of the',
  '  face is on the card, as a photo for a card is to show it; first = whichever comes first by name (--card first)',
  'looking: whoever was told nothing, neither a hint nor a prompt, from the card’s photo to the decision; the aim of 600 ms is theirs',
  'unprompted: whoever was not asked to turn the head, hints and the time in which they were heard included',
  'prompted: whoever was asked to turn the head, by the attack detection or for another view of the face; with their answer',
  'times: from the card’s photo in simulated time, a frame every 67 ms, with the processor time of the photo and the last frame',
];
for (const line of meanings) process.stderr.write(`living: ${line}\n`);
process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
const isMissed = matchedRuns.length / sequences < minMatched / 100 || hintLoops > 0 || lookingP95Ms > lookingWithinMs;
if (isMissed || (hasPictures && sequences < minSequences)) process.exitCode = 1;
