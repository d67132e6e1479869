/** Points and planar transforms, in pixels: x to the right, y down. */

export type Point = { readonly x: number; readonly y: number };
export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** x' = a·x + b·y + tx, y' = c·x + d·y + ty */
export type Affine = {
  readonly a: number;
  readonly b: number;
  readonly tx: number;
  readonly c: number;
  readonly d: number;
  readonly ty: number;
};

export const apply = (m: Affine, { x, y }: Point): Point => ({
  x: m.a * x + m.b * y + m.tx,
  y: m.c * x + m.d * y + m.ty,
});

/** @throws Error when the transform flattens the plane */
export const invert = (m: Affine): Affine => {
  const determinant = m.a * m.d - m.b * m.c;
  if (Math.abs(determinant) < 1e-12) throw new Error('geometry: this transform has no inverse');
  const a = m.d / determinant;
  const b = -m.b / determinant;
  const c = -m.c / determinant;
  const d = m.a / determinant;
  return { a, b, tx: -(a * m.tx + b * m.ty), c, d, ty: -(c * m.tx + d * m.ty) };
};

/** How many source pixels one step of the transform covers. */
export const magnification = (m: Affine): number => Math.sqrt(Math.abs(m.a * m.d - m.b * m.c));

export const meanPoint = (points: readonly Point[]): Point => ({
  x: points.reduce((sum, { x }) => sum + x, 0) / points.length,
  y: points.reduce((sum, { y }) => sum + y, 0) / points.length,
});

/**
 * The rotation, scale and shift that carries `from` onto `to` with the least squared error (S. Umeyama 1991, in the
 * plane, without reflection). null when all of `from` lie on one point.
 */
export const leastSquaresSimilarity = (from: readonly Point[], to: readonly Point[]): Affine | null => {
  const fromMean = meanPoint(from);
  const toMean = meanPoint(to);
  let spread = 0;
  let cosine = 0;
  let sine = 0;
  for (const [i, source] of from.entries()) {
    const target = to[i];
    if (target === undefined) throw new Error('geometry: both lists must be equally long');
    const sx = source.x - fromMean.x;
    const sy = source.y - fromMean.y;
    const dx = target.x - toMean.x;
    const dy = target.y - toMean.y;
    spread += sx * sx + sy * sy;
    cosine += sx * dx + sy * dy;
    sine += sx * dy - sy * dx;
  }
  if (spread < 1e-9) return null;
  const a = cosine / spread;
  const c = sine / spread;
  return {
    a,
    b: -c,
    tx: toMean.x - a * fromMean.x + c * fromMean.y,
    c,
    d: a,
    ty: toMean.y - c * fromMean.x - a * fromMean.y,
  };
};

/** From the pixels of a `size`×`size` crop to the picture, for a square of `side` pixels around `centre`, turned by `angle` rad. */
export const squareCrop = (centre: Point, side: number, angle: number, size: number): Affine => {
  const scale = side / size;
  const a = Math.cos(angle) * scale;
  const c = Math.sin(angle) * scale;
  const half = size / 2;
  return { a, b: -c, tx: centre.x - a * half + c * half, c, d: a, ty: centre.y - c * half - a * half };
};

/** Intersection over union, 0..1. */
export const overlap = (a: Box, b: Box): number => {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
};
