import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isOnPath } from '../../../drivers/host/is-on-path.ts';
import { healthOf } from '../../../src/cli/rollout-health.ts';
import type { RolloutLook } from '../../../src/cli/rollout-operator.ts';
import { rolloutFileOf, rolloutKinds } from '../../../src/wire/rollout-papers.ts';
import { listening } from '../../beds/listening.ts';
import { type ChainFacility, PlayedChain } from '../../beds/rollout-chain.ts';
import { eventually } from '../eventually.ts';
import { attackAll, attackCount } from './attack-facilities.ts';
import { ChainPrometheus } from './prometheus.ts';
import { RealFacility } from './real-facility.ts';

/**
 * npm run chain-waves -- [--facilities 60] [--json]
 *
 * A chain of facilities in four waves, three of them real agents (`uketsuke agent`), the others the same part of it over real
 * files and keys with a played terminal. A bad release, from which every fourth terminal of the second wave goes back: the operator's
 * look must stop it, by what a real Prometheus tells (Debian package prometheus; else by the same figures without it). Some of the
 * second wave are off and come back after the stop. Then the next release goes through all waves, and settings after it.
 * `reached`: facilities whose terminals were ever given the bad release; `beyondStop`: of them those that may not have been.
 * `listening`: sockets of ours that listen elsewhere than on loopback. Exit status 1 where a target is missed.
 */
const { values } = parseArgs({ options: { facilities: { type: 'string', default: '60' }, json: { type: 'boolean' } } });
const say = (text: string): boolean => process.stderr.write(`${text}\n`);
const count = Number(values.facilities);
const bad = { version: '0.3.0', isBad: true };
const fixed = { version: '0.3.1', isBad: false };

/** Closed now, whatever the hour of this machine: open from eleven hours on, for an hour. */
const closedNow = () => {
  const at = (hours: number): string => new Date(Date.now() + (9 + hours) * 3_600_000).toISOString().slice(11, 16);
  return { closedUntil: at(11), closedFrom: at(12) };
};

const root = mkdtempSync(join(tmpdir(), 'uketsuke-chain-waves-'));
const wavesOf = (names: readonly string[]): string[][] => {
  const [first, second, third] = [Math.ceil(count / 20), Math.ceil(count / 4), Math.ceil(count / 2)];
  const ends = [0, first, first + second, first + third, count];
  return ends.slice(1).map((end, index) => names.slice(ends[index], end));
};
const names = Array.from({ length: count }, (_, index) => `clinic-${index + 1}`);
const waves = wavesOf(names);
const [firstWave = [], secondWave = [], , lastWave = []] = waves;
const realNames = [firstWave[0], secondWave[0], lastWave[0]].filter((name) => name !== undefined);
const offNames = secondWave.slice(1, 3);

const chain = await PlayedChain.make(
  root,
  Date.now(),
  names.filter((name) => !realNames.includes(name)),
  closedNow(),
);
const real: RealFacility[] = [];
for (const name of realNames) real.push(await RealFacility.make(chain, name));
chain.others.push(...real);
for (const [index, name] of [...firstWave, ...secondWave].entries())
  if (!realNames.includes(name)) chain.facility(name).isLucky = firstWave.includes(name) || index % 4 !== 0;
const everybody: readonly (ChainFacility & { readonly given: ReadonlySet<string> })[] = [...chain.facilities, ...real];
const givenTo = (version: string): readonly string[] =>
  everybody.filter(({ given }) => given.has(version)).map(({ name }) => name);

const hasPrometheus = process.env.PROMETHEUS !== undefined || isOnPath('prometheus');
const prometheus = hasPrometheus ? await ChainPrometheus.start(root, everybody) : null;
if (prometheus === null) say('skipped: a real Prometheus needs the Debian package prometheus; its answer is played');

