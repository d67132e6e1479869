import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { countsOf, demandSets, evidencePage, type LastRuns, shownOf, whyRed } from '../../scripts/evidence/demands.ts';
import { faultOf } from '../../scripts/official/official-rows.ts';

const sets = demandSets();
const lastRun = JSON.parse(readFileSync('scripts/evidence/last-run.json', 'utf8')) as LastRuns;

describe.each(sets.map((set) => [set.title, set] as const))('%s', (_title, set) => {
  test('has its edition and what was read of it, and no number twice', () => {
    for (const text of [set.edition, set.source]) expect(text.length).toBeGreaterThan(8);
    expect(new Set(set.rows.map(({ n }) => n)).size).toBe(set.rows.length);
  });

  test.each(set.rows.map((row) => [row.n, row] as const))(
    '%s names a test that is there, or why there is none',
    (_n, row) => {
      expect(faultOf({ shown: shownOf(row) })).toBeNull();
    },
  );
});

test('docs/evidence.md is what is known (npm run evidence)', () => {
  expect(readFileSync('docs/evidence.md', 'utf8')).toBe(evidencePage(sets, lastRun));
});

test('a row is green by a test that passed, and by nothing else', () => {
  const [set] = sets;
  if (set === undefined) throw new Error('no set');
  const row = { n: '1', demand: 'x', test: 'test/house/evidence.test.ts', words: 'a row is green' };
  const run: LastRuns = { [`${set.id} 1`]: { became: 'passed', commit: 'c', day: 'd' } };
  expect(whyRed(set, row, run)).toBeNull();
  expect(whyRed(set, row, {})).toBe('its test has not run');
  expect(whyRed(set, row, { [`${set.id} 1`]: { became: 'failed', commit: 'c', day: 'd' } })).toBe('failed');
  expect(whyRed(set, { ...row, words: ['no', 'such'].join('-') }, run)).toMatch(/no test called/);
  expect(whyRed(set, { n: '1', demand: 'x', gap: 'nobody has one' }, run)).toBe('nobody has one');
  expect(whyRed(set, { n: '1', demand: 'x' }, run)).toBe('no test');
  const one = { ...set, rows: [row, { n: '2', demand: 'y', unread: true as const }] };
  expect(countsOf([one], run)).toEqual({ sets: 1, rows: 2, green: 1, red: 1, notReadable: 1 });
});
