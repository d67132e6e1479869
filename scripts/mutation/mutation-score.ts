/** What Stryker's report (mutation-testing-report-schema 2) says of the tests. */

type Place = { readonly line: number; readonly column: number };
type Mutant = {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  /** Tests that come by it. None are known where it counts while the file is loaded (`static`), or no test came by */
  readonly coveredBy?: readonly string[];
  readonly static?: boolean;
  readonly location: { readonly start: Place; readonly end: Place };
};
export type Report = {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
};

/** A change that no test can notice, and why. By its words, so that a line more above it changes nothing. */
export type Equivalent = {
  readonly file: string;
  readonly source: string;
  readonly replacement: string;
  readonly reason: string;
};

type Survivor = Omit<Equivalent, 'reason'> & { readonly line: number; readonly mutator: string };

const textAt = (source: string, { start, end }: Mutant['location']): string => {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  lines[lines.length - 1] = (lines.at(-1) ?? '').slice(0, end.column - 1);
  lines[0] = (lines[0] ?? '').slice(start.column - 1);
  return lines.join('\n');
};

const unnoticed: ReadonlySet<string> = new Set(['Survived', 'NoCoverage']);
const noticed: ReadonlySet<string> = new Set(['Killed', 'Timeout']);

const isCovered = ({ coveredBy = [], static: isStatic = false }: Mutant): boolean => !isStatic && coveredBy.length > 0;

/** Without changes that nothing noticed and of which it is not known which tests could. */
export const withoutUnsure = <Whole extends Report>({ files, ...rest }: Whole) => ({
  ...rest,
  files: Object.fromEntries(
    Object.entries(files).map(([path, file]) => [
      path,
      { ...file, mutants: file.mutants.filter((mutant) => !unnoticed.has(mutant.status) || isCovered(mutant)) },
    ]),
  ),
});

/** Changes that nothing noticed and that are not known to be none. */
export const survivorsOf = ({ files }: Report, equivalent: readonly Equivalent[]): readonly Survivor[] =>
  Object.entries(files).flatMap(([file, { source, mutants }]) =>
    mutants
      .filter(({ status }) => unnoticed.has(status))
      .map(({ location, mutatorName, replacement = '' }) => ({
        ...{ file, line: location.start.line, mutator: mutatorName },
        ...{ source: textAt(source, location), replacement },
      }))
      .filter(
        (survivor) =>
          !equivalent.some(
            (known) =>
              known.file === file && known.source === survivor.source && known.replacement === survivor.replacement,
          ),
      ),
  );

/** Percent of the changes that a test can notice that one did; 100 where there was nothing to change. */
export const scoreOf = (reports: readonly Report[], equivalent: readonly Equivalent[]): number => {
  const all = reports.flatMap(({ files }) => Object.values(files).flatMap(({ mutants }) => mutants));
  const caught = all.filter(({ status }) => noticed.has(status)).length;
  const survived = reports.reduce((sum, report) => sum + survivorsOf(report, equivalent).length, 0);
  return caught + survived === 0 ? 100 : Math.round((caught / (caught + survived)) * 10_000) / 100;
};
