/** The error rates that face-eval prints, on scores whose rates can be counted by hand. */
import { describe, expect, test } from 'vitest';
import { detPlot } from '../../../scripts/evaluate/det-plot.ts';
import { ScoreSet, tenfoldPairAccuracy } from '../../../src/face/calibration/accuracy.ts';

/** 0, 1/n … (n−1)/n */
const ladder = (n: number): number[] => Array.from({ length: n }, (_, i) => i / n);

describe('ScoreSet', () => {
  const impostor = ladder(10_000);

  test.each([
    [1e-2, 0.99, 100],
    [1e-3, 0.999, 10],
    [1e-4, 0.9999, 1],
  ])('at FAR %f exactly that part of the impostors is let in', (far, threshold, letIn) => {
    const point = new ScoreSet([2], impostor).atFar(far);
    expect(point.far * impostor.length).toBeCloseTo(letIn);
    expect(point.threshold).toBeGreaterThan(threshold - 1 / impostor.length);
    expect(point.threshold).toBeLessThanOrEqual(threshold);
  });

  test('the false rejects are the genuine scores below the threshold, one equal to it is accepted', () => {
    expect(new ScoreSet([0.1, 0.5, 0.7, 0.9], [0]).at(0.5)).toMatchObject({ frr: 0.25 });
  });

  test('a failure to acquire is a false reject at every threshold and never a false accept', () => {
    const scores = new ScoreSet([-2, 0.9, 0.9, 0.9], [-2, 0, 0, 0]);
    for (const threshold of [-1, 0, 0.5]) expect(scores.at(threshold).frr).toBe(0.25);
    expect(scores.at(-1).far).toBe(0.75);
  });

  test('equal impostor scores are let in or refused together, never more than asked', () => {
    const { far, threshold } = new ScoreSet([1], [0.5, 0.5, 0.5, 0.1]).atFar(0.5);
    expect(far).toBe(0);
    expect(threshold).toBeGreaterThan(0.5);
  });

  test.each([
    [[0.9, 0.8], [0.1, 0.2], 0],
    [[0.9, 0.1], [0.8, 0.2], 0.5],
    [[0.9, 0.8, 0.7, 0.2], [0.1, 0.15, 0.18, 0.75], 0.25],
  ])('EER of %j against %j is %f', (genuine, impostors, rate) => {
    expect(new ScoreSet(genuine, impostors).equalErrorRate()).toBeCloseTo(rate);
  });

  test('without genuine or impostor comparisons there are no rates', () => {
    expect(() => new ScoreSet([], [1])).toThrow('genuine and impostor');
    expect(() => new ScoreSet([1], [])).toThrow('genuine and impostor');
  });
});

test('pairs told apart by any threshold are all told right; scores that say nothing are told half right', () => {
  const alternating = (same: (i: number) => number, other: (i: number) => number) =>
    Array.from({ length: 200 }, (_, i) => ({ same: i % 2 === 0, score: i % 2 === 0 ? same(i) : other(i) }));
  expect(
    tenfoldPairAccuracy(
      alternating(
        () => 0.8,
        () => 0.2,
      ),
    ),
  ).toBe(1);
  const none = alternating(
    () => 0.5,
    () => 0.5,
  );
  expect(tenfoldPairAccuracy(none)).toBe(0.5);
});

test('the DET plot is an SVG with the whole curve, further right for a laxer threshold', () => {
  const curve = new ScoreSet(ladder(100), ladder(1_000)).curve(1e-3, 20);
  const svg = detPlot('a title', curve);
  expect(svg).toMatch(/^<svg [^>]*viewBox[\s\S]*a title[\s\S]*<\/svg>\n$/);
  const points = (/polyline points="([^"]+)"/.exec(svg)?.[1] ?? '')
    .split(' ')
    .map((point) => point.split(',').map(Number));
  expect(points).toHaveLength(20);
  for (const [i, [x = 0, y = 0]] of points.entries()) {
    expect(x).toBeGreaterThanOrEqual(points[i - 1]?.[0] ?? 0);
    expect(y).toBeGreaterThanOrEqual(points[i - 1]?.[1] ?? 0);
  }
});
