import { describe, expect, it, test } from 'vitest';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { type GrantKind, grantedReaders, lumpSumYen } from '../../src/core/catalogue/grants.ts';
import { levelReached, shareOf, shareRuleAt } from '../../src/core/catalogue/usage-share.ts';

const { grants, shares } = catalogueAt(Date.parse('2026-12-01T00:00:00Z'));

describe('増設補助 (closed 2025-01-15)', () => {
  // readers given free: 500-, 1,000-, 1,500-, 2,000-, 2,500-
  const hospital: Record<number, readonly number[]> = { 1: [1, 2, 3, 3, 3], 2: [0, 1, 2, 3, 3], 3: [0, 0, 1, 2, 3] };
  const steps = [500, 1000, 1500, 2000, 2500];
  const cells = Object.entries(hospital).flatMap(([given, row]) =>
    row.flatMap((readers, index) => {
      const from = steps[index] ?? 0;
      const until = steps[index + 1] ?? 99_999;
      return [from, until - 1].map((uses) => [Number(given), uses, readers] as const);
    }),
  );
  const caps = [0, 275_000, 450_000, 625_000];
  test.each(cells)('hospital, %i given, %i uses: %i', (given, uses, readers) => {
    expect(grantedReaders(grants, { kind: 'hospital', given, uses })).toEqual({ readers, capYen: caps[readers] });
  });
  test.each(steps.flatMap((uses) => (['clinic', 'pharmacy'] as const).map((kind) => [kind, uses] as const)))(
    '%s from %i uses on: one more',
    (kind, uses) => {
      for (const given of [0, 1, 2])
        expect(grantedReaders(grants, { kind, given, uses })).toEqual({ readers: 1, capYen: 275_000 });
    },
  );
  test.each([
    ['hospital', 1, 499, 0],
    ['clinic', 1, 499, 0],
    ['clinic', 1, 500, 1],
    ['clinic', 1, 2_700, 1],
    ['pharmacy', 1, 2_700, 1],
    ['hospital', 1, 1_200, 2],
    ['hospital', 2, 700, 0],
    ['hospital', 3, 2_500, 3],
  ] as const)('%s, %i given, %i uses: %i', (kind, given, uses, readers) => {
    expect(grantedReaders(grants, { kind, given, uses })).toEqual({ readers, capYen: caps[readers] });
  });
  it('no row for four given free: said, not guessed', () => {
    expect(() => grantedReaders(grants, { kind: 'hospital', given: 4, uses: 3_000 })).toThrow(/no row for 4/);
  });
});

/** Upper ends of the share classes, and a share within each. */
const within = [2.9, 4.9, 9.9, 19.9, 29.9, 39.9, 40];
const lowest = [0, 3, 5, 10, 20, 30, 40];
/** 万円, written out from the papers, a row for each share class, a column for each step. */
const tables: Record<
  string,
  Record<'clinic' | 'hospital', { steps: readonly number[]; rows: readonly (readonly number[])[] }>
> = {
  '2024-05': {
    clinic: {
      steps: [1, 10, 20, 30, 50, 70, 80],
      rows: [
        [0, 0, 0, 3, 5, 7, 10],
        [0, 0, 3, 5, 7, 10, 10],
        [0, 3, 5, 7, 10, 10, 10],
        [3, 5, 7, 10, 10, 10, 10],
        [5, 7, 10, 10, 10, 10, 10],
        [7, 10, 10, 10, 10, 10, 10],
        [10, 10, 10, 10, 10, 10, 10],
      ],
    },
    hospital: {
      steps: [10, 40, 80, 150, 250, 350, 450],
      rows: [
        [0, 0, 0, 10, 12, 15, 20],
        [0, 0, 10, 12, 15, 20, 20],
        [0, 10, 12, 15, 20, 20, 20],
        [10, 12, 15, 20, 20, 20, 20],
        [12, 15, 20, 20, 20, 20, 20],
        [15, 20, 20, 20, 20, 20, 20],
        [20, 20, 20, 20, 20, 20, 20],
      ],
    },
  },
  '2024-08': {
    clinic: {
      steps: [1, 10, 20, 30, 50, 70, 80, 100, 160, 240],
      rows: [
        [0, 0, 0, 3, 5, 7, 10, 15, 17, 20],
        [0, 0, 3, 5, 7, 10, 15, 17, 20, 20],
        [0, 3, 5, 7, 10, 15, 17, 20, 20, 20],
        [3, 5, 7, 10, 15, 17, 20, 20, 20, 20],
        [5, 7, 10, 15, 17, 20, 20, 20, 20, 20],
        [7, 10, 15, 17, 20, 20, 20, 20, 20, 20],
        [10, 15, 17, 20, 20, 20, 20, 20, 20, 20],
      ],
    },
    hospital: {
      steps: [10, 40, 80, 150, 250, 350, 450, 540, 720],
      rows: [
        [0, 0, 0, 10, 12, 15, 20, 30, 35],
        [0, 0, 10, 12, 15, 20, 30, 35, 40],
        [0, 10, 12, 15, 20, 30, 35, 40, 40],
        [10, 12, 15, 20, 30, 35, 40, 40, 40],
        [12, 15, 20, 30, 35, 40, 40, 40, 40],
        [15, 20, 30, 35, 40, 40, 40, 40, 40],
        [20, 30, 35, 40, 40, 40, 40, 40, 40],
      ],
    },
  },
};
const yenOf = (table: string, kind: GrantKind, sharePercent: number, increase: number): number => {
  const sum = grants.lumpSums[table];
  if (sum === undefined) throw new Error(table);
  return lumpSumYen(sum, { kind, sharePercent, increase });
};

