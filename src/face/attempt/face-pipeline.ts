/** One frame → what was seen: faces, points, quality, embedding. Holds the loaded models and nothing of a person. */
import type { FaceHint } from '../../core/visit/verification.ts';
import { measureMoire } from '../measures/measure-moire.ts';
import { type FrameQuality, measureQuality, measureSharpness } from '../measures/measure-quality.ts';
import { detectAttack, type PadModels } from '../models/detect-attack.ts';
import { type DetectedFace, detectFaces } from '../models/detect-faces.ts';
import { alignFace, type Embedding, embedAligned, embedBothSides, mirrorAligned } from '../models/embed-face.ts';
import { cropOfDetection, findLandmarks, type Landmarks, meshBox } from '../models/find-landmarks.ts';
import type { EmbeddingEntry } from '../models/manifest.ts';
import type { ModelSession } from '../models/model-session.ts';
import type { Box } from '../picture/geometry.ts';
import type { RgbImage } from '../picture/sample-image.ts';
import { chooseHint, hintUnconfirmed, limits } from './choose-hint.ts';
import { type HeadSignals, readHeadSignals } from './liveness-prompts.ts';

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

export type FrameFinding =
  | { readonly hint: FaceHint; readonly quality: FrameQuality | null; readonly signals?: HeadSignals }
  | {
      readonly hint: null;
      readonly quality: FrameQuality;
      readonly embedding: Embedding;
      readonly signals: HeadSignals;
      readonly mesh: Float32Array;
    };

const minMeshConfidence = 0.5;
/** Of a detection alone: painted masks give 0.7 and more. */
const minUnconfirmed = 0.65;

/**
 * The largest detection that the landmark model confirms, and the surest of those larger that it does not: covered or
 * turned away, so that its points are rough.
 */
const lookForFace = async (
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
    if (face.confidence > (unconfirmed?.face.confidence ?? minUnconfirmed)) unconfirmed = seen;
  }
  return { found: null, unconfirmed };
};

/** null when there is no face in the picture. */
export const findFace = async (models: FaceModels, image: RgbImage): Promise<FoundFace | null> =>
  (await lookForFace(models, image)).found;

/** The embedding of a still picture, whatever its quality; null when there is no face in it. */
export const embedStill = async (models: FaceModels, image: RgbImage): Promise<Embedding | null> => {
  const found = await findFace(models, image);
  if (found === null || !alignFace(models.embedder, image, found.landmarks.mesh)) return null;
  return embedBothSides(models.embedder);
};

/**
 * Looks at one camera frame: either a hint what to do better, or an embedding. With every other frame `mirrored` (the
 * mirror image is compared), the mean over the frames is one over both sides of the face, too, at no cost in time.
 */
export const examineFrame = async (
  models: FaceModels,
  image: RgbImage,
  { mirrored }: { readonly mirrored: boolean },
): Promise<FrameFinding> => {
  const { found, unconfirmed } = await lookForFace(models, image);
  if (found === null) {
    if (unconfirmed === null) return { hint: 'no-face', quality: null };
    const rough = measureQuality(image, unconfirmed.faces, unconfirmed.landmarks);
    return { hint: hintUnconfirmed(rough), quality: rough };
  }
  const { mesh } = found.landmarks;
  const quality = measureQuality(image, found.faces, found.landmarks);
  const signals = readHeadSignals(mesh);
  const hint = chooseHint(quality);
  if (hint !== null) return { hint, quality, signals };
  if (!alignFace(models.embedder, image, mesh)) return { hint: 'look-here', quality, signals };
  const { input } = models.embedder.entry as EmbeddingEntry;
  if (measureSharpness(models.embedder.input, input) < limits.minSharpness)
    return { hint: 'hold-still', quality, signals };
  if (mirrored) mirrorAligned(models.embedder);
  const embedding = await embedAligned(models.embedder);
  return { hint: null, quality, embedding, signals, mesh };
};

/** What a frame says about being an attack: asked only of the frames that would decide, as it costs two more models. */
export const examineLiveness = async (
  pad: PadModels,
  image: RgbImage,
  mesh: Float32Array,
): Promise<{ readonly bonaFide: number | null; readonly moire: number }> => ({
  bonaFide: await detectAttack(pad, image),
  moire: measureMoire(image, mesh),
});

/** Where the face is, in parts of the picture's width and height. */
export const faceBoxIn = (image: RgbImage, mesh: Float32Array): Box => {
  const { x, y, width, height } = meshBox(mesh);
  return { x: x / image.width, y: y / image.height, width: width / image.width, height: height / image.height };
};

export const sessionsOf = (models: FaceModels, pad: PadModels | null): ModelSession[] => [
  models.detector,
  models.landmarker,
  models.embedder,
  ...(pad === null ? [] : [pad.secondDetector, pad.pad]),
];
