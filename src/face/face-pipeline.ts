/** One frame → what was seen: faces, points, quality, embedding. Holds the loaded models and nothing of a person. */
import type { FaceHint } from '../core/verification.ts';
import { chooseHint, limits } from './choose-hint.ts';
import { type DetectedFace, detectFaces } from './detect-faces.ts';
import { alignFace, type Embedding, embedAligned, embedBothSides, mirrorAligned } from './embed-face.ts';
import { cropOfDetection, findLandmarks, type Landmarks } from './find-landmarks.ts';
import type { EmbeddingEntry } from './manifest.ts';
import { type FrameQuality, measureQuality, measureSharpness } from './measure-quality.ts';
import type { ModelSession } from './model-session.ts';
import type { RgbImage } from './sample-image.ts';

export type FaceModels = {
  readonly detector: ModelSession;
  readonly landmarker: ModelSession;
  readonly embedder: ModelSession;
};

/** A face in a picture: the largest, or the surest of equally large ones. */
export type FoundFace = {
  readonly face: DetectedFace;
  readonly faces: readonly DetectedFace[];
  readonly landmarks: Landmarks;
};

export type FrameFinding =
  | { readonly hint: FaceHint; readonly quality: FrameQuality | null; readonly landmarks: Landmarks | null }
  | {
      readonly hint: null;
      readonly quality: FrameQuality;
      readonly landmarks: Landmarks;
      readonly embedding: Embedding;
    };

const MIN_MESH_CONFIDENCE = 0.5;

/** null when there is no face in the picture. The largest detection that the landmark model confirms. */
export const findFace = async (models: FaceModels, image: RgbImage): Promise<FoundFace | null> => {
  const faces = await detectFaces(models.detector, image);
  const { landmarker } = models;
  for (const face of [...faces].sort((a, b) => b.box.width - a.box.width)) {
    const landmarks = await findLandmarks(landmarker, image, cropOfDetection(face, landmarker.entry.input.width));
    if (landmarks.confidence >= MIN_MESH_CONFIDENCE) return { face, faces, landmarks };
  }
  return null;
};

/** The embedding of a still picture, whatever its quality; null when there is no face in it. */
export const embedStill = async (models: FaceModels, image: RgbImage): Promise<Embedding | null> => {
  const found = await findFace(models, image);
  if (found === null || !alignFace(models.embedder, image, found.landmarks.mesh)) return null;
  return embedBothSides(models.embedder);
};

/**
 * Looks at one camera frame: either a hint what to do better, or an embedding. With every other frame `mirrored`, the
 * mean over the frames is one over both sides of the face, too, at no cost in time.
 */
export const examineFrame = async (models: FaceModels, image: RgbImage, mirrored: boolean): Promise<FrameFinding> => {
  const found = await findFace(models, image);
  if (found === null) return { hint: 'no-face', quality: null, landmarks: null };
  const { landmarks } = found;
  const quality = measureQuality(image, found.faces, landmarks);
  const hint = chooseHint(quality);
  if (hint !== null) return { hint, quality, landmarks };
  if (!alignFace(models.embedder, image, landmarks.mesh)) return { hint: 'look-here', quality, landmarks };
  const { input } = models.embedder.entry as EmbeddingEntry;
  if (measureSharpness(models.embedder.input, input) < limits.minSharpness)
    return { hint: 'hold-still', quality, landmarks };
  if (mirrored) mirrorAligned(models.embedder);
  return { hint: null, quality, landmarks, embedding: await embedAligned(models.embedder) };
};

/** Overwrites every model's input and the runtime's buffers behind it. */
export const wipeModels = async (models: FaceModels): Promise<void> => {
  for (const model of [models.detector, models.landmarker, models.embedder]) await model.wipe();
};
