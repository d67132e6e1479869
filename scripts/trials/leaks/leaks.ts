/**
 * No trace: `npm run leaks -- [--simulated 10000] [--real 200] [--seed S] [--json]`. After each simulated and each real visit
 * everything that is written, sent or held in memory is searched for photo, embedding, 照合番号 and names, in the encodings of
 * canary-search.ts and within whatever is packed or encoded (opened-content.ts); real visits on a disk of which nothing but
 * what is searched can be written (own-machine.ts). Before, the same search must find 200 planted leaks, half of them made by
 * other means than its own. `pinDifferences`: traces of simulated visits that were not the same byte by byte when nothing but
 * the PIN was another. Real visits need root, pcscd with vpcd, mosquitto, models.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { canariesOfAll, makeCards } from './canaries.ts';
import { onOwnMachine } from './own-machine.ts';
import { provePlanted } from './planted-leaks.ts';
import type { RealLine, RealShare } from './real-leaks.ts';
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
/** Real visits are mostly waiting for a finger: so many counters at once, on a machine of its own each. */
const counters = 3;
const say = (line: string): void => void process.stderr.write(`leaks: ${line}\n`);

const figures = { visits: 0, hits: 0, planted: 0, found: 0, pinDifferences: 0 };

const programOf = (name: string): string => new URL(name, import.meta.url).pathname;
const runShare = async (share: LeakShare, onLine: (line: LeakLine) => void): Promise<void> => {
  const child = spawn(process.execPath, [programOf('simulated-leaks.ts'), JSON.stringify(share)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: child.stdout }).on('line', (text) => onLine(JSON.parse(text) as LeakLine));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`a share of the simulated visits ended with ${code}`);
};

const searchSimulated = async (): Promise<void> => {
  let [visits, searched, compared, told] = [0, 0, 0, 0];
  const onLine = (line: LeakLine): void => {
    visits += line.visits;
    figures.hits += line.hits.length;
    searched += line.searched;
    compared += line.pinDifferences === null ? 0 : line.visits;
    figures.pinDifferences += line.pinDifferences?.length ?? 0;
    for (const hit of line.hits) say(`world ${line.world}: ${hit}`);
    for (const where of line.pinDifferences ?? []) say(`world ${line.world}: another PIN, another ${where}`);
    if (visits - told < 2_000) return;
    told = visits;
    say(`${told} simulated visits`);
  };
  const share = (first: number): LeakShare => ({
    ...{ seed: options.seed, sessions: simulated, first, step: processes, pinsEvery },
  });
  await Promise.all(Array.from({ length: processes }, (_, first) => runShare(share(first), onLine)));
  figures.visits += visits;
  say(`${Math.round(searched / 1e6)} MB of simulated traces; ${compared} visits with two PINs`);
};

const searchReal = async (): Promise<void> => {
  const hits = new Set<string>();
  const messages = new Map<number, number>();
  let [visits, byFace] = [0, 0];
  const onLine = (first: number, line: RealLine): void => {
    visits += 1;
    byFace += line.isByFace ? 1 : 0;
    messages.set(first, line.messages);
    for (const hit of line.hits) {
      if (!hits.has(hit)) say(`visit ${line.visit}: found: ${hit}`);
      hits.add(hit);
    }
    if (visits % 25 === 0) say(`${visits} real visits, ${byFace} of them by face`);
  };
  const run = (first: number): Promise<void> => {
    const share: RealShare = { visits: real, first, step: counters };
    const take = (text: string): void => onLine(first, JSON.parse(text) as RealLine);
    return onOwnMachine(programOf('real-leaks.ts'), JSON.stringify(share), take);
  };
  await Promise.all(Array.from({ length: Math.min(counters, real) }, (_, first) => run(first)));
  figures.visits += visits;
  figures.hits += hits.size;
  const heard = [...messages.values()].reduce((sum, each) => sum + each, 0);
  say(`${visits} real visits, ${byFace} of them by face; ${heard} messages`);
};

say(`seed ${options.seed}`);
if (real > 0) {
  // Also makes the cards' keys, which a disk that cannot be written could not take.
  const { own, told } = await canariesOfAll(await makeCards());
  Object.assign(figures, await provePlanted([...own, ...told], wantedPlants, say));
  say(`${figures.found} of ${figures.planted} planted leaks found`);
}
await Promise.all([simulated > 0 ? searchSimulated() : null, real > 0 ? searchReal() : null]);
process.stdout.write(`${JSON.stringify(figures, null, options.json ? undefined : 2)}\n`);
const { hits, planted, found, pinDifferences } = figures;
const isProved = real === 0 || (planted === wantedPlants && found === planted);
const isWhole = figures.visits === simulated + real;
process.exit(hits + pinDifferences === 0 && isProved && isWhole ? 0 : 1);
