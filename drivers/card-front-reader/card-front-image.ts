import type { Frame } from '../../src/ports/camera.ts';
import { type Box, cardSize } from './card-front-layout.ts';

/** 8-bit grey, row by row. */
export type GreyPicture = { readonly width: number; readonly height: number; readonly grey: Uint8Array };

type Point = { readonly x: number; readonly y: number };

/** The card in a picture: its upper left corner and the two directions of its edges, in pixels for each mm. */
export type CardPlace = { readonly corner: Point; readonly right: Point; readonly down: Point };

/** Luma of ITU-R BT.601. */
export const toGrey = ({ width, height, rgb }: Frame): GreyPicture => {
  const grey = new Uint8Array(width * height);
  for (let index = 0; index < grey.length; index++)
    grey[index] =
      ((rgb[index * 3] ?? 0) * 299 + (rgb[index * 3 + 1] ?? 0) * 587 + (rgb[index * 3 + 2] ?? 0) * 114) / 1000;
  return { width, height, grey };
};

/** Mean of blocks of `factor` × `factor` pixels. */
const shrink = ({ width, height, grey }: GreyPicture, factor: number): GreyPicture => {
  const [newWidth, newHeight] = [Math.floor(width / factor), Math.floor(height / factor)];
  const small = new Uint8Array(newWidth * newHeight);
  for (let y = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      let sum = 0;
      for (let dy = 0; dy < factor; dy++)
        for (let dx = 0; dx < factor; dx++) sum += grey[(y * factor + dy) * width + x * factor + dx] ?? 0;
      small[y * newWidth + x] = sum / (factor * factor);
    }
  }
  return { width: newWidth, height: newHeight, grey: small };
};

/** Otsu's threshold: the one that parts the histogram into the two most distinct classes. */
export const otsuThreshold = (grey: Uint8Array): number => {
  const histogram = new Array<number>(256).fill(0);
  for (const value of grey) histogram[value] = (histogram[value] ?? 0) + 1;
  const total = histogram.reduce((sum, count, value) => sum + count * value, 0);
  let [below, sumBelow, best, threshold] = [0, 0, -1, 127];
  for (let value = 0; value < 256; value++) {
    below += histogram[value] ?? 0;
    sumBelow += (histogram[value] ?? 0) * value;
    const above = grey.length - below;
    if (below === 0 || above === 0) continue;
    const difference = sumBelow / below - (total - sumBelow) / above;
    const variance = below * above * difference * difference;
    if (variance > best) [best, threshold] = [variance, value];
  }
  return threshold;
};

/** The pixels of the largest bright area that are its row ends: enough for its convex hull. */
const largestBrightArea = ({ width, height, grey }: GreyPicture): readonly Point[] => {
  const threshold = otsuThreshold(grey);
  const label = new Int32Array(width * height);
  const queue = new Int32Array(width * height);
  let [best, bestSize] = [0, 0];
  let next = 0;
  for (let start = 0; start < grey.length; start++) {
    if (label[start] !== 0 || (grey[start] ?? 0) <= threshold) continue;
    next++;
    let [head, tail] = [0, 0];
    queue[tail++] = start;
    label[start] = next;
    while (head < tail) {
      const at = queue[head++] ?? 0;
      const x = at % width;
      for (const [neighbour, isInside] of [
        [at - 1, x > 0],
        [at + 1, x < width - 1],
        [at - width, at >= width],
        [at + width, at < grey.length - width],
      ] as const) {
        if (!isInside || label[neighbour] !== 0 || (grey[neighbour] ?? 0) <= threshold) continue;
        label[neighbour] = next;
        queue[tail++] = neighbour;
      }
    }
    if (tail > bestSize) [best, bestSize] = [next, tail];
  }
  const ends: Point[] = [];
  for (let y = 0; y < height; y++) {
    const row = label.subarray(y * width, (y + 1) * width);
    const first = row.indexOf(best);
    if (best === 0 || first < 0) continue;
    ends.push({ x: first, y }, { x: row.lastIndexOf(best) + 1, y }, { x: first, y: y + 1 });
  }
  return ends;
};

/** Convex hull (Andrew's monotone chain). */
const hullOf = (points: readonly Point[]): readonly Point[] => {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  const chain = (ordered: readonly Point[]): Point[] => {
    const hull: Point[] = [];
    for (const point of ordered) {
      for (;;) {
        const [before, last] = [hull.at(-2), hull.at(-1)];
        if (before === undefined || last === undefined) break;
        const turn = (last.x - before.x) * (point.y - before.y) - (last.y - before.y) * (point.x - before.x);
        if (turn > 0) break;
        hull.pop();
      }
      hull.push(point);
    }
    return hull.slice(0, -1);
  };
  return [...chain(sorted), ...chain(sorted.reverse())];
};

