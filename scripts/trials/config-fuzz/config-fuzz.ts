import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { Dice } from '../fuzz-bytes.ts';
import { type ConfigFile, configFiles } from './files.ts';
import { keys } from './keys.ts';
import type { Mutation } from './mutation.ts';
import { readAsWritten } from './plain-reading.ts';
import { letters } from './slips.ts';
import { values as spoiltValues } from './values.ts';
import { same, wholeFile } from './whole-files.ts';

/*
 * npm run config-fuzz -- [--cases 10000] [--seed N] [--json]: every file that a person writes, spoilt in one of so many
 * ways. Each case is refused with file, line and reason, or harmless: read as before, or (a slip that makes another good
 * file) read exactly as a person reads it. Anything else is silent: taken for something that does not stand there. A case
 * that takes more than `boundMs` of a processor is silent, too.
 */
const { values } = parseArgs({
  options: { cases: { type: 'string', default: '10000' }, seed: { type: 'string' }, json: { type: 'boolean' } },
});
const cases = Number(values.cases);
const seed = values.seed === undefined ? Date.now() % 2_147_483_648 : Number(values.seed);
const mutations: readonly Mutation[] = [...same, ...wholeFile, ...spoiltValues, ...keys, ...letters, ...letters];
const boundMs = 1_000;
const shownSilent = 20;

type Section = Readonly<Record<string, unknown>>;
const isSection = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Free lists of names, which are not filled up by defaults. */
const records = ['asks'];

/** What the file says, with defaults for what it does not say. */
const filledUp = (file: ConfigFile, presets: unknown, written: unknown, key = ''): unknown =>
  isSection(written) && isSection(presets) && !records.includes(key)
    ? Object.fromEntries(
        [...new Set([...Object.keys(presets), ...Object.keys(written)])].map((each) => [
          each,
          Object.hasOwn(written, each) ? filledUp(file, presets[each], written[each], each) : presets[each],
        ]),
      )
    : (file.meaning?.(key, written) ?? written);

/** Without the optional settings that only the shortest file has by chance */
const presetsOf = async (file: ConfigFile): Promise<unknown> => file.read(new TextEncoder().encode(file.shortest));

type Verdict = 'refusedWithLine' | 'harmless' | 'silent';

const isRefusal = (file: ConfigFile, message: string, lines: number): boolean =>
  message.split('\n').every((line) => {
    const [, name, at, reason] = /^(?:.*[/\\])?([\w.-]+):(\d+):\d+: (\S.*)$/.exec(line) ?? [];
    return name === file.name && Number(at) >= 1 && Number(at) <= lines && (reason ?? '') !== '';
  });

/** null: the mutation found no place, or changed nothing. */
const play = async (file: ConfigFile, presets: unknown, mutation: Mutation, dice: Dice) => {
  const text = dice.of(file.texts);
  const mutated = mutation.apply(text, dice);
  if (mutated === null || mutated === text) return null;
  const bytes = typeof mutated === 'string' ? new TextEncoder().encode(mutated) : mutated;
  const before = await file.read(new TextEncoder().encode(text));
  const written = Buffer.from(bytes).toString('utf8');
  const began = process.cpuUsage();
  const judge = async (): Promise<{ verdict: Verdict; why: string }> => {
    let after: unknown;
    try {
      after = await file.read(bytes);
    } catch (error) {
      const { message } = error as Error;
      return isRefusal(file, message, written.split(/\r\n|\n|\r/).length)
        ? { verdict: 'refusedWithLine', why: message }
        : { verdict: 'silent', why: `refused without a place: ${message.slice(0, 200)}` };
    }
    if (isDeepStrictEqual(after, before)) return { verdict: 'harmless', why: 'read as before' };
    if (mutation.kind !== 'letters') return { verdict: 'silent', why: 'read as something else' };
    const plain = readAsWritten(written);
    if (plain !== null && isDeepStrictEqual(after, filledUp(file, presets, plain)))
      return { verdict: 'harmless', why: 'read as it is written' };
    return { verdict: 'silent', why: plain === null ? 'read, though no person could' : 'read as something else' };
  };
  const judged = await judge();
  const { user, system } = process.cpuUsage(began);
  const tookMs = (user + system) / 1_000;
  if (tookMs > boundMs)
    return { ...judged, verdict: 'silent' as const, why: `took ${Math.round(tookMs)} ms`, tookMs, text, written };
  return { ...judged, tookMs, text, written };
};

/** The lines that differ, for whoever mends it. */
const difference = (text: string, written: string): string => {
  const lines = new Set(text.split('\n'));
  const changed = written.split('\n').filter((line) => !lines.has(line));
  return JSON.stringify(changed.slice(0, 3).map((line) => line.slice(0, 120)));
};

const directory = mkdtempSync(join(tmpdir(), 'uketsuke-config-fuzz-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
const dice = new Dice(seed);
const files = await Promise.all(configFiles(directory).map(async (file) => ({ file, presets: await presetsOf(file) })));
const counts: Record<Verdict, number> = { refusedWithLine: 0, harmless: 0, silent: 0 };
const byKind = new Map<string, Record<string, number>>();
let [played, slowestMs, asWritten] = [0, 0, 0];
for (let turn = 0; played < cases; turn += 1) {
  if (turn > cases * 20) throw new Error('the mutations find no place');
  const { file, presets } = dice.of(files);
  const mutation = dice.of(mutations);
  const result = await play(file, presets, mutation, dice);
  if (result === null) continue;
  played += 1;
  counts[result.verdict] += 1;
  if (result.why === 'read as it is written') asWritten += 1;
  slowestMs = Math.max(slowestMs, result.tookMs);
  const kinds = byKind.get(mutation.name) ?? { refusedWithLine: 0, harmless: 0, silent: 0 };
  kinds[result.verdict] = (kinds[result.verdict] ?? 0) + 1;
  byKind.set(mutation.name, kinds);
  if (result.verdict === 'silent' && counts.silent <= shownSilent)
    process.stderr.write(
      `SILENT ${file.name}, ${mutation.name}: ${result.why}\n  ${difference(result.text, result.written)}\n`,
    );
}
if (!values.json)
  for (const [name, kinds] of [...byKind].sort(([a], [b]) => a.localeCompare(b)))
    process.stderr.write(
      `${name}: ${kinds.refusedWithLine} refused, ${kinds.harmless} harmless, ${kinds.silent} silent\n`,
    );
process.stderr.write(
  `seed ${seed}, ${byKind.size} kinds, slowest ${Math.round(slowestMs)} ms; of the harmless ${asWritten} are another good file, read as written\n`,
);
process.stdout.write(`${JSON.stringify({ cases: played, ...counts, profile: 'release' })}\n`);
process.exitCode = played === cases && counts.silent === 0 ? 0 : 1;
