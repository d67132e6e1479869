/** What the visits of a run come to. */
import type { Method, StageName, Visit } from './stages.ts';

/** The value that `share` of all are at or below; @throws Error without any */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error('nothing was measured');
  return value;
};
const rounded = (value: number, digits = 1): number => Math.round(value * 10 ** digits) / 10 ** digits;

const sharesOf = (values: readonly number[]) => ({
  p50: rounded(quantile(values, 0.5)),
  p99: rounded(quantile(values, 0.99)),
});

const took = (visit: Visit): number => visit.stages.reduce((sum, { tookMs }) => sum + tookMs, 0);
const least = (visit: Visit): number => visit.stages.reduce((sum, { leastMs }) => sum + leastMs, 0);
const stageMs = (visits: readonly Visit[], names: readonly StageName[]): readonly number[] =>
  visits.map(({ stages }) =>
    stages.filter(({ name }) => names.includes(name)).reduce((sum, { tookMs }) => sum + tookMs, 0),
  );

/** Times of the machine's parts of each visit; a person's are not in it. */
export const figuresOf = (visits: readonly Visit[]) => {
  const ratios = visits.map((visit) => took(visit) / least(visit));
  // The chip that the promise of a quarter of a second names.
  const byPin = visits.filter(({ method, signatureMs }) => method === 'pin' && signatureMs === 60);
  return {
    ratio: { p50: rounded(quantile(ratios, 0.5), 3), p99: rounded(quantile(ratios, 0.99), 3) },
    softwareMs: {
      p99: rounded(
        quantile(
          visits.map((visit) => took(visit) - least(visit)),
          0.99,
        ),
      ),
    },
    consentToReceiptMs: { p50: rounded(quantile(stageMs(visits, ['receipt']), 0.5)) },
    pinToReceiptMs: { p50: rounded(quantile(stageMs(byPin, ['pin', 'receipt']), 0.5)) },
  };
};

export type StageFigures = {
  readonly method: Method;
  readonly stage: StageName;
  readonly p50Ms: number;
  readonly leastMs: number;
  readonly deviceMs: number;
  /** What it took beyond its least */
  readonly software: { readonly p50: number; readonly p99: number };
};

/** The median of each stage beside the median of its least. */
export const stageFigures = (visits: readonly Visit[]): readonly StageFigures[] =>
  (['face', 'pin'] as const).flatMap((method) =>
    (['card', method, 'receipt'] as const).map((stage) => {
      const own = visits
        .filter((visit) => visit.method === method)
        .flatMap(({ stages }) => stages.filter(({ name }) => name === stage));
      const middle = (of: (each: (typeof own)[number]) => number): number => rounded(quantile(own.map(of), 0.5));
      return {
        ...{ method, stage },
        p50Ms: middle(({ tookMs }) => tookMs),
        leastMs: middle(({ leastMs }) => leastMs),
        deviceMs: middle(({ deviceMs }) => deviceMs),
        software: sharesOf(own.map(({ tookMs, leastMs }) => tookMs - leastMs)),
      };
    }),
  );
