/** The two upright edges of whatever a picture of a face is shown on: no sheet or screen that a hand holds fills the camera's view. */
import { meshBox } from '../models/find-landmarks.ts';
import type { RgbImage } from '../picture/sample-image.ts';

/** How far to either side of a face an edge is looked for, in widths of the face. */
const reach = { from: 0.02, to: 1.3 } as const;
/** Above and below the face, in its heights: an edge runs all along it. */
const beyond = 0.1;
/** Rows looked at. */
const rows = 24;
/** Pixels from line to line that is tried. */
const step = 3;
/** How far an edge leans at most, in parts of its length: about 11°. */
const mostLean = 0.2;
const leans = 12;
/** Brightness across an edge, from two pixels before it to two behind. Noise of a sensor gives a few. */
const leastContrast = 12;

/** Part of the rows in which the straightest edge on one side is seen with the same sign of contrast, 0..1. */
const straightest = (gradients: Int16Array, width: number, from: number, to: number, span: number): number => {
  let best = 0;
  for (let lean = -leans; lean <= leans; lean++) {
    const perRow = (lean / leans) * mostLean * (span / (rows - 1));
    for (let x = from; x < to; x += step) {
      let [brighter, darker] = [0, 0];
      for (let row = 0; row < rows; row++) {
        const column = Math.round(x + perRow * (row - rows / 2));
        if (column < 0 || column >= width) continue;
        const contrast = gradients[row * width + column] as number;
        if (contrast > leastContrast) brighter++;
        else if (contrast < -leastContrast) darker++;
      }
      best = Math.max(best, brighter, darker);
    }
  }
  return best / rows;
};

/** 0..1: how surely a straight edge runs along both sides of the face, of the less sure one. */
export const measureRim = ({ rgb, width, height }: RgbImage, mesh: Float32Array): number => {
  const face = meshBox(mesh);
  const top = Math.max(0, face.y - beyond * face.height);
  const bottom = Math.min(height - 1, face.y + (1 + beyond) * face.height);
  const gradients = new Int16Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const y = Math.round(top + ((bottom - top) * row) / (rows - 1));
    for (let x = 2; x < width - 2; x++) {
      const at = (y * width + x) * 3 + 1;
      gradients[row * width + x] = (rgb[at + 6] as number) - (rgb[at - 6] as number);
    }
  }
  const inside = (x: number): number => Math.round(Math.min(width - 3, Math.max(2, x)));
  const left = straightest(
    gradients,
    width,
    inside(face.x - reach.to * face.width),
    inside(face.x - reach.from * face.width),
    bottom - top,
  );
  const beside = face.x + face.width;
  const right = straightest(
    gradients,
    width,
    inside(beside + reach.from * face.width),
    inside(beside + reach.to * face.width),
    bottom - top,
  );
  return Math.min(left, right);
};
