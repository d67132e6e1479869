/** Cuts a turned and scaled part out of an RGB picture, straight into a model's input. */
import { type Affine, magnification } from './geometry.ts';

/** 8-bit RGB, row by row, no padding. */
export type RgbImage = { readonly width: number; readonly height: number; readonly rgb: Uint8Array };

/** How a model wants its picture: element = (colour 0..255 − mean) / scale. */
export type InputFormat = {
  readonly width: number;
  readonly height: number;
  readonly layout: 'NHWC' | 'NCHW';
  readonly channels: 'RGB' | 'BGR';
  readonly mean: number;
  readonly scale: number;
};

export const elementsOf = (format: InputFormat): number => format.width * format.height * 3;

/** Is every pixel of the crop, with its neighbours, inside the picture? Then no sample has to ask. */
const liesInside = (image: RgbImage, m: Affine, format: InputFormat): boolean =>
  [0, format.width].every((u) =>
    [0, format.height].every((v) => {
      const x = m.a * u + m.b * v + m.tx;
      const y = m.c * u + m.d * v + m.ty;
      return x >= 1 && y >= 1 && x < image.width - 1 && y < image.height - 1;
    }),
  );

/**
 * Writes the crop into `target`. `toImage` leads from crop pixels to picture pixels; what lies outside the picture is
 * black. When the crop shrinks the picture, `taps`×`taps` samples are averaged for each pixel (1 to 4).
 */
export const sampleInto = (
  image: RgbImage,
  toImage: Affine,
  format: InputFormat,
  target: Float32Array,
  taps: number = Math.min(4, Math.max(1, Math.round(magnification(toImage)))),
): void => {
  const { rgb, width, height } = image;
  const pixels = format.width * format.height;
  const pixelStep = format.layout === 'NHWC' ? 3 : 1;
  const channelStep = format.layout === 'NHWC' ? 1 : pixels;
  const red = format.channels === 'RGB' ? 0 : 2 * channelStep;
  const green = channelStep;
  const blue = format.channels === 'RGB' ? 2 * channelStep : 0;
  const factor = 1 / (format.scale * taps * taps * 65_536);
  const shift = (0 - format.mean) / format.scale;
  const inside = liesInside(image, toImage, format);
  const { a, c } = toImage;
  const rowBytes = width * 3;
  const right = width - 1;
  const bottom = height - 1;
  let at = 0;
  for (let v = 0; v < format.height; v++) {
    for (let u = 0; u < format.width; u++) {
      let r = 0;
      let g = 0;
      let bl = 0;
      for (let j = 0; j < taps; j++) {
        const v0 = v + (j + 0.5) / taps;
        // Pixel centres lie at halves: −0.5 leads to the corner of the four neighbours.
        const rowX = toImage.b * v0 + toImage.tx - 0.5;
        const rowY = toImage.d * v0 + toImage.ty - 0.5;
        for (let i = 0; i < taps; i++) {
          const u0 = u + (i + 0.5) / taps;
          const x = a * u0 + rowX;
          const y = c * u0 + rowY;
          if (!inside && (x <= -1 || y <= -1 || x >= width || y >= height)) continue;
          // In 256ths of a pixel: with whole numbers all the way to the sum this loop takes two thirds of the time.
          const x256 = Math.floor(x * 256) | 0;
          const y256 = Math.floor(y * 256) | 0;
          const left = x256 >> 8;
          const top = y256 >> 8;
          const fx = x256 & 255;
          const fy = y256 & 255;
          const w11 = fx * fy;
          const w10 = (fx << 8) - w11;
          const w01 = (fy << 8) - w11;
          const w00 = 65_536 - (fx << 8) - w01;
          let p00 = top * rowBytes + left * 3;
          let p10 = p00 + 3;
          let p01 = p00 + rowBytes;
          let p11 = p01 + 3;
          if (!inside) {
            const xa = Math.max(left, 0) * 3;
            const xb = Math.min(left + 1, right) * 3;
            const ya = Math.max(top, 0) * rowBytes;
            const yb = Math.min(top + 1, bottom) * rowBytes;
            p00 = ya + xa;
            p10 = ya + xb;
            p01 = yb + xa;
            p11 = yb + xb;
          }
          r =
            (r +
              (rgb[p00] as number) * w00 +
              (rgb[p10] as number) * w10 +
              (rgb[p01] as number) * w01 +
              (rgb[p11] as number) * w11) |
            0;
          g =
            (g +
              (rgb[p00 + 1] as number) * w00 +
              (rgb[p10 + 1] as number) * w10 +
              (rgb[p01 + 1] as number) * w01 +
              (rgb[p11 + 1] as number) * w11) |
            0;
          bl =
            (bl +
              (rgb[p00 + 2] as number) * w00 +
              (rgb[p10 + 2] as number) * w10 +
              (rgb[p01 + 2] as number) * w01 +
              (rgb[p11 + 2] as number) * w11) |
            0;
        }
      }
      target[at + red] = r * factor + shift;
      target[at + green] = g * factor + shift;
      target[at + blue] = bl * factor + shift;
      at += pixelStep;
    }
  }
};

