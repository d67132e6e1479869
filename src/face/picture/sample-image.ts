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

/** Where the channels of a pixel stand in the input, and how a sum of samples, which weigh 65,536 each, becomes an element. */
const placesIn = ({ layout, channels, width, height, mean, scale }: InputFormat, samples: number) => {
  const channelStep = layout === 'NHWC' ? 1 : width * height;
  const [red, blue] = channels === 'RGB' ? [0, 2 * channelStep] : [2 * channelStep, 0];
  const pixelStep = layout === 'NHWC' ? 3 : 1;
  const factor = 1 / (scale * samples * 65_536);
  return { rowStep: width * pixelStep, pixelStep, red, green: channelStep, blue, factor, shift: -mean / scale };
};

/** Row `v` of a crop, from one column to before another, of `taps`×`taps` samples a pixel. */
type SampleRow = (
  image: RgbImage,
  toImage: Affine,
  row: { readonly v: number; readonly from: number; readonly to: number; readonly taps: number },
  places: ReturnType<typeof placesIn>,
  target: Float32Array,
) => void;

/**
 * Where every sample and its neighbours are inside the picture: in whole numbers from the place (in 65,536ths of a pixel, a
 * step further for each sample) to the sum, and without asking where it is, in half the time of `sampleAnywhere`.
 */
const sampleInside: SampleRow = ({ rgb, width }, { a, b, tx, c, d, ty }, { v, from, to, taps }, places, target) => {
  const { rowStep, pixelStep, red, green, blue, factor, shift } = places;
  const rowBytes = width * 3;
  const stepX = Math.round((a / taps) * 65_536) | 0;
  const stepY = Math.round((c / taps) * 65_536) | 0;
  const u0 = from + 0.5 / taps;
  for (let j = 0; j < taps; j++) {
    const v0 = v + (j + 0.5) / taps;
    // Pixel centres lie at halves: −0.5 leads to the corner of the four neighbours.
    let x = Math.floor((a * u0 + b * v0 + tx - 0.5) * 65_536) | 0;
    let y = Math.floor((c * u0 + d * v0 + ty - 0.5) * 65_536) | 0;
    let at = v * rowStep + from * pixelStep;
    for (let u = from; u < to; u++) {
      let r = 0;
      let g = 0;
      let bl = 0;
      for (let i = 0; i < taps; i++) {
        const fx = (x >> 8) & 255;
        const fy = (y >> 8) & 255;
        const w11 = Math.imul(fx, fy);
        const w10 = (fx << 8) - w11;
        const w01 = (fy << 8) - w11;
        const w00 = 65_536 - (fx << 8) - w01;
        const p = (Math.imul(y >> 16, rowBytes) + Math.imul(x >> 16, 3)) | 0;
        const q = (p + rowBytes) | 0;
        r = (r + Math.imul(rgb[p] as number, w00) + Math.imul(rgb[p + 3] as number, w10)) | 0;
        r = (r + Math.imul(rgb[q] as number, w01) + Math.imul(rgb[q + 3] as number, w11)) | 0;
        g = (g + Math.imul(rgb[p + 1] as number, w00) + Math.imul(rgb[p + 4] as number, w10)) | 0;
        g = (g + Math.imul(rgb[q + 1] as number, w01) + Math.imul(rgb[q + 4] as number, w11)) | 0;
        bl = (bl + Math.imul(rgb[p + 2] as number, w00) + Math.imul(rgb[p + 5] as number, w10)) | 0;
        bl = (bl + Math.imul(rgb[q + 2] as number, w01) + Math.imul(rgb[q + 5] as number, w11)) | 0;
        x = (x + stepX) | 0;
        y = (y + stepY) | 0;
      }
      target[at + red] = (j === 0 ? shift : (target[at + red] as number)) + r * factor;
      target[at + green] = (j === 0 ? shift : (target[at + green] as number)) + g * factor;
      target[at + blue] = (j === 0 ? shift : (target[at + blue] as number)) + bl * factor;
      at += pixelStep;
    }
  }
};

/** What lies outside of the picture is black. */
const sampleAnywhere: SampleRow = (image, { a, b, tx, c, d, ty }, { v, from, to, taps }, places, target) => {
  const { rgb, width, height } = image;
  const { rowStep, pixelStep, red, green, blue, factor, shift } = places;
  const rowBytes = width * 3;
  let at = v * rowStep + from * pixelStep;
  for (let u = from; u < to; u++, at += pixelStep) {
    let r = 0;
    let g = 0;
    let bl = 0;
    for (let tap = 0; tap < taps * taps; tap++) {
      const u0 = u + ((tap % taps) + 0.5) / taps;
      const v0 = v + (Math.floor(tap / taps) + 0.5) / taps;
      const x = a * u0 + b * v0 + tx - 0.5;
      const y = c * u0 + d * v0 + ty - 0.5;
      if (x <= -1 || y <= -1 || x >= width || y >= height) continue;
      const x256 = Math.floor(x * 256) | 0;
      const y256 = Math.floor(y * 256) | 0;
      const fx = x256 & 255;
      const fy = y256 & 255;
      const xa = Math.max(x256 >> 8, 0) * 3;
      const xb = Math.min((x256 >> 8) + 1, width - 1) * 3;
      const ya = Math.max(y256 >> 8, 0) * rowBytes;
      const yb = Math.min((y256 >> 8) + 1, height - 1) * rowBytes;
      const of = (channel: number): number =>
        ((rgb[ya + xa + channel] as number) * (256 - fx) + (rgb[ya + xb + channel] as number) * fx) * (256 - fy) +
        ((rgb[yb + xa + channel] as number) * (256 - fx) + (rgb[yb + xb + channel] as number) * fx) * fy;
      r += of(0);
      g += of(1);
      bl += of(2);
    }
    target[at + red] = r * factor + shift;
    target[at + green] = g * factor + shift;
    target[at + blue] = bl * factor + shift;
  }
};

/** The columns of row `v` (first, and the one behind the last) whose samples and their neighbours are all inside the picture. */
const columnsInside = ({ width, height }: RgbImage, m: Affine, v: number, columns: number): [number, number] => {
  let [from, to] = [0, columns];
  /** `slope`·u + `start` is to stay between 1 and `most`. */
  const keepBetween = (slope: number, start: number, most: number): void => {
    if (slope === 0) {
      if (start < 1 || start > most) to = 0;
      return;
    }
    const one = (1 - start) / slope;
    const other = (most - start) / slope;
    from = Math.max(from, Math.ceil(Math.min(one, other)));
    // A column reaches from u to u + 1.
    to = Math.min(to, Math.floor(Math.max(one, other) - 1));
  };
  for (const edge of [v, v + 1]) {
    keepBetween(m.a, m.b * edge + m.tx, width - 2);
    keepBetween(m.c, m.d * edge + m.ty, height - 2);
  }
  return from < to ? [from, to] : [0, 0];
};

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
  const places = placesIn(format, taps * taps);
  for (let v = 0; v < format.height; v++) {
    const [from, to] = columnsInside(image, toImage, v, format.width);
    if (from > 0) sampleAnywhere(image, toImage, { v, from: 0, to: from, taps }, places, target);
    sampleInside(image, toImage, { v, from, to, taps }, places, target);
    if (to < format.width) sampleAnywhere(image, toImage, { v, from: to, to: format.width, taps }, places, target);
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
