import { expect, test } from 'vitest';
import { randomFrom } from '../../../drivers/virtual/random-from.ts';
import { measureRim } from '../../../src/face/measures/measure-rim.ts';
import { meshPoints } from '../../../src/face/models/find-landmarks.ts';

const width = 320;
const height = 240;
/** A face 80 pixels wide in the middle. */
const mesh = new Float32Array(meshPoints * 3);
for (let i = 0; i < meshPoints; i++) mesh.set([120 + (i % 2) * 80, 70 + (i % 3) * 50, 0], i * 3);

/** A grey wall with grain; `at` paints over it where it gives a brightness. */
const picture = (at: (x: number, y: number) => number | null) => {
  const random = randomFrom(1);
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      rgb.fill((at(x, y) ?? 120) + (random() * 6 - 3), (y * width + x) * 3, (y * width + x) * 3 + 3);
  return { width, height, rgb };
};
/** Between two edges that lean by `lean` pixels a row. */
const sheet =
  (lean: number, brightness: number, from = 90, to = 230) =>
  (x: number, y: number): number | null => {
    const across = x - lean * (y - height / 2);
    return across > from && across < to ? brightness : null;
  };

test.each([
  ['paper', sheet(0, 220)],
  ['a dark screen', sheet(0, 15)],
  ['held askew by 8°', sheet(0.14, 220)],
])('a rim on both sides of a face: %s', (_, at) => {
  expect(measureRim(picture(at), mesh)).toBeGreaterThan(0.95);
});

test.each<[string, (x: number, y: number) => number | null]>([
  ['a plain wall', () => null],
  ['one edge alone, of a door', sheet(0, 220, 90, 400)],
  ['the outline of a head and shoulders', (x, y) => (Math.hypot((x - 160) / 70, (y - 125) / 95) < 1 ? 60 : null)],
  ['edges that end at the height of the eyes', (x, y) => (y < 110 ? sheet(0, 220)(x, y) : null)],
  ['a shelf: edges that lie', (_, y) => (y % 40 < 20 ? 60 : 180)],
])('none: %s', (_, at) => {
  expect(measureRim(picture(at), mesh)).toBeLessThan(0.8);
});