/** The same crop from the nearest pixels, in a third of the time: for a first look that only finds the place. */
export const sampleRoughlyInto = (
  image: RgbImage,
  toImage: Affine,
  format: InputFormat,
  target: Float32Array,
): void => {
  const { rgb, width, height } = image;
  if (format.layout !== 'NHWC' || format.channels !== 'RGB')
    throw new Error('sample-image: an NHWC RGB input is expected');
  const factor = 1 / format.scale;
  const shift = (0 - format.mean) / format.scale;
  const { a, b, tx, c, d, ty } = toImage;
  let at = 0;
  for (let v = 0; v < format.height; v++) {
    for (let u = 0; u < format.width; u++, at += 3) {
      const x = Math.floor(a * (u + 0.5) + b * (v + 0.5) + tx) | 0;
      const y = Math.floor(c * (u + 0.5) + d * (v + 0.5) + ty) | 0;
      const isInside = x >= 0 && y >= 0 && x < width && y < height;
      const from = (y * width + x) * 3;
      target[at] = (isInside ? (rgb[from] as number) : 0) * factor + shift;
      target[at + 1] = (isInside ? (rgb[from + 1] as number) : 0) * factor + shift;
      target[at + 2] = (isInside ? (rgb[from + 2] as number) : 0) * factor + shift;
    }
  }
};

/**
 * Shrinks the whole picture into the middle of the input, with black bars (letterbox). Four pixels are averaged for
 * each one: enough for a detector and a third of the work of `sampleInto`. Returns the way back to picture pixels.
 */
export const letterboxInto = (image: RgbImage, format: InputFormat, target: Float32Array): Affine => {
  const { rgb, width, height } = image;
  const step = Math.max(width / format.width, height / format.height);
  const left = (format.width - width / step) / 2;
  const top = (format.height - height / step) / 2;
  const pixels = format.width * format.height;
  const pixelStep = format.layout === 'NHWC' ? 3 : 1;
  const channelStep = format.layout === 'NHWC' ? 1 : pixels;
  const red = format.channels === 'RGB' ? 0 : 2 * channelStep;
  const blue = format.channels === 'RGB' ? 2 * channelStep : 0;
  const factor = 1 / (format.scale * 4);
  const shift = (0 - format.mean) / format.scale;
  const columns = new Int32Array(format.width * 2);
  for (let u = 0; u < format.width; u++) {
    for (const half of [0, 1]) {
      const x = Math.floor((u - left + 0.25 + half * 0.5) * step);
      columns[u * 2 + half] = x < 0 || x >= width ? -1 : x * 3;
    }
  }
  target.fill(shift);
  for (let v = 0; v < format.height; v++) {
    const ya = Math.floor((v - top + 0.25) * step);
    const yb = Math.floor((v - top + 0.75) * step);
    if (ya < 0 || yb >= height) continue;
    const rowA = ya * width * 3;
    const rowB = yb * width * 3;
    for (let u = 0; u < format.width; u++) {
      const xa = columns[u * 2] as number;
      const xb = columns[u * 2 + 1] as number;
      if (xa < 0 || xb < 0) continue;
      const p = rowA + xa;
      const q = rowA + xb;
      const s = rowB + xa;
      const t = rowB + xb;
      const at = (v * format.width + u) * pixelStep;
      target[at + red] =
        ((rgb[p] as number) + (rgb[q] as number) + (rgb[s] as number) + (rgb[t] as number)) * factor + shift;
      target[at + channelStep] =
        ((rgb[p + 1] as number) + (rgb[q + 1] as number) + (rgb[s + 1] as number) + (rgb[t + 1] as number)) * factor +
        shift;
      target[at + blue] =
        ((rgb[p + 2] as number) + (rgb[q + 2] as number) + (rgb[s + 2] as number) + (rgb[t + 2] as number)) * factor +
        shift;
    }
  }
  return { a: step, b: 0, tx: -left * step, c: 0, d: step, ty: -top * step };
};