/** What an operator's look goes by, in one spelling. */
const spelt = (answer: string): string =>
  JSON.stringify(
    [...healthOf(answer, Date.now())]
      .map(([name, { taken, done, failed }]) => [
        name,
        ...rolloutKinds.map((kind) => [taken[kind], done[kind]]),
        [...failed].sort(),
      ])
      .sort(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
  );

/** Until Prometheus knows what each facility tells now. */
const health = async (): Promise<string> => {
  chain.time.nowMs = Date.now();
  const told = await chain.answer();
  if (prometheus === null) return told;
  const wanted = spelt(told);
  return eventually(
    'what Prometheus knows',
    async () => {
      const answer = await prometheus.answer();
      return spelt(answer) === wanted ? answer : undefined;
    },
    120_000,
  );
};
const lookByOperator = async (): Promise<RolloutLook | undefined> => {
  const answer = await health();
  chain.time.nowMs = Date.now();
  const looks = await chain.lookByOperator(answer);
  const look = looks.find(({ step }) => step !== 'finished' && step !== 'stopped') ?? looks[0];
  say(
    looks
      .map(
        ({ kind, number, step, wave, unwell }) =>
          `${kind} ${number}: ${step} ${wave} ${unwell.map(({ facility, reason }) => `${facility} ${reason}`).join(', ')}`,
      )
      .join('; '),
  );
  return look;
};
const round = async (): Promise<RolloutLook | undefined> => {
  chain.time.nowMs = Date.now();
  await chain.lookEverywhere();
  return lookByOperator();
};
/** Rounds until the operator's look says so. Throws where it never does. */
const roundsUntil = async (step: RolloutLook['step']): Promise<RolloutLook> => {
  for (let rounds = 0; rounds < 10; rounds += 1) {
    const look = await round();
    if (look?.step === step) return look;
  }
  throw new Error(`no ${step}`);
};
/** A real agent here has no terminal, so that none of its own has followed. */
const plan = { waves, watchHours: 0, donePercent: 60 };

const pids = (): readonly number[] =>
  [process.pid, prometheus?.pid, ...real.map(({ pid }) => pid)].filter((pid) => pid !== undefined);
const listensBeyondLoopback = (): number =>
  pids()
    .flatMap(listening)
    .filter((address) => !/^127\.|^0{24}01000000:|^0{31}1:/.test(address)).length;

const play = async () => {
  await chain.sign({ kind: 'release', ...plan }, bad);
  await round();
  await round();
  // The second wave is open now. Some of it are off; everybody else has it, and terminals go back.
  for (const name of offNames) chain.facility(name).isOn = false;
  const stop = await roundsUntil('stop');
  const former = readFileSync(join(chain.place.folder, rolloutFileOf('release')), 'utf8');
  for (const name of offNames) chain.facility(name).isOn = true;
  await round();
  await round();
  const reached = givenTo(bad.version);
  const mayHave = [...firstWave, ...secondWave].filter((name) => !offNames.includes(name));
  const beyondStop = reached.filter((name) => !mayHave.includes(name)).length;
  await chain.sign({ kind: 'release', ...plan }, fixed);
  await roundsUntil('finished');
  const mended = givenTo(fixed.version).length;
  const refused = await attackAll(chain, firstWave[1] ?? '', former);
  await chain.sign({ kind: 'settings', ...plan, settings: { theme: 'dark' } });
  await lookByOperator();
  await round();
  await real[0]?.hearTheme('dark');
  return {
    stoppedAt: stop.wave,
    reached: reached.length,
    beyondStop,
    mended,
    refused,
    listening: listensBeyondLoopback(),
  };
};

try {
  const played = await play();
  const line = { facilities: count, waves: waves.length, ...played, prometheus: prometheus !== null };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  const { stoppedAt, reached, beyondStop, mended, refused } = played;
  const isGood =
    stoppedAt === 2 &&
    reached === firstWave.length + secondWave.length - offNames.length &&
    beyondStop === 0 &&
    mended === count &&
    refused.length === attackCount &&
    played.listening === 0;
  if (!isGood) process.exitCode = 1;
} finally {
  for (const each of real) await each.end();
  await prometheus?.end();
  rmSync(root, { recursive: true, force: true });
}
