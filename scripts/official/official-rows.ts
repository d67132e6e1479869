/**
 * npm run official -- --json: counts the rows of docs/official.md: requirements, those met with a test that is there, gaps
 * with their reason. `untested`: rows that name neither, or a test that no title says. `--run` runs the tests behind the
 * rows (some minutes), and a row whose test fails or is skipped is untested.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSync } from 'vite';

const root = join(import.meta.dirname, '..', '..');

type Row = {
  readonly requirement: string;
  readonly source: string;
  readonly done: string;
  /** `gap`: with its reason */
  readonly shown: { readonly file: string; readonly words: string } | { readonly gap: string } | null;
};

const shownOf = (cell: string): Row['shown'] => {
  const gap = /^gap: (.{8,})$/.exec(cell)?.[1];
  if (gap !== undefined) return { gap };
  const [, file, words] = /^`(test\/[\w./-]+\.test\.ts)`: (.{2,})$/.exec(cell) ?? [];
  return file === undefined || words === undefined ? null : { file, words };
};

export const officialRows = (text = readFileSync(join(root, 'docs/official.md'), 'utf8')): readonly Row[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| requirement or screen'))
    .map((line) => {
      const [, requirement = '', source = '', done = '', shown = ''] = line.split('|').map((cell) => cell.trim());
      return { requirement, source, done, shown: shownOf(shown) };
    });

type Call = {
  readonly type: string;
  readonly callee?: Call;
  readonly object?: Call;
  readonly tag?: Call;
  readonly name?: string;
  readonly property?: { readonly name?: string };
};

/** `test`, `it` or `describe` at the root of a call, and every step on the way: `test.each([…])` → test, each. */
const stepsOf = (call: Call | undefined): readonly string[] => {
  if (call === undefined) return [];
  if (call.type === 'Identifier') return [call.name ?? ''];
  if (call.type === 'MemberExpression') return [...stepsOf(call.object), call.property?.name ?? ''];
  return stepsOf(call.callee ?? call.tag);
};

const literalOf = (
  node: { type: string; value?: unknown; quasis?: { value: { cooked: string } }[] } | undefined,
): string =>
  node?.type === 'Literal' && typeof node.value === 'string'
    ? node.value
    : (node?.quasis ?? []).map(({ value }) => value.cooked).join('%s');

/** Titles of the tests that a file runs: of `test`, `it` and `describe`, none that is skipped or still to be written. */
const titlesIn = (file: string): readonly string[] => {
  const titles: string[] = [];
  const { program } = parseSync(file, readFileSync(join(root, file), 'utf8'));
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(walk);
    if (node === null || typeof node !== 'object') return;
    const { type, callee, arguments: given } = node as { type?: string; callee?: Call; arguments?: never[] };
    const [first = '', ...more] = type === 'CallExpression' ? stepsOf(callee) : [];
    const runs = !more.some((step) => ['skip', 'todo', 'fails'].includes(step));
    if (['test', 'it', 'describe'].includes(first) && runs) titles.push(literalOf(given?.[0]));
    Object.values(node).forEach(walk);
  };
  walk(program);
  return titles.filter((title) => title !== '');
};

/** Why a row is not shown; null: its test is there, or its gap has a reason. */
export const faultOf = ({ shown }: Pick<Row, 'shown'>): string | null => {
  if (shown === null) return 'names neither a test nor a gap';
  if ('gap' in shown) return null;
  if (!existsSync(join(root, shown.file))) return `${shown.file} is not there`;
  return titlesIn(shown.file).some((title) => title.includes(shown.words))
    ? null
    : `${shown.file} has no test called "${shown.words}"`;
};

/** Of a table's title the words before its first place: they stand in the name of each of its tests. */
const fixedPart = (words: string): string => words.split('%')[0] ?? words;

type Ran = { readonly fullName: string; readonly title: string; readonly status: string };

/** The tests behind the rows, run now: rows whose test did not pass, with what became of it. */
export const faultsByRunning = (
  rows: readonly Pick<Row, 'requirement' | 'shown'>[],
): { readonly requirement: string; readonly what: string }[] => {
  const shown = rows.flatMap(({ requirement, shown: by }) =>
    by !== null && 'file' in by ? [{ requirement, ...by }] : [],
  );
  const files = [...new Set(shown.map(({ file }) => file))];
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-official-'));
  const report = join(folder, 'report.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const named = shown.map(({ words }) => fixedPart(words).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  try {
    spawnSync(
      process.execPath,
      [vitest, 'run', '--maxWorkers=1', '--reporter=json', `--outputFile=${report}`, '-t', named, ...files],
      {
        cwd: root,
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
      testResults: { name: string; assertionResults: Ran[] }[];
    };
    return shown.flatMap(({ requirement, file, words }) => {
      const ran = testResults.find(({ name }) => name.endsWith(file))?.assertionResults ?? [];
      const own = ran.filter(({ fullName }) => fullName.includes(fixedPart(words)));
      const failed = own.find(({ status }) => status !== 'passed');
      if (own.length > 0 && failed === undefined) return [];
      const what = failed === undefined ? 'its test did not run' : `${failed.fullName} ${failed.status}`;
      return [{ requirement, what }];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

if (process.argv[1] === import.meta.filename) {
  const rows = officialRows();
  const withRun = process.argv.includes('--run');
  const faults = [
    ...rows.flatMap((row) => (faultOf(row) === null ? [] : [`${row.requirement}: ${faultOf(row)}`])),
    ...(withRun ? faultsByRunning(rows).map(({ requirement, what }) => `${requirement}: ${what}`) : []),
  ];
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  const gaps = rows.filter(({ shown }) => shown !== null && 'gap' in shown).length;
  const figures = { requirements: rows.length, met: rows.length - gaps - faults.length, gaps, untested: faults.length };
  process.stdout.write(`${JSON.stringify({ ...figures, testsRun: withRun })}\n`);
  process.exit(faults.length === 0 && rows.length >= 40 ? 0 : 1);
}
