/**
 * What hides a part of the face: cloth, a hand, dark or shining glasses, a brim. Told by comparing spots of the face with
 * each other along its points, never with a colour of skin: ratios of brightness (in natural logarithms) and distances of
 * hue (red, green and blue as parts of their sum). The landmark model guesses the points that are covered.
 */
import type { DetectedFace } from '../models/detect-faces.ts';
import { leftEye, meshBox, meshPoint, rightEye } from '../models/find-landmarks.ts';
import type { Point } from '../picture/geometry.ts';
import type { RgbImage } from '../picture/sample-image.ts';

export type FaceCovering = {
  /** Darkest of the line between the lips over the cheeks: far below 0 where there is a mouth, about 0 on cloth and hands. */
  readonly mouthLine: number;
  /** Darkest under the nose over the cheeks: far below 0 where nostrils are seen, about 0 on cloth that covers them. */
  readonly noseLine: number;
  /** Spread of brightness over lips and what is around them: cloth and the back of a hand have little. */
  readonly mouthDetail: number;
  /** How much redder the reddest part of the lips is than what is around the mouth: 0 where no lips are seen. */
  readonly lipRedness: number;
  /** How far the hue of the lower face is from that between the eyes; cloth of any colour is far. */
  readonly lowerHue: number;
  /** The same of mouth and chin alone, for a mask that leaves the nose free. */
  readonly mouthHue: number;
  /** Brightness of the lower face over that between the eyes; black cloth is far below 0. */
  readonly lowerLight: number;
  /** Brightness of the brighter eye with its lower lid over that of cheeks and forehead: dark panes are far below 0. */
  readonly paneLight: number;
  /** Brightness of the brighter eye over them: above 0 only where something shines in front of it. */
  readonly eyeShine: number;
  /** Brightness between the eyes over that of the cheeks: in the shade of a brim far below 0. */
  readonly eyeBandLight: number;
  /** How far the forehead is from what is between the eyes, by hue and brightness: hair, a brim, a cap. */
  readonly foreheadDifference: number;
};

const betweenEyes = [168, 6, 193, 417, 122, 351];
const lowerFace = [205, 425, 164, 18, 200, 57, 287, 207, 427, 199];
const mouthAndChin = [18, 200, 199, 57, 287, 13, 14];
const lipLine = [13, 14, 78, 308, 81, 311];
const aroundMouth = [0, 11, 12, 13, 14, 15, 16, 17, 18, 164, 61, 291, 40, 270, 91, 321];
const lips = [0, 37, 267, 17, 84, 314, 40, 270, 91, 321];
const besideLips = [205, 425, 18, 200, 164, 57, 287, 186, 410, 50, 280];
const besideNose = [205, 425];
const underNose = [20, 250, 60, 290, 99, 328, 97, 326, 2];
const cheeks = [101, 330, 50, 280, 4, 205, 425];
const skin = [50, 280, 205, 425, 151, 9];
const forehead = [151, 108, 337, 9];
const lowerLids = [
  [230, 229, 231, 228],
  [450, 449, 451, 448],
] as const;
/** Radius of a spot, in widths of the face. */
const spotShare = 0.035;
/** Samples across a spot. */
const across = 5;

/** Brightness 1..256, and red, green and blue as parts of their sum. */
type Spot = { readonly light: number; readonly hue: readonly [number, number, number] };

const spotAt = ({ width, height, rgb }: RgbImage, { x, y }: Point, radius: number): Spot => {
  let [red, green, blue, count] = [0, 0, 0, 0];
  const step = Math.max(1, (radius * 2) / across);
  for (let v = y - radius; v <= y + radius; v += step)
    for (let u = x - radius; u <= x + radius; u += step) {
      const column = Math.round(u);
      const row = Math.round(v);
      if (column < 0 || row < 0 || column >= width || row >= height) continue;
      const at = (row * width + column) * 3;
      red += rgb[at] as number;
      green += rgb[at + 1] as number;
      blue += rgb[at + 2] as number;
      count++;
    }
  const sum = red + green + blue + 3;
  return { light: sum / 3 / Math.max(1, count) + 1, hue: [red / sum, green / sum, blue / sum] };
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[half] as number)
    : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2;
};
const deviation = (values: readonly number[]): number => {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
};

