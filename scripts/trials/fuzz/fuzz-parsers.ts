import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Dice, mutate } from '../fuzz-bytes.ts';
import type { Parser } from './parsers.ts';

/** Inputs that once were too much for a parser, by its name: tried first, for good */
const corpusFolder: string = new URL('../../../test/fuzz/corpus/', import.meta.url).pathname;

/** A parser may take so long for one input, ms. Looked at again, as a busy machine lets everybody wait. */
const limitMs = 100;
const looksAgain = 3;
/** Then somebody should look first. */
const mostCrashes = 20;

type Crash = { readonly parser: string; readonly why: string; readonly file: string };
type FuzzFigures = { inputs: number; readonly crashes: Crash[] };

const corpusOf = (name: string, folder: string): readonly Buffer[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.startsWith(`${name}-`))
        .map((file) => readFileSync(join(folder, file)))
    : [];

/** CPU time of one parsing, ms; throws what it throws. */
const timeOf = async (parser: Parser, bytes: Uint8Array): Promise<number> => {
  const before = process.cpuUsage();
  await parser.parse(Uint8Array.from(bytes));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
};

const wrongWith = async (parser: Parser, bytes: Uint8Array): Promise<string | null> => {
  try {
    let ms = await timeOf(parser, bytes);
    const mostMs = parser.limitMs ?? limitMs;
    for (let look = 0; look < looksAgain && ms > mostMs; look += 1) ms = Math.min(ms, await timeOf(parser, bytes));
    return ms > mostMs ? `${Math.round(ms)} ms for one input` : null;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
};

/** Every parser in turn, on inputs of before and on changed ones, for so long. What breaks one is written into `folder`. */
export const fuzzParsers = async (
  parsers: readonly Parser[],
  { seed, forMs, folder = corpusFolder }: { readonly seed: number; readonly forMs: number; readonly folder?: string },
): Promise<FuzzFigures> => {
  const dice = new Dice(seed);
  const figures: FuzzFigures = { inputs: 0, crashes: [] };
  const attempt = async (parser: Parser, bytes: Buffer): Promise<void> => {
    figures.inputs += 1;
    const why = await wrongWith(parser, bytes);
    if (why === null) return;
    mkdirSync(folder, { recursive: true });
    const name = `${parser.name}-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
    writeFileSync(join(folder, name), bytes);
    figures.crashes.push({ parser: parser.name, why, file: name });
  };
  const known = parsers.map((parser) => ({
    parser,
    inputs: [...corpusOf(parser.name, corpusFolder), ...parser.seeds.map((each) => Buffer.from(each))],
  }));
  for (const { parser, inputs } of known) for (const bytes of inputs) await attempt(parser, bytes);
  const untilMs = performance.now() + forMs;
  for (let round = 0; performance.now() < untilMs && figures.crashes.length < mostCrashes; round += 1)
    for (const { parser, inputs } of known)
      if (round % (parser.everyRounds ?? 1) === 0)
        await attempt(parser, dice.chance(0.05) ? dice.bytes(dice.below(400)) : mutate(dice, dice.of(inputs)));
  return figures;
};
