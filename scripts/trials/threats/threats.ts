import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Defence, defences } from './defences.ts';

/*
 * npm run threats -- [--row N] [--json]: for each defence of defences.ts its test as it stands (`green`), and once more in
 * a copy of the sources in which that defence is taken out (`biting`: then it is red). `of`: rows of docs/threats.md;
 * `untestable`: those whose row says that there is no test; `open`: rows whose defence nobody can take out here yet.
 * Status 1: a test is red as it stands, or green without its defence.
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

/** Passed, or not; a run in which no test was found is neither. */
const runTest = (place: string, [file, names]: Defence['test']): boolean => {
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
  if (numPassedTests + numFailedTests === 0)
    throw new Error(`${file}: no test called ${names || 'anything'}\n${done.stdout}${done.stderr}`);
  return numFailedTests === 0;
};

const takeOut = (place: string, { without, row }: Defence): (() => void) => {
  const before = without.map(([file]) => [join(place, file), readFileSync(join(place, file), 'utf8')] as const);
  for (const [file, text, instead] of without) {
    const path = join(place, file);
    const source = readFileSync(path, 'utf8');
    if (!source.includes(text)) throw new Error(`row ${row}: ${file} no longer holds: ${text}`);
    writeFileSync(path, source.replaceAll(text, instead));
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
const untestable = rows.filter(({ test }) => test.startsWith('none')).length;
const chosen = defences.filter(({ row }) => values.row === undefined || row === Number(values.row));
const place = copyOf();
let [green, biting] = [0, 0];
try {
  for (const defence of chosen) {
    const isGreen = runTest(place, defence.test);
    const putBack = takeOut(place, defence);
    const isRed = !runTest(place, defence.test);
    putBack();
    if (isGreen) green += 1;
    if (isRed) biting += 1;
    process.stderr.write(
      `row ${defence.row}: ${isGreen ? 'green' : 'RED AS IT STANDS'}, ${isRed ? 'red' : 'GREEN'} without its defence: ${defence.test.join(', ')}\n`,
    );
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}
const withDefence = new Set(defences.map(({ row }) => row));
const open = rows.filter(({ number, test }) => !withDefence.has(number) && !test.startsWith('none')).length;
process.stdout.write(
  `${JSON.stringify({ profile: 'test', of: rows.length, defences: chosen.length, green, biting, untestable, open })}\n`,
);
process.exitCode = green === chosen.length && biting === chosen.length ? 0 : 1;
