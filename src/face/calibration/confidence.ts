/** Bounds of rates that were counted (ISO/IEC 19795-1). */

/**
 * Upper end of the 95 % confidence interval of a rate, in percent (Clopper-Pearson, one-sided; with no errors it is the
 * rule of three). 100 when every one of `n` was an error.
 */
export const upper95 = (errors: number, n: number): number => {
  // The binomial distribution's tail in logarithms: n may be tens of thousands.
  const atMost = (p: number): number => {
    let logTerm = n * Math.log1p(-p);
    let sum = Math.exp(logTerm);
    for (let k = 1; k <= errors; k++) {
      logTerm += Math.log((n - k + 1) / k) + Math.log(p) - Math.log1p(-p);
      sum += Math.exp(logTerm);
    }
    return sum;
  };
  if (errors >= n) return 100;
  let low = errors / n;
  let high = 1 - 1e-9;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (atMost(middle) > 0.05) low = middle;
    else high = middle;
  }
  return low * 100;
};
