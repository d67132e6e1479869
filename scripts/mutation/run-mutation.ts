/**
 * npm run mutation [-- --folder protocol] [--changed main] [--file src/protocol/card/tlv.ts] [--json]
 * npm run mutation -- --gate [--seconds 300]
 *
 * Stryker changes one place of the safety code after the other and runs that folder's own tests: a change that none of them
 * notices survives. `score`: percent of the changes that were noticed. `survivors`: those that were not and that
 * scripts/mutation/equivalent.json does not name with the reason why no test could. The words of diagnoses are left alone
 * (ignore-diagnoses.mjs). `--changed REF`: only files that differ from REF; `--file`: these alone. Nightly without arguments.
 * `--tests test/trust/seal.test.ts`: by these alone, which is quick; what they do not notice is tried by all of them the next time.
 * What was found is kept in .cache/mutation: the next run tries what changed since, and what changed tests may notice now.
 * A folder that was tried whole is kept in scored.json, which is committed. `--gate`, of CI: only files that are not as they
 * were then, in `--seconds` altogether: what no time is left for is counted, and left to the nightly run. Without such a file
 * it is done at once. Tests that were weakened while the code stayed are the nightly run's.
 * Exit code 1 below 90 in any folder. Stryker itself comes with scripts/setup-trials, in scripts/mutation/node_modules.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Equivalent, type Report, scoreOf, survivorsOf, withoutUnsure } from './mutation-score.ts';
import { countsOf, type Hashes, hashOf, newSince, reportOf, type ScoredFolders } from './scored.ts';

const { values: options } = parseArgs({
  options: {
    folder: { type: 'string', multiple: true },
    changed: { type: 'string' },
    file: { type: 'string', multiple: true },
    tests: { type: 'string', multiple: true },
    gate: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '300' },
    concurrency: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
const root = join(import.meta.dirname, '..', '..');
const leastScore = 90;

/** What is mutated, and the tests that must notice. */
const folders: Readonly<Record<string, readonly string[]>> = {
  core: [
    // Those that take a few milliseconds first.
    ...[
      ...['answers', 'answered-before', 'earlier-visit', 'one-place', 'put-back', 'request', 'session-buttons'],
      ...['certificate-state', 'around-a-visit', 'within-a-visit', 'session-machine', 'session-phone', 'session-voice'],
      ...['what-happens-where', 'every-screen'],
    ].map((name) => `test/core/visit/${name}.test.ts`),
    'test/core/screen/every-exhibit.test.ts',
    'test/catalogue/grants.test.ts',
    'test/core',
  ],
  // Without pin-taint.test.ts, which asks the compiler: what Stryker writes is not for it.
  protocol: [
    ...['card/trace-redaction', 'evidence'].map((name) => `test/protocol/${name}.test.ts`),
    'test/protocol',
    ...['read-card', 'read-phone', 'card-trace'].map((name) => `test/terminal/card/${name}.test.ts`),
  ],
  // Without those of the document's client and of its validators, which start a whole agent.
  wire: [
    ...['topics', 'beside-the-document', 'rollout-papers', 'translate', 'v1-names', 'broker-access-rules'],
    ...['message-forms', 'facility-settings', 'v1-messages', 'messages'],
  ].map((name) => `test/wire/${name}.test.ts`),
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
    ...['journal-witness', 'journal-kind'],
  ].map((name) => `test/agent/journal/${name}.test.ts`),
};

const say = (text: string): void => void process.stderr.write(`mutation: ${text}\n`);
const stryker = join(root, 'scripts/mutation/node_modules/@stryker-mutator/core/bin/stryker.js');

const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;
const scoredFile = join(root, 'scripts/mutation/scored.json');
const scored = read<ScoredFolders>(scoredFile);

/** The folder's files as they are. */
const hashesOf = (folder: string): Hashes =>
  Object.fromEntries(
    globSync(`src/${folder}/**/*.ts`, { cwd: root })
      .toSorted()
      .map((path) => [path, hashOf(readFileSync(join(root, path), 'utf8'))]),
  );

const filesSince = (ref: string): readonly string[] =>
  execFileSync('git', ['diff', '--name-only', '--diff-filter=d', ref, '--', 'src'], {
    cwd: root,
    encoding: 'utf8',
  }).split('\n');

/** Files to mutate, by folder. */
const named = options.changed !== undefined || options.file !== undefined || options.gate;

const chosen = (): readonly (readonly [folder: string, files: readonly string[]])[] => {
  const names = options.folder ?? Object.keys(folders);
  const unknown = names.find((name) => folders[name] === undefined);
  if (unknown !== undefined) throw new Error(`no folder ${unknown}: ${Object.keys(folders).join(', ')}`);
  if (!named) return names.map((name) => [name, [`src/${name}/**/*.ts`]]);
  const differ = options.gate
    ? names.flatMap((name) => newSince(scored[name], hashesOf(name)))
    : (options.file ?? filesSince(options.changed ?? 'HEAD'));
  return names.flatMap((name) => {
    const files = differ.filter((file) => file.startsWith(`src/${name}/`) && file.endsWith('.ts'));
    return files.length === 0 ? [] : [[name, files] as const];
  });
};

const endGroup = (id: number): void => {
  try {
    process.kill(-id, 'SIGKILL');
  } catch {
    // Nobody of it is left.
  }
};

