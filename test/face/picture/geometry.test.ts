import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Affine,
  apply,
  invert,
  leastSquaresSimilarity,
  overlap,
  squareCrop,
} from '../../../src/face/picture/geometry.ts';
import { type InputFormat, letterboxInto, sampleInto } from '../../../src/face/picture/sample-image.ts';

const coordinate = fc.double({ min: -500, max: 500, noNaN: true });
const point = fc.record({ x: coordinate, y: coordinate });

const similarity = (angle: number, scale: number, tx: number, ty: number): Affine => {
  const a = Math.cos(angle) * scale;
  const c = Math.sin(angle) * scale;
  return { a, b: -c, tx, c, d: a, ty };
};

test('a turned, scaled and shifted set of points gives back turn, scale and shift', () => {
  const spread = fc.array(point, { minLength: 5, maxLength: 5 }).filter((points) => {
    const xs = points.map(({ x }) => x);
    return Math.max(...xs) - Math.min(...xs) > 1;
  });
  const angle = fc.double({ min: -3, max: 3, noNaN: true });
  const scale = fc.double({ min: 0.1, max: 10, noNaN: true });
  fc.assert(
    fc.property(spread, angle, scale, coordinate, coordinate, (points, turn, size, tx, ty) => {
      const made = similarity(turn, size, tx, ty);
      const found = leastSquaresSimilarity(
        points,
        points.map((each) => apply(made, each)),
      );
      for (const key of ['a', 'b', 'tx', 'c', 'd', 'ty'] as const) expect(found?.[key]).toBeCloseTo(made[key], 5);
    }),
  );
});

test('with noise the error is the smallest: no small change of the transform makes it smaller', () => {
  const from = [
    { x: 0, y: 0 },
    { x: 10, y: 1 },
    { x: 4, y: 9 },
  ];
  const to = [
    { x: 3, y: 2 },
    { x: 22, y: 7 },
    { x: 9, y: 21 },
  ];
  const found = leastSquaresSimilarity(from, to);
  if (found === null) throw new Error('no transform');
  const error = (m: Affine): number =>
    from.reduce((sum, each, i) => {
      const { x, y } = apply(m, each);
      return sum + (x - (to[i]?.x ?? 0)) ** 2 + (y - (to[i]?.y ?? 0)) ** 2;
    }, 0);
  for (const step of [-0.01, 0.01]) {
    expect(error({ ...found, a: found.a + step, d: found.d + step })).toBeGreaterThan(error(found));
    expect(error({ ...found, b: found.b - step, c: found.c + step })).toBeGreaterThan(error(found));
    expect(error({ ...found, tx: found.tx + step })).toBeGreaterThan(error(found));
    expect(error({ ...found, ty: found.ty + step })).toBeGreaterThan(error(found));
  }
});

test('points on one spot span nothing', () => {
  const spot = [
    { x: 1, y: 1 },
    { x: 1, y: 1 },
  ];
  expect(leastSquaresSimilarity(spot, spot)).toBeNull();
});

test('the inverse leads back', () => {
  fc.assert(
    fc.property(point, fc.double({ min: -3, max: 3, noNaN: true }), (each, angle) => {
      const there = similarity(angle, 2, 5, -7);
      const back = apply(invert(there), apply(there, each));
      expect(back.x).toBeCloseTo(each.x, 6);
      expect(back.y).toBeCloseTo(each.y, 6);
    }),
  );
});

test('the middle of a square crop is its centre, its corner lies half a diagonal away', () => {
  const crop = squareCrop({ x: 100, y: 50 }, 40, Math.PI / 2, 192);
  expect(apply(crop, { x: 96, y: 96 })).toEqual({ x: expect.closeTo(100), y: expect.closeTo(50) });
  expect(apply(crop, { x: 0, y: 0 })).toEqual({ x: expect.closeTo(120), y: expect.closeTo(30) });
});

test.each([
  ['the same box', { x: 0, y: 0, width: 2, height: 2 }, 1],
  ['half beside it', { x: 1, y: 0, width: 2, height: 2 }, 1 / 3],
  ['touching', { x: 2, y: 0, width: 2, height: 2 }, 0],
  ['apart', { x: 5, y: 5, width: 2, height: 2 }, 0],
])('overlap: %s', (_, other, expected) => {
  expect(overlap({ x: 0, y: 0, width: 2, height: 2 }, other)).toBeCloseTo(expected);
});

const format = (width: number, height: number, more: Partial<InputFormat> = {}): InputFormat => ({
  width,
  height,
  layout: 'NHWC',
  channels: 'RGB',
  mean: 0,
  scale: 1,
  ...more,
});
const image = { width: 2, height: 2, rgb: Uint8Array.of(10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120) };
const identity: Affine = { a: 1, b: 0, tx: 0, c: 0, d: 1, ty: 0 };

test('a crop of the whole picture is the picture', () => {
  const target = new Float32Array(12);
  sampleInto(image, identity, format(2, 2), target);
  expect(Array.from(target)).toEqual(Array.from(image.rgb));
});

test('channel order, layout, mean and scale', () => {
  const target = new Float32Array(12);
  sampleInto(image, identity, format(2, 2, { layout: 'NCHW', channels: 'BGR', mean: 10, scale: 10 }), target);
  expect(Array.from(target)).toEqual([2, 5, 8, 11, 1, 4, 7, 10, 0, 3, 6, 9]);
});

test('shrinking to one pixel averages', () => {
  const target = new Float32Array(3);
  sampleInto(image, { ...identity, a: 2, d: 2 }, format(1, 1), target);
  expect(Array.from(target)).toEqual([55, 65, 75]);
});

test('what lies outside the picture is black', () => {
  const target = new Float32Array(3).fill(99);
  sampleInto(image, { ...identity, tx: 50 }, format(1, 1, { mean: 10, scale: 10 }), target);
  expect(Array.from(target)).toEqual([-1, -1, -1]);
});

test('a letterbox puts a wide picture into the middle, and its transform leads back', () => {
  const wide = { width: 8, height: 4, rgb: new Uint8Array(96).fill(200) };
  const target = new Float32Array(4 * 4 * 3);
  const back = letterboxInto(wide, format(4, 4), target);
  const rows = [0, 1, 2, 3].map((row) => target[row * 12]);
  expect(rows).toEqual([0, 200, 200, 0]);
  expect(apply(back, { x: 2, y: 2 })).toEqual({ x: 4, y: 2 });
});
