/**
 * Renders test cards and reads their 照合番号B as the terminal does. Half of them are clean (right side up, turned by at
 * most 5°, no glare, blur or case); the others are turned, upside down, under glare, blurred, in a case, or back side up.
 *
 *   npm run card-face-eval -- [--cards 2000] [--seed 1] [--jobs 2] [--json]
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { toGrey } from '../../drivers/card-front-reader/card-front-image.ts';
import { createCardFrontOcr } from '../../drivers/card-front-reader/card-front-ocr.ts';
import { readCardFront } from '../../drivers/card-front-reader/tesseract-card-front-reader.ts';
import { type CardPrint, type CardScene, renderCardFront } from '../../drivers/virtual/card-front-renderer.ts';
import { randomFrom } from '../../drivers/virtual/random-from.ts';
import { japanDate } from '../../src/core/japan-time.ts';
import { toAscii } from '../../src/protocol/bytes.ts';
import { toJapaneseDate, verificationNumberB } from '../../src/protocol/card/verification-number.ts';

const { values: options } = parseArgs({
  options: {
    cards: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    /** Set for the processes that share the work: which of them this one is, from 0. */
    part: { type: 'string' },
    json: { type: 'boolean' },
  },
});
const [cards, seed, jobs] = [Number(options.cards), Number(options.seed), Number(options.jobs)];
/** The reader goes on for some seconds while the card lies there; here a card gets two attempts of two frames each. */
const attempts = 2;
/** Every card has its own random numbers, whoever reads it. */
let random = randomFrom(seed);
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const between = (least: number, most: number): number => least + random() * (most - least);
const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T;
const thisYear = japanDate(Date.now()).year;

const names = ['髙﨑 花子', '𠮷田 太郎', '見本 一郎', '試験 さくら'];
const randomPrint = (): { print: CardPrint; expected: string } => {
  const birthDate = {
    year: Math.floor(between(1925, thisYear - 1)),
    month: Math.floor(between(1, 13)),
    day: Math.floor(between(1, 29)),
  };
  const expiry = { year: thisYear + Math.floor(between(0, 11)), month: birthDate.month, day: birthDate.day };
  const securityCode = Math.floor(between(0, 10_000)).toString().padStart(4, '0');
  const birth = toJapaneseDate(birthDate);
  const expected = verificationNumberB(birthDate, expiry.year, securityCode);
  if (birth === null || expected === null) throw new Error('not a birth date');
  return { print: { name: pick(names), birth, expiry, securityCode }, expected };
};

const kinds = ['clean', 'turned', 'upside-down', 'glare', 'blur', 'case', 'back-side', 'all-at-once'] as const;
type Kind = (typeof kinds)[number];

const sceneOf = (kind: Kind): CardScene => {
  const base: CardScene = {
    angle: between(-5, 5),
    shiftX: between(-60, 60),
    shiftY: between(-40, 40),
    pixelsPerMm: between(11, 12.5),
    brightness: between(0.85, 1.02),
    noise: between(3, 14),
    seed: Math.floor(random() * 2 ** 31),
  };
  const glare = { x: between(10, 80), y: between(15, 50), radius: between(5, 22), strength: between(0.5, 1) };
  switch (kind) {
    case 'clean':
      return base;
    case 'turned':
      return { ...base, angle: between(-30, 30), pixelsPerMm: between(9.5, 11) };
    case 'upside-down':
      return { ...base, angle: 180 + between(-8, 8) };
    case 'glare':
      return { ...base, glare };
    case 'blur':
      return { ...base, blurSigma: between(0.8, 4) };
    case 'case':
      return { ...base, caseHaze: between(0.3, 1) };
    case 'back-side':
      return { ...base, isBackSide: true };
    case 'all-at-once':
      return { ...base, glare, angle: between(-20, 20), blurSigma: between(0.5, 2.5), noise: between(10, 40) };
  }
};

type Counts = { right: number; wrong: number; refused: number };
type Part = {
  readonly byKind: Record<Kind, Counts>;
  readonly reasons: Record<string, number>;
  readonly times: number[];
};