describe.each(Object.keys(tables))('一時金, table %s', (table) => {
  describe.each(['clinic', 'pharmacy', 'hospital'] as const)('%s', (kind) => {
    const { steps, rows } = tables[table]?.[kind === 'hospital' ? 'hospital' : 'clinic'] ?? { steps: [], rows: [] };
    const cells = rows.flatMap((row, share) =>
      row.map(
        (tenThousand, column) => [lowest[share] ?? 0, within[share] ?? 0, steps[column] ?? 0, tenThousand] as const,
      ),
    );
    test.each(cells)('from %d to %d %%, +%i people: %d 万円', (from, until, increase, tenThousand) => {
      expect(yenOf(table, kind, from, increase)).toBe(tenThousand * 10_000);
      expect(yenOf(table, kind, until, increase)).toBe(tenThousand * 10_000);
    });
    test('one person short of a step is the step before it', () => {
      for (const [share, row] of rows.entries())
        for (const [column, step] of steps.entries())
          expect(yenOf(table, kind, lowest[share] ?? 0, step - 1)).toBe((row[column - 1] ?? 0) * 10_000);
    });
  });

  // ≤ 150 レセプト: 万円 at 1, 5, 10, 15, 25, 35, 40 people more, below 3 %, from 3 %, from 5 % (there up to 9 people)
  const smallSteps = [1, 5, 10, 15, 25, 35, 40];
  const smallRows = [
    [0, 0, 1, 1.5, 2.5, 3.5, 5],
    [0, 1, 1.5, 2.5, 3.5, 5, 5],
    [1, 1.5],
  ];
  const last = (steps: readonly number[], row: readonly number[], increase: number): number =>
    row[steps.findLastIndex((step) => increase >= step)] ?? 0;
  /** As the paper words it: the ordinary table from 10 % or, from 5 % on, from 10 people; past the ceiling whichever is more. */
  const byThePaper = (shareClass: number, increase: number): number => {
    const { steps, rows } = tables[table]?.clinic ?? { steps: [], rows: [] };
    const ordinary = last(steps, rows[shareClass] ?? [], increase);
    if (shareClass > 2 || (shareClass === 2 && increase >= 10)) return ordinary;
    const small = last(smallSteps, smallRows[shareClass] ?? [], increase);
    return small === 5 ? Math.max(small, ordinary) : small;
  };

  test.each(lowest.map((from, shareClass) => [from, within[shareClass] ?? 0, shareClass] as const))(
    'small, from %d to %d %%: every increase up to 260 people',
    (from, until, shareClass) => {
      for (let increase = 0; increase <= 260; increase += 1)
        for (const share of [from, until])
          expect(yenOf(table, 'small', share, increase), `${share} %, +${increase}`).toBe(
            byThePaper(shareClass, increase) * 10_000,
          );
    },
  );
  test('small, by hand where the ordinary table takes over', () => {
    expect([39, 40, 50, 70].map((increase) => yenOf(table, 'small', 2, increase))).toEqual([
      35_000, 50_000, 50_000, 70_000,
    ]);
    expect([4, 5, 9, 10].map((increase) => yenOf(table, 'small', 7, increase))).toEqual([
      10_000, 15_000, 15_000, 30_000,
    ]);
  });
});

test.each([
  ['2024-05', 'clinic', 2.9, 29, 0],
  ['2024-05', 'clinic', 2.9, 30, 30_000],
  ['2024-05', 'clinic', 12, 35, 100_000],
  ['2024-05', 'hospital', 4, 250, 150_000],
  ['2024-05', 'small', 4, 5, 10_000],
] as const)('by hand: %s, %s, %d %%, +%i: %i yen', (table, kind, share, increase, yen) => {
  expect(yenOf(table, kind, share, increase)).toBe(yen);
});

describe('利用率', () => {
  test.each([
    ['2024-09-30', undefined, undefined],
    ['2024-10-01', '医療DX推進体制整備加算', [15, 10, 5]],
    ['2024-12-31', '医療DX推進体制整備加算', [15, 10, 5]],
    ['2025-01-01', '医療DX推進体制整備加算', [30, 20, 10]],
    ['2025-04-01', '医療DX推進体制整備加算', [45, 30, 15]],
    ['2025-10-01', '医療DX推進体制整備加算', [60, 40, 25]],
    ['2026-03-01', '医療DX推進体制整備加算', [70, 50, 30]],
    ['2026-05-31', '医療DX推進体制整備加算', [70, 50, 30]],
    ['2026-06-01', '電子的診療情報連携体制整備加算', [30]],
    ['2026-12-01', '電子的診療情報連携体制整備加算', [30]],
  ] as const)('%s', (day, addition, percents) => {
    const rule = shareRuleAt(shares, day);
    expect(rule?.addition).toBe(addition);
    expect(rule?.levels.map(({ percent }) => percent)).toEqual(percents);
  });

  test('a level is reached at its threshold, not below; nothing counted is no share', () => {
    const rule = shareRuleAt(shares, '2026-04-01');
    if (rule === undefined) throw new Error('no rule');
    expect([69.9, 70, 50, 30, 29.9].map((percent) => levelReached(rule, percent)?.name)).toEqual([
      '2・5',
      '1・4',
      '2・5',
      '3・6',
      undefined,
    ]);
    expect(shareOf(27, 40)).toBe(67.5);
    expect(shareOf(0, 0)).toBeNull();
  });

  test('a rule that ended without a successor holds no longer', () => {
    expect(
      shareRuleAt([{ ...(shares[0] as (typeof shares)[number]), until: '2024-12-31' }], '2025-01-01'),
    ).toBeUndefined();
  });
});
