/** What the points of a face tell of a head that turns and of eyes that shut. */
import { leftEye, meshPoint, rightEye } from '../models/find-landmarks.ts';
import type { Point } from '../picture/geometry.ts';
import { forehead, leftCheek, meshDistance, noseTip, rightCheek } from './mesh-points.ts';

export type HeadSignals = {
  /** Nose between the cheeks: 0 = in the middle, ±0.5 = over a cheek; to the picture's right > 0. */
  readonly noseOffset: number;
  /**
   * Place of the nose's tip in the plane through the outer corners of eyes and mouth: 0 = on the picture's left side of that quadrangle,
   * 1 = on its right. The same however a flat picture is held or turned; on a head the tip stands before that plane and moves.
   */
  readonly noseInPlane: number;
  /** Height over width of the more open eye. */
  readonly eyeOpening: number;
  /** Width between the cheeks over height from forehead to under the nose: an open mouth changes nothing. */
  readonly breadth: number;
};

/** Outer corners of the eyes, then of the mouth; in the picture from its left to its right, and back. */
const planeCorners = [33, 263, 291, 61] as const;
const underNose = 2;

/** Homogeneous coordinates: of a point, or of a line. */
type Triple = readonly [number, number, number];
const cross = ([a, b, c]: Triple, [d, e, f]: Triple): Triple => [b * f - c * e, c * d - a * f, a * e - b * d];
const dot = (a: Triple, b: Triple): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const homogeneous = ({ x, y }: Point): Triple => [x, y, 1];

/**
 * How far `point` lies from the left side (a, d) of the quadrangle a, b, c, d to its right side (b, c), once the perspective that
 * makes a square of it is undone: by the cross-ratio of lines through the point in which both sides meet.
 */
export const placeInQuadrangle = (corners: readonly [Point, Point, Point, Point], point: Point): number => {
  const [a, b, c, d] = corners.map(homogeneous) as unknown as readonly [Triple, Triple, Triple, Triple];
  const meeting = cross(cross(a, d), cross(b, c));
  const ratioOf = (at: Triple): number => dot(meeting, cross(a, at)) / (dot(meeting, cross(b, at)) || Number.EPSILON);
  // The diagonals meet in the middle.
  const ratio = ratioOf(homogeneous(point)) / (ratioOf(cross(cross(a, c), cross(b, d))) || Number.EPSILON);
  return ratio / (1 + ratio);
};

export const readHeadSignals = (mesh: Float32Array): HeadSignals => {
  const left = meshPoint(mesh, leftCheek);
  const right = meshPoint(mesh, rightCheek);
  const nose = meshPoint(mesh, noseTip);
  const dx = right.x - left.x;
  const dy = right.y - left.y;
  const along = ((nose.x - left.x) * dx + (nose.y - left.y) * dy) / (dx * dx + dy * dy || 1);
  const opening = ([outer, inner, upper, lower]: readonly [number, number, number, number]): number =>
    meshDistance(mesh, upper, lower) / (meshDistance(mesh, outer, inner) || 1);
  return {
    noseOffset: along - 0.5,
    noseInPlane: placeInQuadrangle(
      planeCorners.map((index) => meshPoint(mesh, index)) as unknown as [Point, Point, Point, Point],
      nose,
    ),
    eyeOpening: Math.max(opening(leftEye), opening(rightEye)),
    breadth: meshDistance(mesh, leftCheek, rightCheek) / (meshDistance(mesh, forehead, underNose) || 1),
  };
};
