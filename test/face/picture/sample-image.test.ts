import { expect, test } from 'vitest';
import { seededNumbers } from '../../../drivers/virtual/render-scene.ts';
import { type Affine, squareCrop } from '../../../src/face/picture/geometry.ts';
import { type InputFormat, type RgbImage, sampleInto } from '../../../src/face/picture/sample-image.ts';

const random = seededNumbers(1);
const image: RgbImage = {
  width: 64,
  height: 48,
  rgb: Uint8Array.from({ length: 64 * 48 * 3 }, () => random() * 256),
};
const format: InputFormat = { width: 20, height: 20, layout: 'NCHW', channels: 'BGR', mean: 100, scale: 50 };

/** As the docstring says it, in plain numbers; channel 0 = red. */
const expected = (m: Affine, u: number, v: number, channel: number, taps: number): number => {
  const at = (x: number, y: number): number =>
    image.rgb[
      (Math.min(image.height - 1, Math.max(0, y)) * image.width + Math.min(image.width - 1, Math.max(0, x))) * 3 +
        channel
    ] ?? 0;
  let sum = 0;
  for (let j = 0; j < taps; j++)
    for (let i = 0; i < taps; i++) {
      const [u0, v0] = [u + (i + 0.5) / taps, v + (j + 0.5) / taps];
      const x = m.a * u0 + m.b * v0 + m.tx - 0.5;
      const y = m.c * u0 + m.d * v0 + m.ty - 0.5;
      if (x <= -1 || y <= -1 || x >= image.width || y >= image.height) continue;
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [fx, fy] = [x - left, y - top];
      const upper = at(left, top) * (1 - fx) + at(left + 1, top) * fx;
      const lower = at(left, top + 1) * (1 - fx) + at(left + 1, top + 1) * fx;
      sum += upper * (1 - fy) + lower * fy;
    }
  return sum / (taps * taps);
};

const crops: Readonly<Record<string, readonly [Affine, number]>> = {
  'inside, turned': [squareCrop({ x: 32, y: 24 }, 26, 0.4, 20), 1],
  'inside, straight': [squareCrop({ x: 32, y: 24 }, 40, 0, 20), 2],
  'over the left and upper edge': [squareCrop({ x: 4, y: 5 }, 30, 0.3, 20), 2],
  'over the right and lower edge': [squareCrop({ x: 60, y: 44 }, 30, -0.7, 20), 1],
  'upside down, larger than the picture': [squareCrop({ x: 30, y: 20 }, 110, Math.PI, 20), 4],
  'beside the picture': [squareCrop({ x: 200, y: 24 }, 20, 0, 20), 1],
  'at the very edge': [squareCrop({ x: 54, y: 38 }, 20, 0, 20), 1],
};

for (const [name, [crop, taps]] of Object.entries(crops))
  test(`a crop ${name} is the mean of its samples, black outside`, () => {
    const target = new Float32Array(format.width * format.height * 3).fill(Number.NaN);
    sampleInto(image, crop, format, target, taps);
    let worst = 0;
    for (let v = 0; v < format.height; v++)
      for (let u = 0; u < format.width; u++)
        for (const channel of [0, 1, 2]) {
          const element = target[(2 - channel) * 400 + v * format.width + u] ?? Number.NaN;
          const colour = element * format.scale + format.mean;
          worst = Math.max(worst, Math.abs(colour - expected(crop, u, v, channel, taps)));
        }
    // Places are kept in 256ths of a pixel, and neighbours differ by up to 255.
    expect(worst).toBeLessThan(2.5);
  });
