/** Points of FaceMesh by name; left and right as seen in the picture. */
import { meshPoint } from '../models/find-landmarks.ts';

export const noseTip = 1;
export const forehead = 10;
export const upperLip = 13;
export const chin = 152;
export const leftCheek = 234;
export const rightCheek = 454;

/** In pixels of the picture. */
export const meshDistance = (mesh: Float32Array, from: number, to: number): number => {
  const [a, b] = [meshPoint(mesh, from), meshPoint(mesh, to)];
  return Math.hypot(b.x - a.x, b.y - a.y);
};
