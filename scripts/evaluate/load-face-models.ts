import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FaceModels } from '../../src/face/attempt/find-face.ts';
import type { PadModels } from '../../src/face/models/detect-attack.ts';
import {
  type EmbeddingEntry,
  embeddingById,
  entryById,
  type Manifest,
  type ModelEntry,
  thresholdFor,
} from '../../src/face/models/manifest.ts';
import { ModelSession } from '../../src/face/models/model-session.ts';

export const modelsDir = fileURLToPath(new URL('../../models', import.meta.url));

const readManifest = async (): Promise<Manifest> =>
  JSON.parse(await readFile(join(modelsDir, 'manifest.json'), 'utf8')) as Manifest;

/** @throws Error saying to run scripts/setup-models when a model is missing */
const loadModel = async (entry: ModelEntry): Promise<ModelSession> => {
  const loaded = await ModelSession.load(modelsDir, entry, 1);
  if (!loaded.ok) throw new Error(`${loaded.failure.code}: ${loaded.failure.detail}`);
  return loaded.value;
};

export const loadFaceModels = async (embedding: string): Promise<FaceModels> => {
  const manifest = await readManifest();
  return {
    detector: await loadModel(entryById(manifest, 'blazeface')),
    landmarker: await loadModel(entryById(manifest, 'facemesh')),
    embedder: await loadModel(embeddingById(manifest, embedding)),
  };
};

/** What a release compares with where nothing is configured. @throws Error for a model that was never measured */
export const shippedThreshold = (entry: EmbeddingEntry): number => {
  const threshold = thresholdFor(entry, 'release', undefined);
  if (!threshold.ok) throw new Error(threshold.failure.detail);
  return threshold.value;
};

export const loadPadModels = async (): Promise<PadModels> => {
  const manifest = await readManifest();
  return {
    secondDetector: await loadModel(entryById(manifest, 'fr_detect')),
    pad: await loadModel(entryById(manifest, 'fr_liveness')),
  };
};
