/** What the points of a face tell of a head that turns and of eyes that shut. */
import { leftEye, meshPoint, rightEye } from '../models/find-landmarks.ts';

export type HeadSignals = {
  /** Nose between the cheeks: 0 = in the middle, ±0.5 = over a cheek; to the picture's right > 0. */
  readonly noseOffset: number;
  /** Height over width of the more open eye. */
  readonly eyeOpening: number;
  /** Width between the cheeks over height from forehead to under the nose: an open mouth changes nothing. */
  readonly breadth: number;
};

const noseTip = 1;
const leftCheek = 234;
const rightCheek = 454;
const foreheadPoint = 10;
const underNose = 2;

const between = (mesh: Float32Array, from: number, to: number): number => {
  const a = meshPoint(mesh, from);
  const b = meshPoint(mesh, to);
  return Math.hypot(b.x - a.x, b.y - a.y);
};

export const readHeadSignals = (mesh: Float32Array): HeadSignals => {
  const left = meshPoint(mesh, leftCheek);
  const right = meshPoint(mesh, rightCheek);
  const nose = meshPoint(mesh, noseTip);
  const dx = right.x - left.x;
  const dy = right.y - left.y;
  const along = ((nose.x - left.x) * dx + (nose.y - left.y) * dy) / (dx * dx + dy * dy || 1);
  const opening = ([outer, inner, upper, lower]: readonly [number, number, number, number]): number =>
    between(mesh, upper, lower) / (between(mesh, outer, inner) || 1);
  return {
    noseOffset: along - 0.5,
    eyeOpening: Math.max(opening(leftEye), opening(rightEye)),
    breadth: between(mesh, leftCheek, rightCheek) / (between(mesh, foreheadPoint, underNose) || 1),
  };
};