/** Median light and hue of several spots: one of them may lie on hair or on the rim of glasses. */
const middleOf = (spots: readonly Spot[]): Spot => ({
  light: median(spots.map(({ light }) => light)),
  hue: [0, 1, 2].map((i) => median(spots.map(({ hue }) => hue[i] as number))) as unknown as Spot['hue'],
});
const hueDistance = (a: Spot, b: Spot): number => Math.hypot(...a.hue.map((part, i) => part - (b.hue[i] as number)));

export const measureCovering = (image: RgbImage, mesh: Float32Array): FaceCovering => {
  const radius = meshBox(mesh).width * spotShare;
  const known = new Map<number, Spot>();
  const at = (index: number): Spot => {
    const spot = known.get(index) ?? spotAt(image, meshPoint(mesh, index), radius);
    known.set(index, spot);
    return spot;
  };
  const lights = (indices: readonly number[]): number[] => indices.map((index) => at(index).light);
  const reference = middleOf(betweenEyes.map(at));
  const brow = middleOf(forehead.map(at));
  const skinLight = median(lights(skin));
  const hues = (indices: readonly number[]): number =>
    median(indices.map((index) => hueDistance(at(index), reference)));
  const redness = (indices: readonly number[]): number[] => indices.map((index) => at(index).hue[0] - at(index).hue[1]);
  const brighter = (parts: readonly (readonly number[])[]): number =>
    Math.max(...parts.map((indices) => mean(lights(indices))));
  return {
    mouthLine: Math.log(Math.min(...lights(lipLine)) / mean(lights(besideNose))),
    noseLine: Math.log(Math.min(...lights(underNose)) / mean(lights(besideNose))),
    mouthDetail: deviation(lights(aroundMouth).map(Math.log)),
    lipRedness: Math.max(...redness(lips)) - median(redness(besideLips)),
    lowerHue: hues(lowerFace),
    mouthHue: hues(mouthAndChin),
    lowerLight: Math.log(median(lights(lowerFace)) / reference.light),
    paneLight: Math.log(
      brighter([
        [...leftEye, ...lowerLids[0]],
        [...rightEye, ...lowerLids[1]],
      ]) / skinLight,
    ),
    eyeShine: Math.log(Math.max(median(lights(leftEye)), median(lights(rightEye))) / skinLight),
    eyeBandLight: Math.log(reference.light / median(lights(cheeks))),
    foreheadDifference: hueDistance(brow, reference) + 0.2 * Math.abs(Math.log(brow.light / reference.light)),
  };
};

/** Parts of the way from the middle of the eyes to the mouth, and beyond it. */
const upperParts = [-0.25, 0];
const lowerParts = [0.6, 0.8, 1, 1.2, 1.35];

/**
 * How unlike the lower face is to the upper along the middle of a face that was only detected, 0.. ; above 1 seldom without
 * something that covers it. Without the landmark model's points nothing finer can be told.
 */
export const measureRoughCovering = (image: RgbImage, { box, points }: DetectedFace): number => {
  const [left, right, , mouth] = points;
  if (left === undefined || right === undefined || mouth === undefined) return 0;
  const eyes = { x: (left.x + right.x) / 2, y: (left.y + right.y) / 2 };
  const at = (part: number): Spot =>
    spotAt(
      image,
      { x: eyes.x + (mouth.x - eyes.x) * part, y: eyes.y + (mouth.y - eyes.y) * part },
      box.width * spotShare,
    );
  const reference = middleOf(upperParts.map(at));
  return median(
    lowerParts.map(at).map((spot) => {
      const light = Math.log(spot.light / reference.light);
      // Shade and beards make a lower face darker; little makes it brighter.
      return Math.hypot(
        hueDistance(spot, reference) / 0.04,
        Math.max(0, light) / 0.15,
        Math.max(0, -light - 0.45) / 0.4,
      );
    }),
  );
};
