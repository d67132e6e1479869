/** The models under test, or the reason why they cannot be. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { facesDir } from '../../drivers/virtual/faces.ts';
import type { FaceModels } from '../../src/face/attempt/find-face.ts';
import type { PadModels } from '../../src/face/models/detect-attack.ts';
import { embeddingById, entryById, type Manifest, type ModelEntry } from '../../src/face/models/manifest.ts';
import { ModelSession } from '../../src/face/models/model-session.ts';

export const modelsDir = fileURLToPath(new URL('../../models', import.meta.url));
export const manifest = JSON.parse(readFileSync(`${modelsDir}/manifest.json`, 'utf8')) as Manifest;

const isBuilt =
  manifest.models.every(({ file }) => existsSync(`${modelsDir}/${file}`)) && existsSync(`${facesDir}/sample3-a.png`);

/** For `test.skipIf`; says by name what is missing. */
export const modelsMissing = (testFile: string): boolean => {
  if (!isBuilt) console.warn(`skipped: ${testFile} needs the face models and the demo's faces (scripts/setup-models)`);
  return !isBuilt;
};

const load = async (entry: ModelEntry): Promise<ModelSession> => {
  const session = await ModelSession.load(modelsDir, entry, 1);
  if (!session.ok) throw new Error(`${session.failure.code}: ${session.failure.detail}`);
  return session.value;
};

export const loadModels = async (embedding = 'fr_feature'): Promise<FaceModels> => ({
  detector: await load(entryById(manifest, 'blazeface')),
  landmarker: await load(entryById(manifest, 'facemesh')),
  embedder: await load(embeddingById(manifest, embedding)),
});

export const loadPadModels = async (): Promise<PadModels> => ({
  secondDetector: await load(entryById(manifest, 'fr_detect')),
  pad: await load(entryById(manifest, 'fr_liveness')),
});
