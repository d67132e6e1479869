/** The regular pattern that a screen's pixels make on a sensor. */
import { meshBox } from './find-landmarks.ts';
import type { RgbImage } from './sample-image.ts';

const SHORTEST_PERIOD = 3;
const LONGEST_PERIOD = 12;

/**
 * How much the finest detail across the face repeats itself, −1..1: the largest autocorrelation of its second
 * difference over shifts of 3 to 12 pixels. Skin and sensor noise give about 0.
 */
export const measureMoire = ({ rgb, width, height }: RgbImage, mesh: Float32Array): number => {
  const box = meshBox(mesh);
  const left = Math.max(1, Math.round(box.x + box.width * 0.2));
  const right = Math.min(width - 1, Math.round(box.x + box.width * 0.8));
  const top = Math.max(0, Math.round(box.y + box.height * 0.2));
  const bottom = Math.min(height, Math.round(box.y + box.height * 0.8));
  const length = right - left;
  if (length < LONGEST_PERIOD * 3) return 0;
  const detail = new Float32Array(length);
  const products = new Float64Array(LONGEST_PERIOD + 1);
  for (let y = top; y < bottom; y += 4) {
    for (let i = 0; i < length; i++) {
      const at = (y * width + left + i) * 3 + 1;
      detail[i] = 2 * (rgb[at] as number) - (rgb[at - 3] as number) - (rgb[at + 3] as number);
    }
    for (let shift = 0; shift <= LONGEST_PERIOD; shift++)
      for (let i = shift; i < length; i++)
        products[shift] = (products[shift] as number) + (detail[i] as number) * (detail[i - shift] as number);
  }
  const own = products[0] || 1;
  return Math.max(...products.slice(SHORTEST_PERIOD)) / own;
};
