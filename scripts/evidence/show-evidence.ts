/**
 * npm run evidence [-- --run [--set jc-star-1]] [--json]
 *
 * Counts the rows of docs/evidence.md and writes the page: numbered demands → test → result of the last run → its commit.
 * `--run` runs the tests behind the rows (some minutes) and keeps what became of them in scripts/evidence/last-run.json.
 * `notReadable`: rows whose source's wording could not be read. Exit code 1 while a row is red.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { faultsByRunning } from '../official/official-rows.ts';
import { countsOf, demandSets, evidencePage, keyOf, type LastRuns, shownOf, whyRed } from './demands.ts';

const { values: options } = parseArgs({
  options: { run: { type: 'boolean', default: false }, set: { type: 'string' }, json: { type: 'boolean' } },
});
const root = join(import.meta.dirname, '..', '..');
const lastRunPath = join(import.meta.dirname, 'last-run.json');
const sets = demandSets();

const lastRuns = (): LastRuns => JSON.parse(readFileSync(lastRunPath, 'utf8')) as LastRuns;

if (options.run) {
  const rows = sets
    .filter(({ id }) => options.set === undefined || id === options.set)
    .flatMap((set) => set.rows.map((demand) => ({ requirement: keyOf(set, demand), shown: shownOf(demand) })))
    .filter(({ shown }) => shown !== null && 'file' in shown);
  if (rows.length === 0) throw new Error(`no set ${options.set}`);
  const failed = new Map(faultsByRunning(rows).map(({ requirement, what }) => [requirement, what]));
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const day = new Date().toISOString().slice(0, 10);
  const ran = rows.map(({ requirement }) => [
    requirement,
    { became: failed.get(requirement) ?? 'passed', commit, day },
  ]);
  const all = { ...lastRuns(), ...Object.fromEntries(ran) };
  const known = new Set(sets.flatMap((set) => set.rows.map((demand) => keyOf(set, demand))));
  const kept = Object.fromEntries(Object.entries(all).filter(([key]) => known.has(key)));
  writeFileSync(lastRunPath, `${JSON.stringify(kept, null, 2)}\n`);
}

const lastRun = lastRuns();
writeFileSync(join(root, 'docs/evidence.md'), evidencePage(sets, lastRun));
for (const set of sets)
  for (const demand of set.rows) {
    const why = whyRed(set, demand, lastRun);
    if (why !== null) process.stderr.write(`red: ${keyOf(set, demand)}: ${why}\n`);
  }
const counts = countsOf(sets, lastRun);
process.stdout.write(`${JSON.stringify(counts)}\n`);
process.exit(counts.red === 0 ? 0 : 1);
