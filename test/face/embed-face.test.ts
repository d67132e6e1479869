import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparisonScore, meanEmbedding } from '../../src/face/embed-face.ts';

const coordinate = fc.double({ min: -1, max: 1, noNaN: true });
const direction = fc
  .array(coordinate, { minLength: 4, maxLength: 4 })
  .filter((values) => Math.hypot(...values) > 0.1)
  .map((values) => Float32Array.from(values, (value) => value / Math.hypot(...values)));
const times = (factor: number, vector: Float32Array): Float32Array => vector.map((value) => value * factor);

test('unit vectors are compared by their cosine', () => {
  expect(comparisonScore(Float32Array.of(1, 0), Float32Array.of(0.6, 0.8))).toBeCloseTo(0.6);
  expect(comparisonScore(Float32Array.of(1, 0), Float32Array.of(-1, 0))).toBeCloseTo(-1);
});

test('the logarithms of both lengths are added, whoever comes first', () => {
  fc.assert(
    fc.property(direction, direction, fc.double({ min: 0.9, max: 1.1, noNaN: true }), (a, b, factor) => {
      const longer = comparisonScore(times(factor, a), times(factor, b));
      expect(longer).toBeCloseTo(comparisonScore(a, b) + 2 * Math.log(factor), 4);
      expect(comparisonScore(times(factor, b), a)).toBeCloseTo(comparisonScore(a, times(factor, b)), 4);
    }),
  );
});

test('an embedding that has been overwritten matches nothing', () => {
  const wiped = new Float32Array(4);
  expect(comparisonScore(wiped, wiped)).toBe(-1);
  expect(comparisonScore(wiped, Float32Array.of(1, 0, 0, 0))).toBe(-1);
});

test('the mean lies between, and its length is the geometric mean: a longer vector has no more say in the direction', () => {
  const mean = meanEmbedding([Float32Array.of(1.1, 0), Float32Array.of(0, 0.9)]);
  expect(mean[0]).toBeCloseTo(mean[1] ?? Number.NaN);
  expect(Math.hypot(...mean)).toBeCloseTo(Math.sqrt(1.1 * 0.9));
});

test('the mean of one is that one', () => {
  fc.assert(
    fc.property(direction, (a) => {
      expect(comparisonScore(meanEmbedding([times(1.05, a)]), a)).toBeCloseTo(1 + Math.log(1.05), 4);
    }),
  );
});
