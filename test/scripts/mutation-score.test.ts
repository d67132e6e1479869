import { expect, test } from 'vitest';
import { type Report, scoreOf, survivorsOf, withoutUnsure } from '../../scripts/mutation/mutation-score.ts';

const mutant = (status: string, line: number, from: number, to: number, replacement: string) => ({
  ...{ mutatorName: 'EqualityOperator', replacement, status },
  location: { start: { line, column: from }, end: { line, column: to } },
});
const report: Report = {
  files: {
    'src/a.ts': {
      source: 'const x = 1;\nconst y = a < b;\n',
      mutants: [
        mutant('Killed', 2, 11, 16, 'a >= b'),
        mutant('Timeout', 2, 11, 16, 'true'),
        mutant('Survived', 2, 11, 16, 'a <= b'),
        mutant('NoCoverage', 1, 11, 12, '2'),
        mutant('Ignored', 1, 1, 2, ''),
        mutant('RuntimeError', 1, 1, 2, ''),
      ],
    },
  },
};

test('survivors are told by their words; what cannot be noticed is known by them, with its reason', () => {
  expect(survivorsOf(report, []).map(({ source, replacement, line }) => [line, source, replacement])).toEqual([
    [2, 'a < b', 'a <= b'],
    [1, '1', '2'],
  ]);
  expect(scoreOf([report], [])).toBe(50);
  const known = { file: 'src/a.ts', source: 'a < b', replacement: 'a <= b', reason: 'a is never b' };
  expect(survivorsOf(report, [known])).toHaveLength(1);
  expect(scoreOf([report], [known])).toBe(66.67);
  expect(survivorsOf(report, [{ ...known, file: 'src/b.ts' }])).toHaveLength(2);
  expect(scoreOf([{ files: {} }], [])).toBe(100);
});

test('of what no test is known to come by, what nothing noticed is forgotten before the next run, and nothing else', () => {
  const covered = (status: string) => ({ ...mutant(status, 2, 11, 16, 'a <= b'), coveredBy: ['7'] });
  const loaded = (status: string) => ({ ...covered(status), static: true });
  const kept = [covered('Survived'), loaded('Killed'), loaded('Ignored'), mutant('Killed', 1, 11, 12, '2')];
  const file = { source: 'const x = 1;\nconst y = a < b;\n', language: 'typescript' };
  const files = {
    'src/a.ts': {
      ...file,
      mutants: [...kept, loaded('Survived'), mutant('NoCoverage', 1, 11, 12, '2'), mutant('Survived', 1, 11, 12, '3')],
    },
  };
  expect(withoutUnsure({ files, schemaVersion: '2' })).toEqual({
    schemaVersion: '2',
    files: { 'src/a.ts': { ...file, mutants: kept } },
  });
});
