/** Are eyes or mouth hidden? Told by comparing their colour with that of the bridge of the nose and the cheeks. */
import { leftEye, meanMeshPoint, meshBox, meshPoint, rightEye } from '../models/find-landmarks.ts';
import type { Point } from '../picture/geometry.ts';
import type { RgbImage } from '../picture/sample-image.ts';

export type FaceCovering = {
  /** Brightness of the brighter eye over that of the skin: dark glasses give little. */
  readonly eyeLight: number;
  /** How much less red the mouth and what is around it is than the skin, of all its light; cloth gives much. */
  readonly mouthPallor: number;
};

const noseBridge = [168, 6] as const;
const upperCheeks = [101, 330] as const;
const aroundMouth = [164, 13, 18, 200] as const;
/** Radius of a spot, in widths of the face. */
const spotShare = 0.05;

type Colour = { readonly red: number; readonly green: number; readonly blue: number };

const spotColour = ({ width, height, rgb }: RgbImage, { x, y }: Point, radius: number): Colour => {
  let red = 0;
  let green = 0;
  let blue = 0;
  let count = 0;
  const step = Math.max(1, Math.floor(radius / 4));
  for (let v = Math.max(0, Math.round(y - radius)); v <= Math.min(height - 1, y + radius); v += step) {
    for (let u = Math.max(0, Math.round(x - radius)); u <= Math.min(width - 1, x + radius); u += step) {
      const at = (v * width + u) * 3;
      red += rgb[at] as number;
      green += rgb[at + 1] as number;
      blue += rgb[at + 2] as number;
      count++;
    }
  }
  return count === 0 ? { red: 0, green: 0, blue: 0 } : { red: red / count, green: green / count, blue: blue / count };
};

const lightOf = ({ red, green, blue }: Colour): number => (red + green + blue) / 3;
const rednessOf = ({ red, green, blue }: Colour): number => (red - blue) / (red + green + blue + 1);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export const measureCovering = (image: RgbImage, mesh: Float32Array): FaceCovering => {
  const radius = meshBox(mesh).width * spotShare;
  const at = (index: number): Colour => spotColour(image, meshPoint(mesh, index), radius);
  const eye = (indices: readonly number[]): number => lightOf(spotColour(image, meanMeshPoint(mesh, indices), radius));
  const skin = [...noseBridge, ...upperCheeks].map(at);
  return {
    eyeLight: Math.max(eye(leftEye), eye(rightEye)) / (mean(skin.map(lightOf)) + 1),
    mouthPallor:
      mean(noseBridge.map((index) => rednessOf(at(index)))) - mean(aroundMouth.map((index) => rednessOf(at(index)))),
  };
};
