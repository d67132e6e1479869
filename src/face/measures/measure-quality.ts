/** What a frame is worth for a comparison, and why: measured on the frame, the face's points and the aligned crop. */
import type { DetectedFace } from '../models/detect-faces.ts';
import { type Landmarks, leftEye, meanMeshPoint, meshBox, meshPoint, rightEye } from '../models/find-landmarks.ts';
import type { Box } from '../picture/geometry.ts';
import type { InputFormat, RgbImage } from '../picture/sample-image.ts';
import { type FaceCovering, measureCovering } from './measure-covering.ts';
import { chin, forehead, leftCheek, meshDistance, noseTip, rightCheek, upperLip } from './mesh-points.ts';

export type FrameQuality = FaceCovering & {
  /** How sure the detector is, 0.5..1: of a free face that looks into the camera more than of anything else. */
  readonly confidence: number;
  /** The largest face, and others that are at least half as wide. */
  readonly people: number;
  /** Width of the face over width of the picture. */
  readonly faceWidth: number;
  /** Middle of the face in the picture: −0.5 = left or upper edge, 0.5 = right or lower edge. */
  readonly centreX: number;
  readonly centreY: number;
  /** Parts of the face's width and height that lie outside of the picture. */
  readonly beyond: { readonly left: number; readonly right: number; readonly above: number; readonly below: number };
  /** Degrees; yaw > 0 = the face turns to the picture's right, pitch > 0 = down, roll > 0 = clockwise. */
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
  /** Where the tip of the nose stands from the line of the eyes (0) to the chin (1): lower in a head that is bent down. */
  readonly noseDown: number;
  /** From the tip of the nose over the mouth to the chin, over the distance of the cheeks: short in a head that is bent down. */
  readonly lowerLength: number;
  /** Mean brightness, 0..255. */
  readonly faceLight: number;
  readonly surroundingLight: number;
};

const degrees = 180 / Math.PI;
/** A person this much smaller than the patient stands in the waiting room, not at the counter. */
const bystanderWidth = 0.5;
/** Hair and what is behind a face are taken for another one at up to 0.51; portraits with painted masks give 0.55 and more. */
const leastSureOther = 0.55;

const depth = (mesh: Float32Array, from: number, to: number, axis: 0 | 1): number =>
  Math.atan2(
    (mesh[to * 3 + 2] as number) - (mesh[from * 3 + 2] as number),
    (mesh[to * 3 + axis] as number) - (mesh[from * 3 + axis] as number),
  ) * degrees;

/** Degrees, of the head in the picture. */
const measurePose = (mesh: Float32Array): { yaw: number; pitch: number; roll: number } => {
  const left = meanMeshPoint(mesh, leftEye);
  const right = meanMeshPoint(mesh, rightEye);
  return {
    yaw: -depth(mesh, leftCheek, rightCheek, 0),
    pitch: depth(mesh, forehead, chin, 1),
    roll: Math.atan2(right.y - left.y, right.x - left.x) * degrees,
  };
};

/** Along the axis of the face, so that a tilted head changes nothing. */
const measureNoseDown = (mesh: Float32Array): number => {
  const [left, right] = [meanMeshPoint(mesh, leftEye), meanMeshPoint(mesh, rightEye)];
  const eyes = { x: (left.x + right.x) / 2, y: (left.y + right.y) / 2 };
  const end = meshPoint(mesh, chin);
  const nose = meshPoint(mesh, noseTip);
  const axis = { x: end.x - eyes.x, y: end.y - eyes.y };
  const length = axis.x ** 2 + axis.y ** 2 || 1;
  return ((nose.x - eyes.x) * axis.x + (nose.y - eyes.y) * axis.y) / length;
};

const measureLowerLength = (mesh: Float32Array): number =>
  (meshDistance(mesh, noseTip, upperLip) + meshDistance(mesh, upperLip, chin)) /
  (meshDistance(mesh, leftCheek, rightCheek) || 1);

