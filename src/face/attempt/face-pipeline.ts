/** One frame → what was seen: faces, points, quality, embedding. Holds the loaded models and nothing of a person. */
import type { FaceHint } from '../../core/visit/verification.ts';
import { type HeadSignals, readHeadSignals } from '../measures/head-signals.ts';
import { measureRoughCovering } from '../measures/measure-covering.ts';
import { measureMoire } from '../measures/measure-moire.ts';
import { type FrameQuality, measureQuality, measureSharpness } from '../measures/measure-quality.ts';
import { measureRim } from '../measures/measure-rim.ts';
import { detectAttack, type PadModels } from '../models/detect-attack.ts';
import { alignFace, type Embedding, embedAligned, mirrorAligned } from '../models/embed-face.ts';
import { meshBox } from '../models/find-landmarks.ts';
import type { EmbeddingEntry } from '../models/manifest.ts';
import type { ModelSession } from '../models/model-session.ts';
import type { Box } from '../picture/geometry.ts';
import type { RgbImage } from '../picture/sample-image.ts';
import { chooseHint, type GuessedHint, guessHint, hintUnconfirmed, limits } from './choose-hint.ts';
import { type FaceModels, lookForFace } from './find-face.ts';
import type { LivenessEvidence } from './weigh-evidence.ts';

export type FrameFinding =
  | {
      readonly hint: FaceHint;
      readonly quality: FrameQuality | null;
      readonly signals?: HeadSignals;
      readonly embedding?: undefined;
    }
  | {
      /**
       * null = nothing to better. A face that seems covered or turned has an embedding, too: beards and caps are taken for covers
       * now and then, and the landmark model guesses how a head is held. AttemptCourse says when it is compared.
       */
      readonly hint: GuessedHint | null;
      readonly quality: FrameQuality;
      readonly embedding: Embedding;
      readonly signals: HeadSignals;
      readonly mesh: Float32Array;
    };

const judgeFrame = async (
  models: FaceModels,
  image: RgbImage,
  { found, unconfirmed }: Awaited<ReturnType<typeof lookForFace>>,
  mirrored: boolean,
): Promise<FrameFinding> => {
  if (found === null) {
    if (unconfirmed === null) return { hint: 'no-face', quality: null };
    const rough = measureQuality(image, unconfirmed);
    return { hint: hintUnconfirmed(measureRoughCovering(image, unconfirmed.face), rough), quality: rough };
  }
  const { mesh } = found.landmarks;
  const quality = measureQuality(image, found);
  const signals = readHeadSignals(mesh);
  const hint = chooseHint(quality);
  if (hint !== null) return { hint, quality, signals };
  const guessedHint = guessHint(quality, signals);
  if (!alignFace(models.embedder, image, mesh)) return { hint: 'look-here', quality, signals };
  const { input } = models.embedder.entry as EmbeddingEntry;
  if (measureSharpness(models.embedder.input, input) < limits.minSharpness)
    return { hint: 'hold-still', quality, signals };
  if (mirrored) mirrorAligned(models.embedder);
  const embedding = await embedAligned(models.embedder);
  return { hint: guessedHint, quality, embedding, signals, mesh };
};

/**
 * Looks at one camera frame: either a hint what to do better, or an embedding with the points of the face, both for the
 * caller to overwrite. With every other frame `mirrored` (the mirror image is compared), the mean over the frames is one over
 * both sides of the face, too, at no cost in time.
 */
export const examineFrame = async (
  models: FaceModels,
  image: RgbImage,
  { mirrored }: { readonly mirrored: boolean },
): Promise<FrameFinding> => {
  const looked = await lookForFace(models, image);
  const finding = await judgeFrame(models, image, looked, mirrored);
  for (const face of [looked.found, looked.unconfirmed])
    if (finding.embedding === undefined || face?.landmarks.mesh !== finding.mesh) face?.landmarks.mesh.fill(0);
  return finding;
};

/** What a frame says about being an attack: asked only of the frames that would decide, as it costs two more models. */
export const examineLiveness = async (
  pad: PadModels,
  image: RgbImage,
  mesh: Float32Array,
): Promise<Omit<LivenessEvidence, 'depth'>> => ({
  bonaFide: await detectAttack(pad, image, meshBox(mesh)),
  moire: measureMoire(image, mesh),
  rim: measureRim(image, mesh),
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
