/** A detection error trade-off plot: false rejects over false accepts, both on the scale of the normal distribution. */
import type { ErrorPoint } from '../../src/face/calibration/accuracy.ts';

const plotSize = 560;
const margin = 70;
const ticks = [1e-5, 1e-4, 1e-3, 1e-2, 0.05, 0.2];

/** Quantile of the standard normal distribution (P. Acklam's approximation, relative error below 1.2e-9). */
const probit = (p: number): number => {
  const a = [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
  ];
  const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572];
  const c = [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ];
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
  const polynomial = (x: number, factors: readonly number[]): number =>
    factors.reduce((sum, each) => sum * x + each, 0);
  if (p > 0.97575) return -probit(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return polynomial(q, c) / polynomial(q, [...d, 1]);
  }
  const q = p - 0.5;
  return (polynomial(q * q, a) * q) / polynomial(q * q, [...b, 1]);
};

const lowest = probit(5e-6);
const highest = probit(0.4);
const position = (rate: number): number =>
  (Math.min(highest, Math.max(lowest, probit(Math.min(0.4, Math.max(5e-6, rate))))) - lowest) / (highest - lowest);
const x = (rate: number): string => (margin + position(rate) * (plotSize - 2 * margin)).toFixed(1);
const y = (rate: number): string => (plotSize - margin - position(rate) * (plotSize - 2 * margin)).toFixed(1);
const percent = (rate: number): string => `${Number((rate * 100).toPrecision(1))} %`;

export const detPlot = (title: string, curve: readonly ErrorPoint[]): string => {
  const grid = ticks
    .map(
      (tick) =>
        `<path d="M${x(tick)} ${margin}V${plotSize - margin}M${margin} ${y(tick)}H${plotSize - margin}" stroke="#d0d0d0"/>` +
        `<text x="${x(tick)}" y="${plotSize - margin + 20}" text-anchor="middle">${percent(tick)}</text>` +
        `<text x="${margin - 8}" y="${y(tick)}" text-anchor="end" dominant-baseline="middle">${percent(tick)}</text>`,
    )
    .join('');
  const line = curve.map(({ far, frr }) => `${x(far)},${y(frr)}`).join(' ');
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${plotSize} ${plotSize}" font-family="sans-serif" font-size="13">` +
    `<rect width="${plotSize}" height="${plotSize}" fill="#ffffff"/>${grid}` +
    `<text x="${plotSize / 2}" y="34" text-anchor="middle" font-size="16">${title}</text>` +
    `<text x="${plotSize / 2}" y="${plotSize - 18}" text-anchor="middle">false accept rate</text>` +
    `<text transform="translate(18 ${plotSize / 2}) rotate(-90)" text-anchor="middle">false reject rate</text>` +
    `<polyline points="${line}" fill="none" stroke="#0017c1" stroke-width="2"/></svg>\n`
  );
};