/** Mean of the green channel, which is close to brightness, over a grid of at most 32×32 points of the box. */
const meanLight = ({ width, height, rgb }: RgbImage, box: Box, skip?: Box): number => {
  let sum = 0;
  let count = 0;
  const stepX = Math.max(1, box.width / 32);
  const stepY = Math.max(1, box.height / 32);
  for (let y = Math.max(0, box.y); y < Math.min(height, box.y + box.height); y += stepY) {
    for (let x = Math.max(0, box.x); x < Math.min(width, box.x + box.width); x += stepX) {
      const inSkip =
        skip !== undefined && x >= skip.x && x < skip.x + skip.width && y >= skip.y && y < skip.y + skip.height;
      if (inSkip) continue;
      sum += rgb[(Math.floor(y) * width + Math.floor(x)) * 3 + 1] as number;
      count++;
    }
  }
  return count === 0 ? 0 : sum / count;
};

const scaled = ({ x, y, width, height }: Box, factor: number): Box => ({
  x: x + (width * (1 - factor)) / 2,
  y: y + (height * (1 - factor)) / 2,
  width: width * factor,
  height: height * factor,
});

/** What the detector and the landmark model found. */
type Found = { readonly face: DetectedFace; readonly faces: readonly DetectedFace[]; readonly landmarks: Landmarks };

export const measureQuality = (image: RgbImage, { face: { confidence }, faces, landmarks }: Found): FrameQuality => {
  const { mesh } = landmarks;
  const box = meshBox(mesh);
  const largest = faces.reduce((widest, face) => (face.box.width > widest.box.width ? face : widest));
  return {
    confidence,
    people: faces.filter(
      (face) =>
        face === largest || (face.box.width >= largest.box.width * bystanderWidth && face.confidence >= leastSureOther),
    ).length,
    faceWidth: box.width / image.width,
    centreX: (box.x + box.width / 2) / image.width - 0.5,
    centreY: (box.y + box.height / 2) / image.height - 0.5,
    beyond: {
      left: Math.max(0, -box.x) / box.width,
      right: Math.max(0, box.x + box.width - image.width) / box.width,
      above: Math.max(0, -box.y) / box.height,
      below: Math.max(0, box.y + box.height - image.height) / box.height,
    },
    ...measurePose(mesh),
    noseDown: measureNoseDown(mesh),
    lowerLength: measureLowerLength(mesh),
    ...measureCovering(image, mesh),
    faceLight: meanLight(image, scaled(box, 0.7)),
    surroundingLight: meanLight(image, { x: 0, y: 0, width: image.width, height: image.height }, scaled(box, 1.6)),
  };
};

/** Steps in pixels across which second differences are taken: along rows, columns and both diagonals. */
const directions = [
  [1, 0],
  [0, 1],
  [1, 1],
  [1, -1],
] as const;
/**
 * A face has more detail up and down (eyes, mouth) than from side to side: what each direction usually gives, relative to
 * the least.
 */
const usualDetail = [1, 1.35, 1.6, 1.6];
/** Upper and lower half of what is looked at, parts of the crop's height: a mask or a brim has no detail, but hides one only. */
const halves = [
  [0.25, 0.58],
  [0.58, 0.9],
] as const;

/**
 * How sharp the aligned crop is: mean absolute second difference of brightness relative to its contrast, in the direction
 * that has least, as a head or a camera that moved smears along one; of the half of the face that has more. The crop has a
 * fixed size, so distance plays no part.
 */
export const measureSharpness = (crop: Float32Array, { width, height, layout }: InputFormat): number => {
  if (layout !== 'NCHW') throw new Error('measure-quality: an aligned crop is expected channel by channel');
  const green = width * height;
  const sharpnessOf = ([from, to]: readonly [number, number]): number => {
    const detail = directions.map(() => 0);
    let [sum, squares, count] = [0, 0, 0];
    for (let y = Math.round(height * from); y < height * to; y++)
      for (let x = Math.round(width * 0.2); x < width * 0.8; x++) {
        const at = green + y * width + x;
        const here = crop[at] as number;
        for (let i = 0; i < directions.length; i++) {
          const [dx, dy] = directions[i] as readonly [number, number];
          const step = dy * width + dx;
          detail[i] =
            (detail[i] as number) + Math.abs((crop[at - step] as number) + (crop[at + step] as number) - 2 * here);
        }
        sum += here;
        squares += here * here;
        count++;
      }
    const contrast = Math.sqrt(Math.max(1e-6, squares / count - (sum / count) ** 2));
    return Math.min(...detail.map((value, i) => value / count / contrast / (usualDetail[i] as number)));
  };
  return Math.max(...halves.map(sharpnessOf));
};
