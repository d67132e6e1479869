/** BlazeFace (back camera, 256×256): boxes and six points of every face in the picture. */
import { type Affine, apply, type Box, overlap, type Point } from '../picture/geometry.ts';
import { letterboxInto, type RgbImage } from '../picture/sample-image.ts';
import type { ModelSession } from './model-session.ts';

export type DetectedFace = {
  readonly box: Box;
  /** 0.5..1 */
  readonly confidence: number;
  /** As seen in the picture: left eye, right eye, nose, mouth, left ear, right ear. */
  readonly points: readonly Point[];
};

const inputSize = 256;
/** Strides of the two grids, and how many anchors each of their cells has. */
const gridSizes = [
  { stride: 16, anchorsPerCell: 2 },
  { stride: 32, anchorsPerCell: 6 },
] as const;
const minConfidence = 0.5;
const mostOverlap = 0.3;
const valuesPerAnchor = 16;

/** Centres of the anchors of one grid, in input pixels, in the order of the model's outputs. */
const anchorsOf = ({ stride, anchorsPerCell }: (typeof gridSizes)[number]): Float32Array => {
  const cells = inputSize / stride;
  const anchors = new Float32Array(cells * cells * anchorsPerCell * 2);
  let at = 0;
  for (let row = 0; row < cells; row++)
    for (let column = 0; column < cells; column++)
      for (let i = 0; i < anchorsPerCell; i++) {
        anchors[at++] = (column + 0.5) * stride;
        anchors[at++] = (row + 0.5) * stride;
      }
  return anchors;
};
const anchorGrid = gridSizes.map(anchorsOf);

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Non-maximum suppression: the surest first; what overlaps a surer one by more than `maxOverlap` is the same face. */
export const suppressOverlaps = <T extends { box: Box; confidence: number }>(
  faces: readonly T[],
  maxOverlap: number = mostOverlap,
): T[] => {
  const kept: T[] = [];
  for (const face of [...faces].sort((a, b) => b.confidence - a.confidence))
    if (kept.every((other) => overlap(face.box, other.box) <= maxOverlap)) kept.push(face);
  return kept;
};

/** Raw values of one anchor are offsets from its centre: cx, cy, width, height, then six points. */
const decodeAnchor = (raw: Float32Array, index: number, anchors: Float32Array, toImage: Affine) => {
  const ax = anchors[index * 2] as number;
  const ay = anchors[index * 2 + 1] as number;
  const at = index * valuesPerAnchor;
  const value = (i: number): number => raw[at + i] as number;
  const centre = apply(toImage, { x: value(0) + ax, y: value(1) + ay });
  const width = value(2) * toImage.a;
  const height = value(3) * toImage.d;
  const points = [0, 1, 2, 3, 4, 5].map((i) => apply(toImage, { x: value(4 + i * 2) + ax, y: value(5 + i * 2) + ay }));
  return { box: { x: centre.x - width / 2, y: centre.y - height / 2, width, height }, points };
};

/** `outputs`: scores and boxes of the fine grid, then of the coarse one. */
export const decodeDetections = (outputs: readonly Float32Array[], toImage: Affine): DetectedFace[] => {
  const faces: DetectedFace[] = [];
  for (const [grid, anchors] of anchorGrid.entries()) {
    const scores = outputs[grid * 2];
    const boxes = outputs[grid * 2 + 1];
    if (scores === undefined || boxes === undefined) throw new Error('detect-faces: the model lacks an output');
    for (let i = 0; i < scores.length; i++) {
      const confidence = sigmoid(scores[i] as number);
      if (confidence >= minConfidence) faces.push({ confidence, ...decodeAnchor(boxes, i, anchors, toImage) });
    }
  }
  return suppressOverlaps(faces);
};

/** Every face of the picture, the surest first. */
export const detectFaces = async (detector: ModelSession, image: RgbImage): Promise<DetectedFace[]> => {
  const toImage = letterboxInto(image, detector.entry.input, detector.input);
  return decodeDetections(await detector.run(), toImage);
};
