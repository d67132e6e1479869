/** The regular pattern that a screen's pixels make on a sensor. */
import { meshBox } from '../models/find-landmarks.ts';
import type { RgbImage } from '../picture/sample-image.ts';

const shortestPeriod = 3;
const longestPeriod = 12;

/**
 * How much the finest detail across the face repeats itself, −1..1: the largest autocorrelation of its second
 * difference over shifts of 3 to 12 pixels, along rows or along columns. Skin and sensor noise give about 0.
 */
export const measureMoire = ({ rgb, width, height }: RgbImage, mesh: Float32Array): number => {
  const box = meshBox(mesh);
  const left = Math.max(1, Math.round(box.x + box.width * 0.2));
  const right = Math.min(width - 1, Math.round(box.x + box.width * 0.8));
  const top = Math.max(1, Math.round(box.y + box.height * 0.2));
  const bottom = Math.min(height - 1, Math.round(box.y + box.height * 0.8));
  const first = (top * width + left) * 3 + 1;
  const rows = { step: 3, length: right - left, lineStep: width * 3, lines: bottom - top };
  const columns = { step: width * 3, length: bottom - top, lineStep: 3, lines: right - left };
  return Math.max(...[rows, columns].map((lines) => repetition(rgb, first, lines)));
};

/** Steps in bytes from pixel to pixel and from line to line; every fourth line is looked at. */
type Lines = {
  readonly step: number;
  readonly length: number;
  readonly lineStep: number;
  readonly lines: number;
};

const repetition = (rgb: Uint8Array, first: number, { step, length, lineStep, lines }: Lines): number => {
  if (length < longestPeriod * 3) return 0;
  const detail = new Float32Array(length);
  const products = new Float64Array(longestPeriod + 1);
  for (let line = 0; line < lines; line += 4) {
    for (let i = 0; i < length; i++) {
      const at = first + line * lineStep + i * step;
      detail[i] = 2 * (rgb[at] as number) - (rgb[at - step] as number) - (rgb[at + step] as number);
    }
    for (let shift = 0; shift <= longestPeriod; shift++) {
      let sum = 0;
      for (let i = shift; i < length; i++) sum += (detail[i] as number) * (detail[i - shift] as number);
      products[shift] = (products[shift] as number) + sum;
    }
  }
  const own = products[0] || 1;
  return Math.max(...products.slice(shortestPeriod)) / own;
};
