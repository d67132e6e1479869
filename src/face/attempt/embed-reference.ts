/** The embedding of the card's photo. It is made once a visit, so it may cost more than that of a camera frame. */
import {
  alignFace,
  type Embedding,
  embedBothSides,
  meanEmbedding,
  plainView,
  type View,
} from '../models/embed-face.ts';
import type { ModelSession } from '../models/model-session.ts';
import type { RgbImage } from '../picture/sample-image.ts';
import { type FaceModels, findFace } from './find-face.ts';

/**
 * The found points are a pixel or two off, most of all up and down. The mean over crops around the found place depends
 * less on that than any one of them.
 */
const views: readonly View[] = [
  plainView,
  { scale: 1.08, shiftY: 0 },
  { scale: 1, shiftY: -0.027 },
  { scale: 1, shiftY: 0.027 },
];

/** Part of each pixel's difference from its four neighbours' mean that is added to it. */
const sharpening = 0.6;

/** In place: gives back some of the detail that compression and resampling took. */
const sharpen = ({ input, entry }: ModelSession): void => {
  const { width, height } = entry.input;
  const before = input.slice();
  for (let channel = 0; channel < 3; channel++)
    for (let y = 1; y < height - 1; y++) {
      const row = (channel * height + y) * width;
      for (let at = row + 1; at < row + width - 1; at++) {
        const around =
          (before[at - 1] as number) +
          (before[at + 1] as number) +
          (before[at - width] as number) +
          (before[at + width] as number);
        input[at] = (before[at] as number) + sharpening * ((before[at] as number) - around / 4);
      }
    }
  before.fill(0);
};

/** The mean over the views of a face whose points are known; null when they do not span one. */
export const embedMesh = async (
  embedder: ModelSession,
  image: RgbImage,
  mesh: Float32Array,
): Promise<Embedding | null> => {
  const embeddings: Embedding[] = [];
  try {
    for (const view of views) {
      if (!alignFace(embedder, image, mesh, view)) return null;
      sharpen(embedder);
      embeddings.push(await embedBothSides(embedder));
    }
    return meanEmbedding(embeddings);
  } finally {
    for (const embedding of embeddings) embedding.fill(0);
    mesh.fill(0);
  }
};

/** null when there is no face in the picture. */
export const embedReference = async (models: FaceModels, image: RgbImage): Promise<Embedding | null> => {
  const found = await findFace(models, image);
  return found === null ? null : embedMesh(models.embedder, image, found.landmarks.mesh);
};
