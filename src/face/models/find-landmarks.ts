/** FaceMesh: 468 points of one face. */

import { type Affine, apply, type Box, meanPoint, type Point, squareCrop } from '../picture/geometry.ts';
import { type RgbImage, sampleInto, sampleRoughlyInto } from '../picture/sample-image.ts';
import type { DetectedFace } from './detect-faces.ts';
import type { ModelSession } from './model-session.ts';

export type Landmarks = {
  /** 468 × (x, y, z): x and y in picture pixels, z in the same unit, smaller = nearer to the camera. */
  readonly mesh: Float32Array;
  /** Surely a face: 0..1 */
  readonly confidence: number;
};

export const meshPoints = 468;
/** As seen in the picture. */
export const leftEye = [33, 133, 159, 145] as const;
export const rightEye = [362, 263, 386, 374] as const;

/** The model was trained on squares half as large again as the face. */
const margin = 1.5;

export const meshPoint = (mesh: Float32Array, index: number): Point => ({
  x: mesh[index * 3] as number,
  y: mesh[index * 3 + 1] as number,
});

export const meanMeshPoint = (mesh: Float32Array, indices: readonly number[]): Point =>
  meanPoint(indices.map((index) => meshPoint(mesh, index)));

export const meshBox = (mesh: Float32Array): Box => {
  let left = Number.POSITIVE_INFINITY;
  let top = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < meshPoints * 3; i += 3) {
    const x = mesh[i] as number;
    const y = mesh[i + 1] as number;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
};

const angleBetween = (left: Point, right: Point): number => Math.atan2(right.y - left.y, right.x - left.x);

const cropAround = ({ x, y, width, height }: Box, angle: number, size: number): Affine =>
  squareCrop({ x: x + width / 2, y: y + height / 2 }, margin * Math.max(width, height), angle, size);

/** The crop to look at for a face that a detector found. */
export const cropOfDetection = ({ box, points }: DetectedFace, size: number): Affine => {
  const [left, right] = points;
  return cropAround(box, left === undefined || right === undefined ? 0 : angleBetween(left, right), size);
};

/** The crop to look at for a face whose points are known, from an earlier pass or an earlier frame. */
const cropOfMesh = (mesh: Float32Array, size: number): Affine =>
  cropAround(meshBox(mesh), angleBetween(meanMeshPoint(mesh, leftEye), meanMeshPoint(mesh, rightEye)), size);

/** Looks at the crop that is in the model's input. */
const readMesh = async (landmarker: ModelSession, crop: Affine): Promise<Landmarks> => {
  const [points, flag] = await landmarker.run();
  if (points === undefined || flag === undefined) throw new Error('find-landmarks: the model lacks an output');
  const depthScale = Math.hypot(crop.a, crop.c);
  const mesh = new Float32Array(meshPoints * 3);
  for (let i = 0; i < mesh.length; i += 3) {
    const { x, y } = apply(crop, { x: points[i] as number, y: points[i + 1] as number });
    mesh[i] = x;
    mesh[i + 1] = y;
    mesh[i + 2] = (points[i + 2] as number) * depthScale;
  }
  return { mesh, confidence: flag[0] ?? 0 };
};

/** Looks at `crop` roughly, then at the square around what was found, which is cut exactly. */
export const findLandmarks = async (landmarker: ModelSession, image: RgbImage, crop: Affine): Promise<Landmarks> => {
  const { input } = landmarker.entry;
  sampleRoughlyInto(image, crop, input, landmarker.input);
  const rough = await readMesh(landmarker, crop);
  const exactCrop = cropOfMesh(rough.mesh, input.width);
  rough.mesh.fill(0);
  sampleInto(image, exactCrop, input, landmarker.input, 1);
  return readMesh(landmarker, exactCrop);
};
