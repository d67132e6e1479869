/**
 * No trace: `npm run leaks -- [--simulated 10000] [--real 200] [--seed S] [--json]`. After each simulated and each real visit
 * everything that is written, sent or held in memory is searched for photo, embedding, 照合番号 and names, in 18 encodings of
 * text and 14 of bytes. Before, the same search must find 200 planted leaks. `pinDifferences`: traces of simulated visits that were not
 * the same byte by byte when nothing but the PIN was another. Real visits need root, pcscd with vpcd, mosquitto, models.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { provePlanted } from './planted-leaks.ts';
import { searchRealVisits } from './real-leaks.ts';
import type { LeakLine, LeakShare } from './simulated-leaks.ts';

const { values: options } = parseArgs({
  options: {
    simulated: { type: 'string', default: '10000' },
    real: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    json: { type: 'boolean', default: false },
  },
});
const [simulated, real] = [Number(options.simulated), Number(options.real)];
if (!Number.isInteger(simulated) || !Number.isInteger(real)) throw new Error('--simulated, --real: how many visits?');

const wantedPlants = 200;
/** One world of forty visits in so many is run with two PINs. */
const pinsEvery = 10;
const processes = Math.min(2, availableParallelism());
const say = (line: string): void => void process.stderr.write(`leaks: ${line}\n`);

const figures = { visits: 0, hits: 0, planted: 0, found: 0, pinDifferences: 0 };

const runShare = async (share: LeakShare, onLine: (line: LeakLine) => void): Promise<void> => {
  const child = spawn(
    process.execPath,
    [new URL('simulated-leaks.ts', import.meta.url).pathname, JSON.stringify(share)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  createInterface({ input: child.stdout }).on('line', (text) => onLine(JSON.parse(text) as LeakLine));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`a share of the simulated visits ended with ${code}`);
};

const searchSimulated = async (): Promise<void> => {
  let [searched, compared, told] = [0, 0, 0];
  const onLine = (line: LeakLine): void => {
    figures.visits += line.visits;
    figures.hits += line.hits.length;
    searched += line.searched;
    compared += line.pinDifferences === null ? 0 : line.visits;
    figures.pinDifferences += line.pinDifferences?.length ?? 0;
    for (const hit of line.hits) say(`world ${line.world}: ${hit}`);
    for (const where of line.pinDifferences ?? []) say(`world ${line.world}: another PIN, another ${where}`);
    if (figures.visits - told < 2_000) return;
    told = figures.visits;
    say(`${told} simulated visits`);
  };
  const share = (first: number): LeakShare => ({
    ...{ seed: options.seed, sessions: simulated, first, step: processes, pinsEvery },
  });
  await Promise.all(Array.from({ length: processes }, (_, first) => runShare(share(first), onLine)));
  say(`${Math.round(searched / 1e6)} MB of simulated traces; ${compared} visits with two PINs`);
};

say(`seed ${options.seed}`);
if (simulated > 0) await searchSimulated();
if (real > 0) {
  const { visits, byFace, messages, hits } = await searchRealVisits(real, say, async (needles) => {
    say(`${needles.length} forms of what must be nowhere`);
    Object.assign(figures, await provePlanted(needles, wantedPlants, say));
  });
  say(`${visits} real visits, ${byFace} of them by face; ${messages} messages`);
  figures.visits += visits;
  figures.hits += hits.length;
}
process.stdout.write(`${JSON.stringify(figures, null, options.json ? undefined : 2)}\n`);
const { hits, planted, found, pinDifferences } = figures;
const isProved = real === 0 || (planted === wantedPlants && found === planted);
process.exit(hits + pinDifferences === 0 && isProved ? 0 : 1);
