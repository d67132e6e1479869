import { expect, test } from 'vitest';
import { randomFrom } from '../../../drivers/virtual/random-from.ts';
import { measureMoire } from '../../../src/face/measures/measure-moire.ts';
import { meshPoints } from '../../../src/face/models/find-landmarks.ts';

const width = 160;
const height = 120;
/** A mesh whose box is the whole picture. */
const mesh = new Float32Array(meshPoints * 3);
mesh.set([width, height, 0], 3);

const picture = (grain: number, stripe: number, period: number, direction: 'upright' | 'lying' = 'upright') => {
  const random = randomFrom(1);
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % width;
    const along = direction === 'upright' ? x : Math.floor(i / 3 / width);
    return 120 + x / 4 + (random() * 2 - 1) * grain + stripe * Math.cos((along / period) * 2 * Math.PI);
  });
  return { width, height, rgb };
};

test('grain alone is no pattern', () => {
  expect(Math.abs(measureMoire(picture(8, 0, 4), mesh))).toBeLessThan(0.1);
});

test.each([3.3, 4.3, 6, 9])('stripes of %f pixels are, upright and lying', (period) => {
  expect(measureMoire(picture(3, 20, period), mesh)).toBeGreaterThan(0.5);
  expect(measureMoire(picture(3, 20, period, 'lying'), mesh)).toBeGreaterThan(0.5);
});

test('a face too small to tell counts as none', () => {
  const tiny = new Float32Array(meshPoints * 3);
  tiny.set([20, 20, 0], 3);
  expect(measureMoire(picture(3, 20, 4), tiny)).toBe(0);
});
