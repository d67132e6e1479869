/**
 * The random properties with fresh seeds: `npm run properties -- --seeds 20 --json`. Runs every test file that uses
 * fast-check once a seed, in the suite's own way; prints the seeds. A seed that failed is run again by
 * `UKETSUKE_SEED=<seed> ./scripts/test <file>`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '20' },
    seed: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
  },
});
/** All property files take less than two minutes on a quiet machine. ms */
const runLimitMs = 900_000;

const wanted = Number(options.seeds);
if (!Number.isInteger(wanted) || wanted < 1) throw new Error(`--seeds ${options.seeds}: how many?`);
const seeds = options.seed?.map(Number) ?? Array.from({ length: wanted }, () => randomInt(-(2 ** 31), 2 ** 31));
const files =
  positionals.length > 0
    ? positionals
    : execFileSync('git', ['-C', root, 'grep', '-lE', 'fc\\.(assert|check)\\(', '--', 'test'], { encoding: 'utf8' })
        .trim()
        .split('\n');

type Assertion = { readonly status: string; readonly fullName: string };
type Result = {
  readonly numTotalTests: number;
  readonly testResults: readonly { readonly assertionResults: readonly Assertion[] }[];
};

const folder = mkdtempSync(join(tmpdir(), 'uketsuke-properties-'));
const failures: string[] = [];
let tests = 0;
for (const seed of seeds) {
  const report = join(folder, `${seed}.json`);
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const run = spawnSync(process.execPath, [vitest, 'run', '--reporter=json', `--outputFile=${report}`, ...files], {
    cwd: root,
    encoding: 'utf8',
    timeout: runLimitMs,
    killSignal: 'SIGKILL',
    env: { ...process.env, UKETSUKE_SEED: `${seed}` },
  });
  try {
    const { numTotalTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as Result;
    tests = numTotalTests;
    const failed = testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status === 'failed');
    failures.push(...failed.map(({ fullName }) => `seed ${seed}: ${fullName}`));
    if (failed.length === 0 && run.status !== 0) failures.push(`seed ${seed}: ${run.stderr.slice(-500)}`);
  } catch {
    failures.push(`seed ${seed}: no report (${run.error?.message ?? run.stderr.slice(-500)})`);
  }
  process.stderr.write(
    `properties: seed ${seed}: ${failures.filter((line) => line.startsWith(`seed ${seed}:`)).length} failed\n`,
  );
}
rmSync(folder, { recursive: true, force: true });

for (const failure of failures) process.stderr.write(`properties: ${failure}\n`);
const report = { profile: 'test', files: files.length, tests, seeds, failed: failures.length };
process.stdout.write(`${JSON.stringify(report, null, options.json ? undefined : 2)}\n`);
process.exitCode = failures.length === 0 ? 0 : 1;
