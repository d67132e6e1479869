/**
 * 増設補助 and 一時金 of 2023-2024: closed, kept as what they were. The tables are data (src/catalogue/grants/*.json), here
 * is how they are read. Yen; uses a month; shares in per cent of October 2023.
 */

type ReaderGrant = {
  /** Any month from … to …, yyyy-MM */
  readonly months: { readonly from: string; readonly until: string };
  /** Last day of application, yyyy-MM-dd */
  readonly appliedUntil: string;
  /** Cap in yen for 1, 2, 3 readers: half of the cost, no more */
  readonly capYen: readonly number[];
  /** From how many uses in one month each column counts */
  readonly useSteps: readonly number[];
  /** 診療所, 薬局: readers for each step */
  readonly clinic: readonly number[];
  /** 病院: key = readers given free before */
  readonly hospital: Readonly<Record<string, readonly number[]>>;
  readonly source: string;
};

export type GrantKind = 'clinic' | 'pharmacy' | 'hospital' | 'small';

/** One 一時金 table: rows by share class, columns by increase in people; a cell is yen, 0 = none. */
type LumpSumTable = {
  /** From how many more people than in October 2023 each column counts */
  readonly steps: readonly number[];
  /** In rising order; `below`: the share class ends before it, null = no end */
  readonly rows: readonly { readonly below: number | null; readonly yen: readonly number[] }[];
  /** From which increase on the ordinary table may be used, too: one for each row */
  readonly ordinaryFrom?: readonly number[] | undefined;
};

type LumpSum = {
  readonly name: string;
  readonly period: { readonly from: string; readonly until: string };
  readonly reportUntil: string;
  readonly conditions: readonly string[];
  readonly clinic: LumpSumTable;
  readonly hospital: LumpSumTable;
  /** ≤ 150 レセプト in October 2023 */
  readonly small: LumpSumTable;
  readonly source: string;
};

export type Grants = { readonly readers: ReaderGrant; readonly lumpSums: Readonly<Record<string, LumpSum>> };

const stepOf = (steps: readonly number[], value: number): number => steps.findLastIndex((step) => value >= step);

/** How many further readers were half paid for: by kind, readers given free before, and uses of the best month. Throws where
 * the table has no row for that many. */
export const grantedReaders = (
  { readers }: Grants,
  { kind, given, uses }: { readonly kind: GrantKind; readonly given: number; readonly uses: number },
): { readonly readers: number; readonly capYen: number } => {
  const row = kind === 'hospital' ? readers.hospital[String(given)] : readers.clinic;
  if (row === undefined) throw new Error(`no row for ${given} readers given free: ${Object.keys(readers.hospital)}`);
  const granted = row[stepOf(readers.useSteps, uses)] ?? 0;
  return { readers: granted, capYen: granted === 0 ? 0 : (readers.capYen[granted - 1] ?? 0) };
};

const cellOf = ({ steps, rows }: LumpSumTable, sharePercent: number, increase: number): number => {
  const row = rows.find(({ below }) => below === null || sharePercent < below);
  return row?.yen[stepOf(steps, increase)] ?? 0;
};

/** 一時金 in yen: by kind, share of October 2023 and how many more people used their card since. */
export const lumpSumYen = (
  sum: LumpSum,
  {
    kind,
    sharePercent,
    increase,
  }: { readonly kind: GrantKind; readonly sharePercent: number; readonly increase: number },
): number => {
  if (kind === 'hospital') return cellOf(sum.hospital, sharePercent, increase);
  const ordinary = cellOf(sum.clinic, sharePercent, increase);
  if (kind !== 'small') return ordinary;
  const row = sum.small.rows.findIndex(({ below }) => below === null || sharePercent < below);
  const own = cellOf(sum.small, sharePercent, increase);
  // From its ceiling on the ordinary table may be used, too: whichever gives more.
  return increase >= (sum.small.ordinaryFrom?.[row] ?? Number.POSITIVE_INFINITY) ? Math.max(own, ordinary) : own;
};
