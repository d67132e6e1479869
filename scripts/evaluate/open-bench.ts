/** Models, painter and people for attempts with painted frames. */
import { type FaceId, faceIds, loadFaceRgb } from '../../drivers/virtual/faces.ts';
import { SceneRenderer } from '../../drivers/virtual/render-scene.ts';
import { firstFacilitySettings } from '../../src/catalogue/first-settings.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import type { PadStrength } from '../../src/core/visit/verification.ts';
import { type FaceModels, findFace } from '../../src/face/attempt/find-face.ts';
import type { PadModels } from '../../src/face/models/detect-attack.ts';
import type { Embedding } from '../../src/face/models/embed-face.ts';
import type { EmbeddingEntry } from '../../src/face/models/manifest.ts';
import { loadFaceModels, loadPadModels, shippedThreshold } from './load-face-models.ts';
import { FrameLooker } from './look-at-frames.ts';

export type Known = {
  readonly id: FaceId;
  readonly reference: Embedding;
  /** Points of the face in its cut. */
  readonly mesh: Float32Array;
};

export type Bench = {
  readonly models: FaceModels;
  readonly pad: PadModels;
  readonly threshold: number;
  readonly renderer: SceneRenderer;
  readonly people: readonly Known[];
  readonly looker: FrameLooker;
};

/** What a new clinic begins with: what is measured is what is shipped. */
export const shippedPadStrength = firstFacilitySettings(
  catalogueAt(Date.now()).consents,
  'medical',
  '-',
  '0000000000',
).padStrength;

/** Under which a whole attempt is kept: what decided in it besides the code, and what tells it from the others. */
export const keyOfAttempt = (
  threshold: number,
  padStrength: PadStrength,
  ...words: readonly (string | number)[]
): string => [padStrength, threshold, ...words].join(':').replaceAll(' ', '-');

/** `name`: of the evaluation. @throws Error when scripts/setup-models has not run */
export const openBench = async (name: string, seed: number): Promise<Bench> => {
  const models = await loadFaceModels('fr_feature');
  const pad = await loadPadModels();
  const looker = new FrameLooker(name, models, pad);
  const renderer = new SceneRenderer(seed);
  const people: Known[] = [];
  // sample1-c is sample3-b once more.
  for (const id of faceIds.filter((each) => each !== 'sample1-c')) {
    await renderer.load(id);
    const cut = await loadFaceRgb(id);
    const found = await findFace(models, cut);
    const { seen: reference } = await looker.reference(cut);
    if (found === null || reference === null) throw new Error(`open-bench: no face in ${id}`);
    people.push({ id, reference, mesh: found.landmarks.mesh });
  }
  return {
    models,
    pad,
    threshold: shippedThreshold(models.embedder.entry as EmbeddingEntry),
    renderer,
    people,
    looker,
  };
};
