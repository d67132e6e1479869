/** What a soak's measurements come to. */

/** Megabytes of a process after so many visits */
export type Sample = { readonly visits: number; readonly mb: number };

/** Pools fill and code is compiled until then. */
const settledAfter = 500;

/**
 * Percent by which a process grows in 1,000 visits, after the first 500: the slope of the straight line through all samples
 * since then, over where it stands at their beginning. undefined: not enough of them. A process that shrinks grows by 0.
 */
export const growthPercent = (samples: readonly Sample[]): number | undefined => {
  const settled = samples.filter(({ visits }) => visits >= settledAfter);
  const [first] = settled;
  if (first === undefined || settled.length < 3) return undefined;
  const mean = (of: (sample: Sample) => number): number =>
    settled.reduce((sum, sample) => sum + of(sample), 0) / settled.length;
  const [visits, mb] = [mean((sample) => sample.visits), mean((sample) => sample.mb)];
  const spread = mean((sample) => (sample.visits - visits) ** 2);
  const slope = mean((sample) => (sample.visits - visits) * (sample.mb - mb)) / spread;
  const atBeginning = mb + slope * (first.visits - visits);
  return Math.max(0, Math.round(((slope * 1_000) / atBeginning) * 10_000) / 100);
};

/** Handles and timers that are there at the end and were not at the beginning, whatever their kind. */
export const handlesLeft = (
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): number => Object.entries(after).reduce((sum, [name, count]) => sum + Math.max(0, count - (before[name] ?? 0)), 0);
