import { expect, test } from 'vitest';
import { placeInQuadrangle } from '../../../src/face/measures/head-signals.ts';
import type { Point } from '../../../src/face/picture/geometry.ts';

type Place = readonly [x: number, y: number, z: number];
/** Seen by a camera 3 units away, after a turn about the upright axis by so many degrees and a tilt. */
const seenAt = (turn: number, tilt = 0) => {
  const [a, b] = [(turn * Math.PI) / 180, (tilt * Math.PI) / 180];
  return ([x, y, z]: Place): Point => {
    const across = x * Math.cos(a) + z * Math.sin(a);
    const near = z * Math.cos(a) - x * Math.sin(a);
    const scale = 3 / (3 - near);
    return {
      x: 320 + 200 * scale * (across * Math.cos(b) - y * Math.sin(b)),
      y: 240 + 200 * scale * (across * Math.sin(b) + y * Math.cos(b)),
    };
  };
};
const eyesAndMouth: readonly Place[] = [
  [-0.45, -0.3, 0],
  [0.45, -0.3, 0],
  [0.25, 0.45, 0],
  [-0.25, 0.45, 0],
];
const placeOf = (nose: Place, turn: number, tilt?: number): number =>
  placeInQuadrangle(
    eyesAndMouth.map(seenAt(turn, tilt)) as unknown as [Point, Point, Point, Point],
    seenAt(turn, tilt)(nose),
  );

test.each([-50, -25, 0, 15, 40])('on a flat picture turned by %i° the nose stays where it is', (turn) => {
  for (const tilt of [-10, 0, 12]) {
    expect(placeOf([0, 0.1, 0], turn, tilt)).toBeCloseTo(0.5, 6);
    expect(placeOf([0.1, 0.1, 0], turn, tilt)).toBeCloseTo(placeOf([0.1, 0.1, 0], 0), 6);
  }
});

test('on a head it moves to the side that the head turns to', () => {
  for (const tilt of [-10, 0, 12]) {
    expect(placeOf([0, 0.1, 0.25], 20, tilt) - placeOf([0, 0.1, 0.25], 0)).toBeGreaterThan(0.08);
    expect(placeOf([0, 0.1, 0.25], -20, tilt) - placeOf([0, 0.1, 0.25], 0)).toBeLessThan(-0.08);
  }
});

test('0 and 1 are the sides of the quadrangle', () => {
  expect(placeOf([-0.35, 0.075, 0], 30)).toBeCloseTo(0, 6);
  expect(placeOf([0.35, 0.075, 0], 30)).toBeCloseTo(1, 6);
});
