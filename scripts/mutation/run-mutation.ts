/**
 * npm run mutation [-- --folder protocol] [--changed main] [--file src/protocol/card/tlv.ts] [--json]
 *
 * Stryker changes one place of the safety code after the other and runs that folder's own tests: a change that none of them
 * notices survives. `score`: percent of the changes that were noticed. `survivors`: those that were not and that
 * scripts/mutation/equivalent.json does not name with the reason why no test could. The words of diagnoses are left alone
 * (ignore-diagnoses.mjs). `--changed REF`: only files that differ from REF, the gate for a change; `--file`: these alone. Nightly without arguments.
 * What was found is kept in .cache/mutation: the next run tries what changed since, and what changed tests may notice now.
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
    concurrency: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
const root = join(import.meta.dirname, '..', '..');
const leastScore = 90;

/** What is mutated, and the tests that must notice. */
const folders: Readonly<Record<string, readonly string[]>> = {
  core: ['test/core'],
  // Without pin-taint.test.ts, which asks the compiler: what Stryker writes is not for it.
  protocol: [
    ...['card/trace-redaction', 'evidence'].map((name) => `test/protocol/${name}.test.ts`),
    'test/protocol',
    ...['read-card', 'read-phone', 'card-trace'].map((name) => `test/terminal/card/${name}.test.ts`),
  ],
  wire: [
    ...['beside-the-document', 'rollout-papers', 'translate', 'v1-names', 'broker-access-rules', 'bounds'].map(
      (name) => `test/wire/${name}.test.ts`,
    ),
    'test/wire',
  ],
  trust: ['test/trust'],
  'terminal/delivery': [
    // Those that do without keys and simulated days first.
    ...[
      ...['challenge-pool', 'agent-watch', 'clinic-news', 'outbox-words', 'result-watch', 'lookups', 'self-report'],
      ...['admit-command', 'settings-keeper', 'sign-request', 'outbox'],
    ].map((name) => `test/terminal/delivery/${name}.test.ts`),
    'test/terminal/delivery',
  ],
  // Of the agent those with a journal in memory: the others start a whole agent, a broker or a database, a second each.
  'agent/intake': [
    ...['receive-request', 'answer-challenges', 'answer-lookup', 'lookup-memory', 'recent-ids', 'verify-evidence'],
    ...['check-pre-check-in', 'consent-texts'],
  ].map((name) => `test/agent/intake/${name}.test.ts`),
  'agent/journal': [
    ...[
      'visits',
      'lasting-rows',
      'leases',
      'retention',
      'journal-age',
      'move-journal',
      'memory-journal',
      'group-commit',
    ],
    'journal-witness',
  ].map((name) => `test/agent/journal/${name}.test.ts`),
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
const named = options.changed !== undefined || options.file !== undefined;

const chosen = (): readonly (readonly [folder: string, files: readonly string[]])[] => {
  const names = options.folder ?? Object.keys(folders);
  const unknown = names.find((name) => folders[name] === undefined);
  if (unknown !== undefined) throw new Error(`no folder ${unknown}: ${Object.keys(folders).join(', ')}`);
  if (!named) return names.map((name) => [name, [`src/${name}/**/*.ts`]]);
  const differ = options.file ?? filesSince(options.changed ?? 'HEAD');
  return names.flatMap((name) => {
    const files = differ.filter((file) => file.startsWith(`src/${name}/`) && file.endsWith('.ts'));
    return files.length === 0 ? [] : [[name, files] as const];
  });
};

const mutate = (folder: string, files: readonly string[]): Report => {
  const place = join(root, '.cache/mutation');
  mkdirSync(place, { recursive: true });
  const name = folder.replaceAll('/', '-');
  const report = join(place, `${name}.json`);
  const settings = join(place, `${name}.stryker.json`);
  writeFileSync(
    settings,
    JSON.stringify({
      mutate: files,
      testRunner: 'kept',
      plugins: [
        '@stryker-mutator/vitest-runner',
        './scripts/mutation/ignore-diagnoses.mjs',
        './scripts/mutation/kept-runner.mjs',
      ],
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
      // Only what changed since the last run here, or what tests that changed may notice, is run anew.
      incremental: true,
      incrementalFile: join(place, `${name}.known.json`),
      concurrency: Number(options.concurrency),
      timeoutMS: 60_000,
    }),
  );
  const ran = spawnSync(process.execPath, [stryker, 'run', settings], {
    cwd: root,
    env: { ...process.env, UKETSUKE_MUTATION_TESTS: (folders[folder] ?? []).join(',') },
    // What it says of its progress is no figure.
    stdio: ['ignore', 2, 'inherit'],
  });
  if (ran.status !== 0) throw new Error(`Stryker ended with ${ran.status} in ${folder}`);
  const { files: found } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  // What is known of other files from earlier runs is told with it.
  return { files: Object.fromEntries(Object.entries(found).filter(([file]) => !named || files.includes(file))) };
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
