/**
 * npm run official -- --json: counts the rows of docs/official.md: requirements, those met with a test that is there, gaps
 * with their reason. `untested`: rows that name neither.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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

/** Why a row is not shown; null: its test is there, or its gap has a reason. */
export const faultOf = ({ shown }: Row): string | null => {
  if (shown === null) return 'names neither a test nor a gap';
  if ('gap' in shown) return null;
  if (!existsSync(join(root, shown.file))) return `${shown.file} is not there`;
  return readFileSync(join(root, shown.file), 'utf8').includes(shown.words)
    ? null
    : `${shown.file} has no test called "${shown.words}"`;
};

if (process.argv[1] === import.meta.filename) {
  const rows = officialRows();
  const faults = rows.flatMap((row) => (faultOf(row) === null ? [] : [`${row.requirement}: ${faultOf(row)}`]));
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  const gaps = rows.filter(({ shown }) => shown !== null && 'gap' in shown).length;
  const figures = { requirements: rows.length, met: rows.length - gaps - faults.length, gaps, untested: faults.length };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  process.exit(faults.length === 0 && rows.length >= 40 ? 0 : 1);
}
