/** From a face's points to its embedding: aligned crop → model → direction and length. */

import { invert, leastSquaresSimilarity } from '../picture/geometry.ts';
import { type RgbImage, sampleInto } from '../picture/sample-image.ts';
import { meanMeshPoint } from './find-landmarks.ts';
import type { EmbeddingEntry } from './manifest.ts';
import type { ModelSession } from './model-session.ts';

/**
 * Its direction says who it is. The logarithm of its length is what the picture's quality adds to each of its scores:
 * 0 for a unit vector, above 0 for a poor picture.
 */
export type Embedding = Float32Array;

/**
 * Poor pictures of one person are less alike, those of different people are not: one threshold for all would reject the
 * poor ones only. The shift is bounded, so that no picture, however poor, comes much nearer to everybody: 1.5 times
 * shorter or longer than usual counts in full.
 */
const maxLogLength = 0.4;

const lengthOf = (vector: Float32Array): number => {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.sqrt(squares);
};

const scale = (vector: Float32Array, factor: number): void => {
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) * factor;
};

/**
 * Cosine of both, plus what their qualities add (`lengthCalibration` of the manifest). Close to −1..1; −1 for a vector
 * of zeros, which is nobody's.
 */
export const comparisonScore = (a: Embedding, b: Embedding): number => {
  let dot = 0;
  for (let i = 0; i < a.length; i++) dot += (a[i] as number) * (b[i] as number);
  const lengths = lengthOf(a) * lengthOf(b);
  return lengths > 0 ? dot / lengths + Math.log(lengths) : -1;
};

/** The mean direction, with the mean of the logarithms of the lengths. */
export const meanEmbedding = (embeddings: readonly Embedding[]): Embedding => {
  const mean = new Float32Array(embeddings[0]?.length ?? 0);
  let logLengths = 0;
  for (const embedding of embeddings) {
    // A vector of zeros has no direction to add.
    const length = lengthOf(embedding) || 1;
    logLengths += Math.log(length);
    for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] as number) + (embedding[i] as number) / length;
  }
  const length = lengthOf(mean);
  scale(mean, length > 0 ? Math.exp(logLengths / embeddings.length) / length : 0);
  return mean;
};

/** Where the aligned face lies in the model's input: as its template says, or a little larger or lower. */
export type View = {
  readonly scale: number;
  /** Part of the input's height, downwards. */
  readonly shiftY: number;
};
export const plainView: View = { scale: 1, shiftY: 0 };

/** Cuts the aligned face into the model's input. false when the points do not span a face. */
export const alignFace = (
  embedder: ModelSession,
  image: RgbImage,
  mesh: Float32Array,
  view: View = plainView,
): boolean => {
  const { alignment, input } = embedder.entry as EmbeddingEntry;
  const points = alignment.points.map((indices) => meanMeshPoint(mesh, indices));
  const template = alignment.template.map(({ x, y }) => ({
    x: input.width / 2 + (x - input.width / 2) * view.scale,
    y: input.height / 2 + (y - input.height / 2) * view.scale + view.shiftY * input.height,
  }));
  const toTemplate = leastSquaresSimilarity(points, template);
  if (toTemplate === null) return false;
  sampleInto(image, invert(toTemplate), input, embedder.input);
  return true;
};

/** Mirrors the aligned face in the model's input, left to right, in place. */
export const mirrorAligned = (embedder: ModelSession): void => {
  const { width, height, layout } = embedder.entry.input;
  if (layout !== 'NCHW') throw new Error('embed-face: an input channel by channel is expected');
  const { input } = embedder;
  for (let row = 0; row < height * 3; row++) input.subarray(row * width, (row + 1) * width).reverse();
};

/** The embedding of what `alignFace` has put into the model's input. */
export const embedAligned = async (embedder: ModelSession): Promise<Embedding> => {
  const [output] = await embedder.run();
  if (output === undefined) throw new Error('embed-face: the model lacks its output');
  const { lengthCalibration } = embedder.entry as EmbeddingEntry;
  const embedding = Float32Array.from(output);
  output.fill(0);
  const length = lengthOf(embedding);
  if (length === 0) return embedding;
  const logLength = Math.log(length / lengthCalibration.typicalLength);
  const bounded = Math.min(maxLogLength, Math.max(-maxLogLength, logLength));
  scale(embedding, Math.exp(-lengthCalibration.weight * bounded) / length);
  return embedding;
};

/**
 * The mean of the embeddings of the aligned face and of its mirror image: what differs between the halves of a face by
 * the light falls out.
 */
export const embedBothSides = async (embedder: ModelSession): Promise<Embedding> => {
  const embedding = await embedAligned(embedder);
  mirrorAligned(embedder);
  const mirrored = await embedAligned(embedder);
  const mean = meanEmbedding([embedding, mirrored]);
  embedding.fill(0);
  mirrored.fill(0);
  return mean;
};
