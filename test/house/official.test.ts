import { describe, expect, test } from 'vitest';
import { faultOf, officialRows } from '../../scripts/official/official-rows.ts';

const rows = officialRows();

describe('docs/official.md', () => {
  test('has at least 40 requirements, none twice', () => {
    expect(rows.length).toBeGreaterThanOrEqual(40);
    expect(new Set(rows.map(({ requirement }) => requirement)).size).toBe(rows.length);
  });

  test.each(rows.map((row) => [row.requirement, row] as const))('%s', (_name, row) => {
    expect(faultOf(row)).toBeNull();
    for (const cell of [row.requirement, row.source, row.done]) expect(cell).not.toBe('');
  });

  test('a row without test or reason, and one whose test is gone, are seen', () => {
    const [neither, gone] = officialRows(
      '| x | y | z | later |\n| x | y | z | `test/house/official.test.ts`: words that no title has |'.replace(
        'words that no title has',
        ['no', 'such', 'title'].join('-'),
      ),
    );
    expect(neither && faultOf(neither)).toMatch(/neither/);
    expect(gone && faultOf(gone)).toMatch(/no test called/);
  });
});