/** Stryker's exit status, null after the time limit, and how many changes it planned. At the limit it writes what it knows. */
const runStryker = async (settings: string, folder: string, limitMs: number | null) => {
  const child = spawn(process.execPath, [stryker, 'run', settings], {
    cwd: root,
    env: { ...process.env, UKETSUKE_MUTATION_TESTS: (options.tests ?? folders[folder] ?? []).join(',') },
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own: its runner, perhaps in the middle of a test that hangs, does not end with it.
    detached: limitMs !== null,
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
    // What it says of its progress is no figure.
    process.stderr.write(chunk);
  });
  let isOver = false;
  const end = (signal: NodeJS.Signals): void => {
    isOver = true;
    child.kill(signal);
  };
  // Asked to end, it ends when Stryker has written what it knows: without us it would die of the first word it says.
  const asked: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
  let isCalledOff = false;
  const onSignal = (): void => {
    isCalledOff = true;
    end('SIGTERM');
  };
  for (const signal of asked) process.on(signal, onSignal);
  const limits =
    limitMs === null ? [] : [setTimeout(end, limitMs, 'SIGTERM'), setTimeout(end, limitMs + 30_000, 'SIGKILL')];
  const status = await new Promise<number | null>((ended) => child.once('close', ended));
  for (const limit of limits) clearTimeout(limit);
  for (const signal of asked) process.off(signal, onSignal);
  if (limitMs !== null && isOver && child.pid !== undefined) endGroup(child.pid);
  if (isCalledOff) throw new Error(`${folder}: ended before all was tried; what was is kept`);
  return {
    status: isOver ? null : status,
    planned: Number(/Instrumented .* with (\d+) mutant\(s\)/.exec(printed)?.[1] ?? 0),
  };
};

/** Where Stryker does not know which tests come by, it does not see that one is new: what nothing noticed is tried again. */
const forgetUnsure = (known: string): void => {
  if (!existsSync(known)) return;
  const before = read<Report>(known);
  writeFileSync(known, JSON.stringify(withoutUnsure(before)));
};

const mutate = async (folder: string, files: readonly string[], limitMs: number | null) => {
  const place = join(root, '.cache/mutation');
  mkdirSync(place, { recursive: true });
  const name = folder.replaceAll('/', '-');
  const report = join(place, `${name}.json`);
  const known = join(place, `${name}.known.json`);
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
      incrementalFile: known,
      concurrency: Number(options.concurrency),
      timeoutMS: 60_000,
      // Every test once, in order: minutes beside other work. A change that hangs is told long before (kept-runner.mjs).
      dryRunTimeoutMinutes: 30,
    }),
  );
  const asked = Object.fromEntries(Object.entries(hashesOf(folder)).filter(([file]) => !named || files.includes(file)));
  forgetUnsure(known);
  const { status, planned } = await runStryker(settings, folder, limitMs);
  if (status !== null && status !== 0) throw new Error(`Stryker ended with ${status} in ${folder}`);
  const told = status === 0 ? report : known;
  // What is known of other files from earlier runs is told with it.
  const found = reportOf(existsSync(told) ? read<Report>(told) : { files: {} }, asked);
  return { folder, asked, found, ...countsOf(found, planned) };
};

const work = chosen();
const provideStryker = (): void => {
  if (work.length === 0 || existsSync(stryker)) return;
  if (!options.gate) throw new Error('Stryker is not there: scripts/setup-trials, or npm ci in scripts/mutation');
  const fetch = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', fetch, { cwd: import.meta.dirname, stdio: ['ignore', 2, 'inherit'] });
  if (status !== 0) throw new Error(`npm cannot fetch Stryker (${status})`);
};
provideStryker();

const equivalent = read<readonly Equivalent[]>(join(root, 'scripts/mutation/equivalent.json'));
const endMs = performance.now() + Number(options.seconds) * 1_000;
const reports: Awaited<ReturnType<typeof mutate>>[] = [];
for (const [index, [folder, files]] of work.entries()) {
  say(`${folder}: ${files.join(' ')} …`);
  const limitMs = options.gate ? Math.max(0, endMs - performance.now()) / (work.length - index) : null;
  reports.push(await mutate(folder, files, limitMs));
}
const scores = reports.map(({ folder, asked, found }) => ({ folder, asked, score: scoreOf([found], equivalent) }));
const survivors = reports.flatMap(({ found }) => survivorsOf(found, equivalent));
for (const { file, line, mutator, source, replacement } of survivors)
  say(`survived: ${file}:${line} ${mutator}: ${source} → ${replacement}`);
const isGood = scores.every(({ score }) => score >= leastScore);
const byFolder = Object.fromEntries(scores.map(({ folder, score }) => [folder, { score }]));
if (options.gate) {
  const sum = (which: 'tried' | 'left'): number => reports.reduce((total, report) => total + report[which], 0);
  const unscored = Object.keys(folders).filter((folder) => scored[folder] === undefined);
  const files = work.flatMap(([, own]) => own).length;
  process.stdout.write(
    `${JSON.stringify({ gate: isGood ? 'green' : 'red', files, tried: sum('tried'), left: sum('left'), folders: byFolder, unscored })}\n`,
  );
} else {
  const score = scoreOf(
    reports.map(({ found }) => found),
    equivalent,
  );
  process.stdout.write(`${JSON.stringify({ folders: byFolder, score, survivors: survivors.length })}\n`);
}
if (!named && options.tests === undefined) {
  const anew = Object.fromEntries(scores.map(({ folder, asked, score }) => [folder, { score, files: asked }]));
  writeFileSync(scoredFile, `${JSON.stringify({ ...read<ScoredFolders>(scoredFile), ...anew }, null, 2)}\n`);
}
process.exitCode = isGood ? 0 : 1;