const aspect = cardSize.width / cardSize.height;

/**
 * Finds a card on a darker bed seen from straight above: the rectangle of least area around the largest bright area, if
 * it has a card's proportions and is large enough to be read. Two places are given, the second one turned by 180°.
 */
export const findCard = (picture: GreyPicture): readonly CardPlace[] => {
  const factor = 2;
  const points = hullOf(largestBrightArea(shrink(picture, factor)));
  let best = { area: Number.POSITIVE_INFINITY, angle: 0, left: 0, right: 0, top: 0, bottom: 0 };
  for (let angle = 0; angle < 90; angle += 0.2) {
    const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
    const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
    for (const { x, y } of points) {
      const [along, across] = [x * cos + y * sin, y * cos - x * sin];
      box.left = Math.min(box.left, along);
      box.right = Math.max(box.right, along);
      box.top = Math.min(box.top, across);
      box.bottom = Math.max(box.bottom, across);
    }
    const area = (box.right - box.left) * (box.bottom - box.top);
    if (area < best.area) best = { area, angle, ...box };
  }
  const [long, short] = [best.right - best.left, best.bottom - best.top].map((side) => side * factor) as [
    number,
    number,
  ];
  const isUpright = long >= short;
  const [width, height] = isUpright ? [long, short] : [short, long];
  // A card in a case, half out of the picture or far away is none.
  if (points.length === 0 || Math.abs(width / height / aspect - 1) > 0.05 || width < picture.width * 0.4) return [];
  const turn = (along: number, across: number): Point => {
    const [cos, sin] = [Math.cos((best.angle * Math.PI) / 180), Math.sin((best.angle * Math.PI) / 180)];
    return { x: (along * cos - across * sin) * factor, y: (along * sin + across * cos) * factor };
  };
  const corners = [
    turn(best.left, best.top),
    turn(best.right, best.top),
    turn(best.right, best.bottom),
    turn(best.left, best.bottom),
  ] as const;
  const place = (at: Point, rightEnd: Point, downEnd: Point): CardPlace => ({
    corner: at,
    right: { x: (rightEnd.x - at.x) / cardSize.width, y: (rightEnd.y - at.y) / cardSize.width },
    down: { x: (downEnd.x - at.x) / cardSize.height, y: (downEnd.y - at.y) / cardSize.height },
  });
  const [a, b, c, d] = corners;
  return isUpright ? [place(a, b, d), place(c, d, b)] : [place(b, c, a), place(d, a, c)];
};

/** A box of the card, straightened, at so many pixels for each mm (bilinear). */
export const cutOut = (
  picture: GreyPicture,
  { corner, right, down }: CardPlace,
  box: Box,
  pixelsPerMm: number,
): GreyPicture => {
  const [width, height] = [Math.round(box.width * pixelsPerMm), Math.round(box.height * pixelsPerMm)];
  const grey = new Uint8Array(width * height);
  const pixel = (x: number, y: number): number =>
    picture.grey[
      Math.min(picture.height - 1, Math.max(0, y)) * picture.width + Math.min(picture.width - 1, Math.max(0, x))
    ] ?? 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [mmX, mmY] = [box.x + (column + 0.5) / pixelsPerMm, box.y + (row + 0.5) / pixelsPerMm];
      const x = corner.x + right.x * mmX + down.x * mmY - 0.5;
      const y = corner.y + right.y * mmX + down.y * mmY - 0.5;
      const [x0, y0] = [Math.floor(x), Math.floor(y)];
      const [fx, fy] = [x - x0, y - y0];
      grey[row * width + column] =
        (pixel(x0, y0) * (1 - fx) + pixel(x0 + 1, y0) * fx) * (1 - fy) +
        (pixel(x0, y0 + 1) * (1 - fx) + pixel(x0 + 1, y0 + 1) * fx) * fy;
    }
  }
  return { width, height, grey };
};

/** Standard deviation of the brightness: a photo has much, a plain part of the card little. */
export const contrastOf = ({ grey }: GreyPicture): number => {
  const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length;
  return Math.sqrt(grey.reduce((sum, value) => sum + (value - mean) ** 2, 0) / grey.length);
};

/** Binary PGM (P5): what tesseract takes without another encoder. */
export const toPgm = ({ width, height, grey }: GreyPicture): Buffer =>
  Buffer.concat([Buffer.from(`P5\n${width} ${height}\n255\n`), grey]);
