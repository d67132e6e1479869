import { expect, test } from 'vitest';
import type { Report } from '../../scripts/mutation/mutation-score.ts';
import { countsOf, hashOf, newSince, reportOf } from '../../scripts/mutation/scored.ts';

const mutants = (...statuses: readonly string[]) =>
  statuses.map((status) => ({
    ...{ mutatorName: 'EqualityOperator', replacement: 'a <= b', status },
    location: { start: { line: 1, column: 1 }, end: { line: 1, column: 6 } },
  }));

test('a file is tried when it is new or another than when its folder was scored; one that is gone is not', () => {
  const scored = { score: 95, files: { 'src/a.ts': hashOf('a'), 'src/b.ts': hashOf('b'), 'src/gone.ts': hashOf('g') } };
  const now = { 'src/a.ts': hashOf('a'), 'src/b.ts': hashOf('b '), 'src/c.ts': hashOf('c') };
  expect(newSince(scored, now)).toEqual(['src/b.ts', 'src/c.ts']);
  expect(newSince(scored, scored.files)).toEqual([]);
});

test('a folder that was never scored has no changes to tell from the rest', () => {
  expect(newSince(undefined, { 'src/a.ts': hashOf('a') })).toEqual([]);
});

test('of what is known only the files that were asked for count, and what was found of them as they are now', () => {
  const report: Report = {
    files: {
      'src/a.ts': { source: 'a < b', mutants: mutants('Killed') },
      'src/b.ts': { source: 'of before', mutants: mutants('Killed') },
      'src/c.ts': { source: 'c', mutants: mutants('Killed') },
    },
  };
  expect(reportOf(report, { 'src/a.ts': hashOf('a < b'), 'src/b.ts': hashOf('of now') })).toEqual({
    files: { 'src/a.ts': { source: 'a < b', mutants: mutants('Killed') } },
  });
});

test('what no time was left for is counted apart; what is left alone on purpose was neither tried nor left over', () => {
  const report: Report = {
    files: { 'src/a.ts': { source: 'a < b', mutants: mutants('Killed', 'Survived', 'Ignored') } },
  };
  expect(countsOf(report, 10)).toEqual({ tried: 2, left: 7 });
  expect(countsOf(report, 3)).toEqual({ tried: 2, left: 0 });
  // Ended before a change was planned: none is known.
  expect(countsOf({ files: {} }, 0)).toEqual({ tried: 0, left: 0 });
});
