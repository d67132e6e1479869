/** From a face's points to its embedding: aligned crop → model → unit vector. */

import { meanMeshPoint } from './find-landmarks.ts';
import { invert, leastSquaresSimilarity } from './geometry.ts';
import type { EmbeddingEntry } from './manifest.ts';
import type { ModelSession } from './model-session.ts';
import { type RgbImage, sampleInto } from './sample-image.ts';

/** A unit vector; the cosine of two is their comparison score, −1..1. */
export type Embedding = Float32Array;

/** Scales to length 1, in place. */
export const normalise = (vector: Float32Array): Float32Array => {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const factor = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) * factor;
  return vector;
};

export const comparisonScore = (a: Embedding, b: Embedding): number => {
  let dot = 0;
  for (let i = 0; i < a.length; i++) dot += (a[i] as number) * (b[i] as number);
  return dot;
};

/** Cuts the aligned face into the model's input. false when the points do not span a face. */
export const alignFace = (embedder: ModelSession, image: RgbImage, mesh: Float32Array): boolean => {
  const { alignment, input } = embedder.entry as EmbeddingEntry;
  const points = alignment.points.map((indices) => meanMeshPoint(mesh, indices));
  const toTemplate = leastSquaresSimilarity(points, alignment.template);
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
  const embedding = normalise(Float32Array.from(output));
  output.fill(0);
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
  for (let i = 0; i < embedding.length; i++) embedding[i] = (embedding[i] as number) + (mirrored[i] as number);
  mirrored.fill(0);
  return normalise(embedding);
};