const emptyPart = (): Part => ({
  byKind: Object.fromEntries(kinds.map((kind) => [kind, { right: 0, wrong: 0, refused: 0 }])) as Record<Kind, Counts>,
  reasons: {},
  times: [],
});

/** Reads every `jobs`-th pair of a clean card and another one. */
const readPart = async (part: number): Promise<Part> => {
  const { byKind, reasons, times } = emptyPart();
  const ocr = await createCardFrontOcr();
  for (let card = 0; card < cards; card++) {
    if (Math.floor(card / 2) % jobs !== part) continue;
    random = randomFrom(seed * 1_000_003 + card);
    const kind: Kind = card % 2 === 0 ? 'clean' : (kinds[1 + (((card - 1) / 2) % (kinds.length - 1))] as Kind);
    const { print, expected } = randomPrint();
    const scene = sceneOf(kind);
    const frame = await renderCardFront(print, scene);
    const startMs = performance.now();
    let number = await readCardFront(ocr, toGrey(frame()), toGrey(frame()), Date.now());
    for (let attempt = 1; attempt < attempts && !number.ok; attempt++)
      number = await readCardFront(ocr, toGrey(frame()), toGrey(frame()), Date.now());
    times.push(performance.now() - startMs);
    if (!number.ok) {
      byKind[kind].refused++;
      const reason = number.failure.detail ?? '';
      if (kind === 'clean') reasons[reason] = (reasons[reason] ?? 0) + 1;
    } else if (toAscii(number.value) === expected) byKind[kind].right++;
    else {
      byKind[kind].wrong++;
      say(`WRONG: ${kind}, scene ${JSON.stringify(scene)}: expected ${expected}, read ${toAscii(number.value)}`);
    }
    if (times.length % 50 === 0) {
      const sums = Object.entries(byKind).map(
        ([name, { right, wrong, refused }]) => `${name} ${right}/${wrong}/${refused}`,
      );
      say(`part ${part + 1}: ${times.length} cards (right/wrong/refused): ${sums.join(', ')}`);
    }
  }
  await ocr.close();
  return { byKind, reasons, times };
};

const partInChild = async (part: number): Promise<Part> => {
  const own = ['--cards', `${cards}`, '--seed', `${seed}`, '--jobs', `${jobs}`, '--part', `${part}`];
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...own], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let last = '';
  for await (const line of createInterface(child.stdout)) last = line;
  return JSON.parse(last) as Part;
};

if (options.part !== undefined) {
  process.stdout.write(`${JSON.stringify(await readPart(Number(options.part)))}\n`);
  process.exit(0);
}

const whole = emptyPart();
for (const part of await Promise.all(Array.from({ length: jobs }, (_, index) => partInChild(index)))) {
  for (const kind of kinds)
    for (const field of ['right', 'wrong', 'refused'] as const) whole.byKind[kind][field] += part.byKind[kind][field];
  for (const [reason, times] of Object.entries(part.reasons))
    whole.reasons[reason] = (whole.reasons[reason] ?? 0) + times;
  whole.times.push(...part.times);
}
const sum = (field: keyof Counts): number => kinds.reduce((total, kind) => total + whole.byKind[kind][field], 0);
const { clean } = whole.byKind;
const share = (part: number, of: number): number => Math.round((part / Math.max(1, of)) * 10_000) / 10_000;
const result = {
  cards,
  right: sum('right'),
  wrong: sum('wrong'),
  refused: sum('refused'),
  cleanRefusedShare: share(clean.refused, clean.right + clean.wrong + clean.refused),
  /** Rule of three: with 0 wrong of N, the true share is below 3/N with 95 % confidence. Of rendered cards, not of real ones. */
  wrongShareBelow: share(3, cards),
  medianMs: Math.round(whole.times.sort((a, b) => a - b)[Math.floor(whole.times.length / 2)] ?? 0),
  cleanRefusedFor: whole.reasons,
  byKind: whole.byKind,
};
if (options.json !== true) say(JSON.stringify(result, null, 2));
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(result.wrong === 0 && result.cleanRefusedShare <= 0.05 ? 0 : 1);
