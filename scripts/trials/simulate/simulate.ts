/**
 * A simulated clinic, over and over: `npm run simulate -- --sessions 50000 --seed S --json`. The real terminal, outbox and agent on
 * simulated time, disks, network, cards and people, with whatever can go wrong; the same seed is the same story, whatever
 * the number of processes. `--seconds`: no world begins later, and `sessions` says how many visits it were. `--prove`: with
 * faults planted in the safety code, one at a time, to see which are found; `--only WORDS`: those with these words in their
 * names; `--plant NAME`: a run with one of them.
 */
import { spawn } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Violation } from './judge.ts';
import { planted } from './planted.ts';
import type { Story } from './tell-story.ts';
import type { Share } from './worlds.ts';

const { values: options } = parseArgs({
  options: {
    sessions: { type: 'string', default: '50000' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    seconds: { type: 'string' },
    processes: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    prove: { type: 'boolean', default: false },
    only: { type: 'string' },
    plant: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const sessions = Number(options.sessions);
const processes = Number(options.processes);
if (!Number.isInteger(sessions) || sessions < 2) throw new Error(`--sessions ${options.sessions}: how many?`);
const endsAtMs = options.seconds === undefined ? null : Date.now() + Number(options.seconds) * 1_000;
if (Number.isNaN(endsAtMs)) throw new Error(`--seconds ${options.seconds}: how many?`);
if (!Number.isInteger(processes) || processes < 1) throw new Error(`--processes ${options.processes}: how many?`);

/** The million takes no longer. ms */
const millionMs = 600_000;
const say = (line: string): void => void process.stderr.write(`simulate: ${line}\n`);

type WorldLine = {
  readonly world: number;
  readonly hash: string;
  readonly visits: number;
  readonly accepted: number;
  readonly violations: readonly Violation[];
};
type Line = WorldLine | { readonly world: number; readonly story: Story } | { readonly cpuMs: number };

const told = (story: Story): void => {
  const last = story.lines.slice(-120);
  for (const line of last) process.stderr.write(`  ${line}\n`);
  say(`${story.visits} visits, faults: ${story.faults.join(', ') || 'none'}`);
  if (story.tapeFile !== null) say(`the terminal's part of it: scripts/uketsuke.mjs visit replay ${story.tapeFile}`);
};

/**
 * A core for each process: helpers of the garbage collector take it from the other one, and a larger young generation has
 * less to keep; with room for the old one it is not looked through again and again while the worlds before are still in it.
 * Every function runs thousands of times: none is worth interpreting first.
 */
const v8Options = [
  '--single-threaded-gc',
  '--max-semi-space-size=64',
  '--min-semi-space-size=64',
  '--initial-old-space-size=600',
  '--always-sparkplug',
];
/** What was compiled once is read: a third of what a start costs */
const compiled = new URL('../../../.cache/simulate/compiled/', import.meta.url).pathname;

/** One process with its share of the worlds; how much CPU time it took, ms. */
const runShare = (share: Share, onWorld: (world: WorldLine) => void): Promise<number> => {
  const program = new URL('worlds.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [...v8Options, program, JSON.stringify(share)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { NODE_COMPILE_CACHE: compiled, ...process.env },
  });
  let cpuMs = Number.NaN;
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Line;
    if ('cpuMs' in line) cpuMs = line.cpuMs;
    else if ('story' in line) told(line.story);
    else onWorld(line);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 && !Number.isNaN(cpuMs)
        ? resolve(cpuMs)
        : reject(new Error(`a share of the worlds ended with ${code}`)),
    );
  });
};

const shareOf = (first: number, step: number, tellsStory: boolean, plant = options.plant): Share => ({
  ...{ seed: options.seed, sessions, first, step, tellsStory, endsAtMs },
  ...(plant !== undefined && { plant }),
});

const simulate = async (): Promise<void> => {
  say(`seed ${options.seed}, ${sessions} visits, ${processes} processes`);
  const beganMs = performance.now();
  const hashes = new Map<number, string>();
  const violations: Violation[] = [];
  let [visits, accepted, toldAt] = [0, 0, 0];
  const onWorld = (world: WorldLine): void => {
    hashes.set(world.world, world.hash);
    visits += world.visits;
    accepted += world.accepted;
    violations.push(...world.violations);
    for (const { promise, what, atMs } of world.violations)
      say(`world ${world.world}: ${promise}: ${what} (${atMs / 1_000} s)`);
    if (visits - toldAt < 100_000) return;
    toldAt = visits;
    say(`${visits} visits, ${Math.round(visits / ((performance.now() - beganMs) / 1_000))} a second`);
  };
  const shares = Array.from({ length: processes }, (_, share) => runShare(shareOf(share, processes, true), onWorld));
  const cpuMs = (await Promise.all(shares)).reduce((sum, ms) => sum + ms, 0);
  const tookMs = performance.now() - beganMs;
  const hash = createHash('sha256');
  for (const [, of] of [...hashes].sort(([a], [b]) => a - b)) hash.update(of);
  const count = (word: string): number => violations.filter(({ promise }) => promise.startsWith(word)).length;
  const report = {
    sessions: visits,
    seed: options.seed,
    violations: violations.length,
    lost: count('lost'),
    twice: count('done twice'),
    mixed: count('two people'),
    perSecond: Math.round(visits / (tookMs / 1_000)),
    hash: hash.digest('hex').slice(0, 32),
  };
  say(
    `${accepted} of ${visits} ended with a result on the screen; ${(cpuMs / visits).toFixed(2)} ms of CPU time a visit`,
  );
  process.stdout.write(`${JSON.stringify(report, null, options.json ? undefined : 2)}\n`);
  const isSlow = sessions >= 1_000_000 && tookMs > millionMs;
  if (isSlow) say(`${Math.round(tookMs / 1_000)} s; the target is ${millionMs / 1_000} s`);
  process.exitCode = violations.length > 0 || isSlow ? 1 : 0;
};

type Proof = { readonly name: string; readonly found: string | null; readonly visits: number };

/** Without a name: the code as it is, in the same worlds. It must be quiet, or finding a fault proves nothing. */
const findFault = async (name?: string): Promise<Proof> => {
  let [visits, found] = [0, null as string | null];
  const onWorld = (world: WorldLine): void => {
    visits += world.visits;
    found ??= world.violations[0]?.promise ?? null;
  };
  await runShare(shareOf(0, 1, false, name), onWorld);
  return { name: name ?? 'the code as it is', found, visits };
};

const prove = async (): Promise<void> => {
  const wanted = planted.filter(({ name }) => options.only === undefined || name.includes(options.only));
  const left = [...wanted];
  const proofs: Proof[] = [];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const proof = await findFault(next.name);
      proofs.push(proof);
      const { name, found, visits } = proof;
      say(`${name}: ${found === null ? `NOT FOUND in ${visits} visits` : `${found}, within ${visits} visits`}`);
    }
  };
  await Promise.all(Array.from({ length: processes }, work));
  const sound = await findFault();
  if (sound.found !== null) throw new Error(`${sound.name}: ${sound.found}, within ${sound.visits} visits`);
  const found = proofs.filter((proof) => proof.found !== null).length;
  const report = {
    planted: proofs.length,
    found,
    seed: options.seed,
    mostVisits: Math.max(0, ...proofs.map(({ visits }) => visits)),
  };
  process.stdout.write(`${JSON.stringify(report, null, options.json ? undefined : 2)}\n`);
  process.exitCode = found === proofs.length && found > 0 ? 0 : 1;
};

await (options.prove ? prove() : simulate());
