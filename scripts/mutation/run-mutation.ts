/**
 * npm run mutation [-- --folder protocol] [--changed main] [--file src/protocol/card/tlv.ts] [--json]
 *
 * Stryker changes one place of the safety code after the other and runs that folder's own tests: a change that none of them
 * notices survives. `score`: percent of the changes that were noticed. `survivors`: those that were not and that
 * scripts/mutation/equivalent.json does not name with the reason why no test could. The words of diagnoses are left alone
 * (ignore-diagnoses.mjs). `--changed REF`: only files that differ from REF, the gate for a change; `--file`: these alone. Nightly without arguments.
 * Exit code 1 below 90 in any folder. Stryker itself comes with scripts/setup-trials, in scripts/mutation/node_modules.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Equivalent, type Report, scoreOf, survivorsOf } from './mutation-score.ts';

const { values: options } = parseArgs({
  options: {
    folder: { type: 'string', multiple: true },
    changed: { type: 'string' },
    file: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
  },
});
const root = join(import.meta.dirname, '..', '..');
const leastScore = 90;

/** What is mutated, and the tests that must notice. */
const folders: Readonly<Record<string, readonly string[]>> = {
  core: ['test/core'],
  protocol: ['test/protocol', 'test/terminal/card'],
  wire: ['test/wire'],
  trust: ['test/trust'],
  'terminal/delivery': ['test/terminal/delivery'],
  'agent/intake': ['test/agent/intake'],
  'agent/journal': ['test/agent/journal', 'test/storage'],
};

const say = (text: string): void => void process.stderr.write(`mutation: ${text}\n`);
const stryker = join(root, 'scripts/mutation/node_modules/@stryker-mutator/core/bin/stryker.js');
if (!existsSync(stryker)) {
  say('Stryker is not there: scripts/setup-trials, or npm ci in scripts/mutation');
  process.exit(1);
}

const filesSince = (ref: string): readonly string[] =>
  execFileSync('git', ['diff', '--name-only', '--diff-filter=d', ref, '--', 'src'], {
    cwd: root,
    encoding: 'utf8',
  }).split('\n');

/** Files to mutate, by folder. */
const chosen = (): readonly (readonly [folder: string, files: readonly string[]])[] => {
  const names = options.folder ?? Object.keys(folders);
  const unknown = names.find((name) => folders[name] === undefined);
  if (unknown !== undefined) throw new Error(`no folder ${unknown}: ${Object.keys(folders).join(', ')}`);
  if (options.changed === undefined && options.file === undefined)
    return names.map((name) => [name, [`src/${name}/**/*.ts`]]);
  const differ = options.file ?? filesSince(options.changed ?? 'HEAD');
  return names.flatMap((name) => {
    const files = differ.filter((file) => file.startsWith(`src/${name}/`) && file.endsWith('.ts'));
    return files.length === 0 ? [] : [[name, files] as const];
  });
};

const mutate = (folder: string, files: readonly string[]): Report => {
  const place = join(root, '.cache/mutation');
  mkdirSync(place, { recursive: true });
  const report = join(place, `${folder.replaceAll('/', '-')}.json`);
  const settings = join(place, 'stryker.json');
  writeFileSync(
    settings,
    JSON.stringify({
      mutate: files,
      testRunner: 'vitest',
      plugins: ['@stryker-mutator/vitest-runner', './scripts/mutation/ignore-diagnoses.mjs'],
      ignorers: ['diagnoses'],
      vitest: { configFile: 'scripts/mutation/vitest.config.ts', related: false },
      coverageAnalysis: 'perTest',
      // TypeScript 7 has no interface for programs; node and vite take the types away by themselves.
      tsconfigFile: 'none',
      disableTypeChecks: false,
      reporters: ['json', 'progress-append-only'],
      jsonReporter: { fileName: report },
      tempDirName: '.cache/stryker',
      ignorePatterns: ['dist', 'models', '.cache', 'docs/pictures', '/packages', 'scripts/*/node_modules'],
      concurrency: 2,
      timeoutMS: 20_000,
    }),
  );
  const ran = spawnSync(process.execPath, [stryker, 'run', settings], {
    cwd: root,
    env: { ...process.env, UKETSUKE_MUTATION_TESTS: (folders[folder] ?? []).join(',') },
    // What it says of its progress is no figure.
    stdio: ['ignore', 2, 'inherit'],
  });
  if (ran.status !== 0) throw new Error(`Stryker ended with ${ran.status} in ${folder}`);
  return JSON.parse(readFileSync(report, 'utf8')) as Report;
};

const equivalent = JSON.parse(
  readFileSync(join(root, 'scripts/mutation/equivalent.json'), 'utf8'),
) as readonly Equivalent[];

const reports = chosen().map(([folder, files]) => {
  say(`${folder} …`);
  return [folder, mutate(folder, files)] as const;
});
const scores = reports.map(([folder, report]) => [folder, { score: scoreOf([report], equivalent) }] as const);
const survivors = reports.flatMap(([, report]) => survivorsOf(report, equivalent));
for (const { file, line, mutator, source, replacement } of survivors)
  say(`survived: ${file}:${line} ${mutator}: ${source} → ${replacement}`);
const score = scoreOf(
  reports.map(([, report]) => report),
  equivalent,
);
process.stdout.write(
  `${JSON.stringify({ folders: Object.fromEntries(scores), score, survivors: survivors.length })}\n`,
);
process.exitCode = scores.every(([, own]) => own.score >= leastScore) ? 0 : 1;
