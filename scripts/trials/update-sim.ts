import { parseArgs } from 'node:util';
import type { Behaviour, Release, SimulatedBundle } from '../beds/simulated-board.ts';
import {
  type Cut,
  compatible,
  type Findings,
  nothingFound,
  SimulatedWorld,
  type Story,
} from '../beds/simulated-updates.ts';
import { Dice } from './fuzz-bytes.ts';

/**
 * npm run update-sim -- [--cuts 10000] [--seed 1] [--json]
 *
 * A board of which nothing but its disk survives a power cut, updated by the product's own machine and runner: stories of
 * good releases, releases that panic, hang, stay mute or are unwell, and bundles that must be refused (foreign, unsigned,
 * tampered in signature or payload, older, the same again, for another device, without a version). Each story is played
 * once undisturbed; then once more for each of its writes, with the power gone before, in, or after that write, every third
 * time a second cut on the way back. `cuts`: power cuts that fell.
 */
const { values } = parseArgs({
  options: {
    cuts: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean' },
  },
});

const say = (text: string): boolean => process.stderr.write(`${text}\n`);

const first: Release = { name: 'first', version: '0.2.0', form: 3, behaves: 'good' };

const badKinds = [
  ...['foreign', 'unsigned', 'tampered-signature', 'tampered-payload'],
  ...['older', 'same', 'other-device', 'no-version'],
] as const;

const bundleOf = (release: Release, changes: Partial<SimulatedBundle> = {}): SimulatedBundle => ({
  ...{ id: release.name, version: release.version, compatible, signature: 'trusted', payloadTampered: false, release },
  ...changes,
});

const badBundle = (kind: string, index: number): SimulatedBundle => {
  const release: Release = { name: `${kind}-${index}`, version: '0.9.0', form: 9, behaves: 'good' };
  switch (kind) {
    case 'foreign':
      return bundleOf(release, { signature: 'foreign' });
    case 'unsigned':
      return bundleOf(release, { signature: 'absent' });
    case 'tampered-signature':
      return bundleOf(release, { signature: 'broken' });
    case 'tampered-payload':
      return bundleOf(release, { payloadTampered: true });
    case 'older':
      return bundleOf({ ...release, version: '0.1.9', form: 2 });
    case 'same':
      return bundleOf({ ...release, version: '0.2.0', form: 3 });
    case 'other-device':
      return bundleOf(release, { compatible: 'something-else' });
    default:
      return bundleOf({ ...release, version: 'newest' });
  }
};

const storyOf = (dice: Dice): Story => {
  const behaviours: readonly Behaviour[] = ['good', 'good', 'panics', 'hangs', 'mute', 'unwell'];
  const startsAtMs = Date.parse('2026-11-18T20:00:00+09:00') + dice.below(3) * 30 * 60_000;
  const between = (): number => dice.below(40) * 60_000;
  const offers: { atMs: number; bundle: SimulatedBundle }[] = [];
  let atMs = between();
  for (let index = 0; index < 2 + dice.below(3); index += 1) {
    const minor = 3 + index;
    const release = { name: `next-${index}`, version: `0.${minor}.0`, form: 3 + index, behaves: dice.of(behaviours) };
    offers.push({ atMs, bundle: dice.chance(0.45) ? badBundle(dice.of(badKinds), index) : bundleOf(release) });
    // Now and then before the one that lies there has been tried.
    atMs += 5 * 60_000 + between();
  }
  const downMs = startsAtMs + between() * 3;
  return {
    first,
    offers,
    startsAtMs,
    lineDown: dice.chance(0.3) ? [downMs, downMs + between()] : null,
    visitsAtMs: Array.from({ length: dice.below(6) }, () => dice.below(180) * 60_000).sort((a, b) => a - b),
    agentVersionFromMs: [
      { atMs: 0, version: dice.chance(0.3) ? '0.2.0' : '0.9.0' },
      { atMs: between() * 2, version: '0.9.0' },
    ].sort((a, b) => a.atMs - b.atMs),
    waveFromMs: dice.chance(0.3) ? between() : 0,
  };
};

const mustBeZero = [
  ...(['unbootable', 'mixed', 'badBundlesAccepted', 'rowsLost'] as const),
  ...(['inOpeningHours', 'whileBusy', 'tooManyTries'] as const),
];

const total = nothingFound();

const add = (found: Findings, what: string): void => {
  for (const key of mustBeZero) {
    if (found[key] > 0) say(`${what}: ${key} ${found[key]}`);
    total[key] += found[key];
  }
  total.boots += found.boots;
  total.longestAwayMs = Math.max(total.longestAwayMs, found.longestAwayMs);
};

const wantedCuts = Number(values.cuts);
let cuts = 0;
let stories = 0;
let installed = 0;
let keptOld = 0;
const falls: readonly Cut['falls'][] = ['before', 'into', 'after'];
while (cuts < wantedCuts) {
  const seed = Number(values.seed) * 1_000_003 + stories;
  const story = storyOf(new Dice(seed));
  stories += 1;
  const undisturbed = new SimulatedWorld(story, []);
  const found = await undisturbed.run();
  add(found, `story ${seed}, undisturbed`);
  if (found.endsWith === first.version) keptOld += 1;
  else installed += 1;
  for (let op = 1; op <= undisturbed.disk.ops && cuts < wantedCuts; op += 1) {
    const list: Cut[] = [{ op, falls: falls[(op + stories) % 3] ?? 'before' }];
    if (op % 3 === 0) list.push({ op: 1 + (op % 7), falls: falls[op % 2] ?? 'after' });
    const world = new SimulatedWorld(story, list);
    add(await world.run(), `story ${seed}, cut ${JSON.stringify(list)}`);
    cuts += world.disk.cutsThatFell;
  }
}
const { unbootable, mixed, badBundlesAccepted, rowsLost, inOpeningHours, whileBusy, tooManyTries } = total;
const { longestAwayMs, boots } = total;
say(`${stories} stories (${installed} ended with a new release, ${keptOld} with the first), ${boots} boots`);
process.stdout.write(
  `${JSON.stringify({
    ...{ profile: 'test', cuts, unbootable, mixed, badBundlesAccepted },
    ...{ rowsLost, inOpeningHours, whileBusy, tooManyTries, longestAwayMs, stories, installed, boots },
  })}\n`,
);
const isClean = [unbootable, mixed, badBundlesAccepted, rowsLost, inOpeningHours, whileBusy].every(
  (each) => each === 0,
);
process.exitCode = isClean && longestAwayMs <= 180_000 && installed > 0 && keptOld > 0 ? 0 : 1;
