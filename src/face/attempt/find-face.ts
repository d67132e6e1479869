/** The face in a picture, and the embedding of a still picture. */
import { type DetectedFace, detectFaces } from '../models/detect-faces.ts';
import { alignFace, type Embedding, embedBothSides } from '../models/embed-face.ts';
import { cropOfDetection, findLandmarks, type Landmarks } from '../models/find-landmarks.ts';
import type { ModelSession } from '../models/model-session.ts';
import type { RgbImage } from '../picture/sample-image.ts';

export type FaceModels = {
  readonly detector: ModelSession;
  readonly landmarker: ModelSession;
  readonly embedder: ModelSession;
};

/** A face in a picture: the largest, or the surest of equally large ones. */
type FoundFace = {
  readonly face: DetectedFace;
  readonly faces: readonly DetectedFace[];
  readonly landmarks: Landmarks;
};

const minMeshConfidence = 0.5;
/** Of a detection alone: portraits with painted masks give 0.55 and more. */
const minUnconfirmed = 0.55;

/**
 * The largest detection that the landmark model confirms, and the surest of those larger that it does not: covered or
 * turned away, so that its points are rough.
 */
export const lookForFace = async (
  models: FaceModels,
  image: RgbImage,
): Promise<{ readonly found: FoundFace | null; readonly unconfirmed: FoundFace | null }> => {
  const faces = await detectFaces(models.detector, image);
  const { landmarker } = models;
  let unconfirmed: FoundFace | null = null;
  for (const face of [...faces].sort((a, b) => b.box.width - a.box.width)) {
    const landmarks = await findLandmarks(landmarker, image, cropOfDetection(face, landmarker.entry.input.width));
    const seen = { face, faces, landmarks };
    if (landmarks.confidence >= minMeshConfidence) return { found: seen, unconfirmed };
    const isSurer = face.confidence > (unconfirmed?.face.confidence ?? minUnconfirmed);
    (isSurer ? unconfirmed : seen)?.landmarks.mesh.fill(0);
    if (isSurer) unconfirmed = seen;
  }
  return { found: null, unconfirmed };
};

/** null when there is no face in the picture. */
export const findFace = async (models: FaceModels, image: RgbImage): Promise<FoundFace | null> => {
  const { found, unconfirmed } = await lookForFace(models, image);
  unconfirmed?.landmarks.mesh.fill(0);
  return found;
};

/** The embedding of a still picture, whatever its quality; null when there is no face in it. */
export const embedStill = async (models: FaceModels, image: RgbImage): Promise<Embedding | null> => {
  const found = await findFace(models, image);
  if (found === null || !alignFace(models.embedder, image, found.landmarks.mesh)) return null;
  return embedBothSides(models.embedder);
};
