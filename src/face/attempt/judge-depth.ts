/** A head stands out from every plane, a sheet and a screen lie in one; and a screen is dark in near infrared. */
import type { DepthFrame } from '../../ports/depth-camera.ts';
import type { Box } from '../picture/geometry.ts';
import type { DepthVerdict } from './weigh-evidence.ts';

/** Points looked at across and down the face. */
const grid = 24;
/** With fewer of them measured there is nothing to judge by. */
const minMeasured = 0.5;
/** Of the face's box: its corners show hair and what is behind. */
const innerShare = 0.7;
/**
 * Root mean square distance of that part from its best plane. A nose 20 mm before cheeks that fall back by 40 to the
 * ears gives 9, a sheet the sensor's noise of some millimetres, a sheet bent around a bottle (radius 100 mm) 4.
 * Computed, not measured: to be measured with the sensor that is chosen.
 */
const headMm = 6;
const sheetMm = 5;
/** Skin throws back half of the lamp's light at 850 nm; a screen's glass shows the lamp nothing. */
const darkInfrared = 20;

const inner = (part: number): number => 0.5 + (part - 0.5) * innerShare;

/** Least squares plane z = a·x + b·y + c over points centred to mean 0; gives the root mean square distance from it. */
const reliefOf = (points: readonly (readonly [number, number, number])[]): number => {
  const mean = [0, 1, 2].map((axis) => points.reduce((sum, point) => sum + (point[axis] as number), 0) / points.length);
  const centred = points.map((point) => point.map((value, axis) => value - (mean[axis] as number)));
  const moment = (i: number, j: number): number =>
    centred.reduce((sum, point) => sum + (point[i] as number) * (point[j] as number), 0);
  const [xx, xy, yy, xz, yz] = [moment(0, 0), moment(0, 1), moment(1, 1), moment(0, 2), moment(1, 2)];
  const determinant = xx * yy - xy * xy || 1;
  const a = (xz * yy - yz * xy) / determinant;
  const b = (yz * xx - xz * xy) / determinant;
  const squares = centred.reduce((sum, [x = 0, y = 0, z = 0]) => sum + (z - a * x - b * y) ** 2, 0);
  return Math.sqrt(squares / points.length);
};

/** `face`: in parts of the colour picture's width and height (0..1), which are the same parts of the depth picture. */
export const judgeDepth = ({ width, height, depthMm, infrared }: DepthFrame, face: Box): DepthVerdict => {
  const points: [number, number, number][] = [];
  let infraredSum = 0;
  for (let row = 0; row < grid; row++)
    for (let column = 0; column < grid; column++) {
      const x = Math.floor((face.x + inner((column + 0.5) / grid) * face.width) * width);
      const y = Math.floor((face.y + inner((row + 0.5) / grid) * face.height) * height);
      if (x < 0 || y < 0 || x >= width || y >= height) continue;
      const depth = depthMm[y * width + x] as number;
      infraredSum += infrared?.[y * width + x] ?? 0;
      if (depth > 0) points.push([column, row, depth]);
    }
  if (infrared !== undefined && infraredSum / grid ** 2 < darkInfrared) return 'attack';
  if (points.length < minMeasured * grid ** 2) return 'unclear';
  const reliefMm = reliefOf(points);
  return reliefMm >= headMm ? 'bona-fide' : reliefMm < sheetMm ? 'attack' : 'unclear';
};
