/** Error rates of a comparison from its scores (ISO/IEC 19795-1). Rates are parts of 1. */

export type ErrorPoint = {
  /** False accept rate: impostor comparisons at or above the threshold. */
  readonly far: number;
  /** False reject rate: genuine comparisons below it. A failure to acquire is a score below every threshold. */
  readonly frr: number;
  readonly threshold: number;
};

/** Number of elements of an ascending list that are below `value`. */
const countBelow = (sorted: Float64Array, value: number): number => {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
};

export class ScoreSet {
  readonly #genuine: Float64Array;
  readonly #impostor: Float64Array;

  constructor(genuine: Iterable<number>, impostor: Iterable<number>) {
    this.#genuine = Float64Array.from(genuine).sort();
    this.#impostor = Float64Array.from(impostor).sort();
    if (this.#genuine.length === 0 || this.#impostor.length === 0)
      throw new Error('accuracy: genuine and impostor comparisons are both needed');
  }

  at(threshold: number): ErrorPoint {
    return {
      far: 1 - countBelow(this.#impostor, threshold) / this.#impostor.length,
      frr: countBelow(this.#genuine, threshold) / this.#genuine.length,
      threshold,
    };
  }

  /** The lowest threshold whose false accept rate is not above `far`. */
  atFar(far: number): ErrorPoint {
    const accepted = Math.floor(far * this.#impostor.length + 1e-9);
    const firstRefused = this.#impostor[this.#impostor.length - 1 - accepted] ?? Number.NEGATIVE_INFINITY;
    // Just above the first impostor that must be refused.
    return this.at(firstRefused + Math.max(1e-12, Math.abs(firstRefused) * 1e-12));
  }

  /** Equal error rate: the mean of both rates where they are closest. */
  equalErrorRate(): number {
    let best = Number.POSITIVE_INFINITY;
    let rate = 1;
    for (const scores of [this.#genuine, this.#impostor])
      for (const threshold of scores) {
        const { far, frr } = this.at(threshold);
        if (Math.abs(far - frr) >= best) continue;
        best = Math.abs(far - frr);
        rate = (far + frr) / 2;
      }
    return rate;
  }

  /** The trade-off from `minFar` to 1, `points` of them evenly on a logarithmic scale. */
  curve(minFar: number, points: number): ErrorPoint[] {
    return Array.from({ length: points }, (_, i) => this.atFar(minFar ** (1 - i / (points - 1))));
  }
}

/** Share of pairs told right at the best of the other parts' thresholds: ten parts, each judged by the other nine. */
export const tenfoldPairAccuracy = (pairs: readonly { readonly score: number; readonly same: boolean }[]): number => {
  const parts = 10;
  let right = 0;
  for (let part = 0; part < parts; part++) {
    const others = pairs.filter((_, i) => i % parts !== part);
    let bestThreshold = 0;
    let bestRight = -1;
    for (const { score: threshold } of others) {
      const count = others.filter(({ score, same }) => score >= threshold === same).length;
      if (count <= bestRight) continue;
      bestRight = count;
      bestThreshold = threshold;
    }
    right += pairs.filter(({ score, same }, i) => i % parts === part && score >= bestThreshold === same).length;
  }
  return right / pairs.length;
};
