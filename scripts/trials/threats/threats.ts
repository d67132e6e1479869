import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mustFit, withChanges } from '../simulate/hooks.ts';
import { clinicDefences } from './clinic-defences.ts';
import type { Defence } from './defence.ts';
import { terminalDefences } from './terminal-defences.ts';

/*
 * npm run threats -- [--row N,N] [--json]: each defence (terminal-defences.ts, clinic-defences.ts) with its test as it stands,
 * and once more in a copy of the sources in which that defence is taken out. Rows of docs/threats.md: `of` all of them, `green`
 * whose tests all pass as they stand, `biting` whose tests all fail without the defence, `untestable` those that say that there
 * is no test, `open` those whose defence nobody can take out here yet. Status 1: a row is neither biting nor untestable.
 */
const { values } = parseArgs({ options: { row: { type: 'string' }, json: { type: 'boolean' } } });
const project = fileURLToPath(new URL('../../../', import.meta.url));
/** What a defence may be taken out of is copied; the rest is the tree's own. */
const copied = new Set(['src', 'drivers', 'test', 'scripts', 'docs', 'systemd', 'package.json', 'vitest.config.ts']);
const leftOut = new Set(['.git', 'coverage', 'packages']);

const copyOf = (): string => {
  const place = mkdtempSync(join(tmpdir(), 'uketsuke-threats-'));
  for (const name of readdirSync(project)) {
    if (leftOut.has(name)) continue;
    if (!copied.has(name)) symlinkSync(join(project, name), join(place, name));
    else
      cpSync(join(project, name), join(place, name), {
        recursive: true,
        filter: (path) => !path.endsWith('/node24/node_modules'),
      });
  }
  symlinkSync(join(project, 'scripts/node24/node_modules'), join(place, 'scripts/node24/node_modules'));
  return place;
};

/** A test that hangs is ended after four minutes, and failed. `none`: no test ran to its end, which proves nothing. */
const runTest = (place: string, [file, names]: Defence['test']): 'passed' | 'failed' | 'none' => {
  const report = join(place, `.report-${process.pid}.json`);
  const vitest = join(place, 'node_modules/vitest/vitest.mjs');
  const asked = ['run', '--maxWorkers=1', '--reporter=json', `--outputFile=${report}`, file];
  const done = spawnSync(process.execPath, [vitest, ...asked, ...(names === '' ? [] : ['-t', names])], {
    cwd: place,
    encoding: 'utf8',
    timeout: 240_000,
  });
  const { numPassedTests = 0, numFailedTests = 0 } = (() => {
    try {
      return JSON.parse(readFileSync(report, 'utf8')) as { numPassedTests?: number; numFailedTests?: number };
    } catch {
      return {};
    }
  })();
  rmSync(report, { force: true });
  // Nothing that hangs passes.
  if (done.status === null) return 'failed';
  if (numPassedTests + numFailedTests > 0) return numFailedTests === 0 ? 'passed' : 'failed';
  process.stderr.write(`${file}: no test called ${names || 'anything'}\n${done.stdout}${done.stderr}\n`);
  return 'none';
};

const takeOut = (place: string, { without }: Defence): (() => void) => {
  const before = without.map(([file]) => [join(place, file), readFileSync(join(place, file), 'utf8')] as const);
  for (const change of without) {
    const path = join(place, change[0]);
    writeFileSync(path, withChanges(readFileSync(path, 'utf8'), [change]));
  }
  return () => {
    for (const [path, source] of before.toReversed()) writeFileSync(path, source);
  };
};

const rows = readFileSync(join(project, 'docs/threats.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const cells = line.split(/(?<!\\) \| /);
    const number = Number(/^\| (\d+)$/.exec(cells[0] ?? '')?.[1]);
    return Number.isInteger(number) ? [{ number, test: cells[3] ?? '' }] : [];
  });
const isUntestable = (test: string): boolean => test.startsWith('none');
const asked = values.row?.split(',').map(Number);
const chosen = [...terminalDefences, ...clinicDefences]
  .filter(({ row }) => asked?.includes(row) ?? true)
  .toSorted((a, b) => a.row - b.row);
for (const { without } of chosen) mustFit(without);
const place = copyOf();
/** By row: whether every test passed as it stands, and failed without its defence. */
const seen = new Map<number, { green: boolean; biting: boolean }>();
try {
  for (const defence of chosen) {
    const green = runTest(place, defence.test) === 'passed';
    const putBack = takeOut(place, defence);
    const biting = runTest(place, defence.test) === 'failed';
    putBack();
    const before = seen.get(defence.row) ?? { green: true, biting: true };
    seen.set(defence.row, { green: before.green && green, biting: before.biting && biting });
    process.stderr.write(
      `row ${defence.row}: ${green ? 'green' : 'NOT GREEN AS IT STANDS'}, ${biting ? 'red' : 'NOT RED'} without its defence: ${defence.test.join(', ')}\n`,
    );
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}
const looked = rows.filter(({ number }) => asked?.includes(number) ?? true);
const of = looked.length;
const green = looked.filter(({ number }) => seen.get(number)?.green).length;
const biting = looked.filter(({ number }) => seen.get(number)?.biting).length;
const untestable = looked.filter(({ test }) => isUntestable(test)).length;
const open = looked.filter(({ number, test }) => !seen.has(number) && !isUntestable(test)).length;
process.stdout.write(
  `${JSON.stringify({ profile: 'test', of, defences: chosen.length, green, biting, untestable, open })}\n`,
);
process.exitCode = biting + untestable === of && green === seen.size ? 0 : 1;
