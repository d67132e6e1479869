/** models/manifest.json and the cards beside it, which always say the same. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderModelCard } from '../face/calibration/model-card.ts';
import {
  type EmbeddingEntry,
  embeddingById,
  type Manifest,
  type ModelCalibration,
  parseManifest,
} from '../face/models/manifest.ts';
import { makeFolder } from '../storage/make-folder.ts';
import { writeFileAtomically } from '../trust/write-file.ts';

/** The project's own */
export const modelsFolder = join(import.meta.dirname, '../../models');

/** Throws where it cannot be read. */
export const readManifest = async (folder: string): Promise<Manifest> => {
  const manifest = parseManifest(await readFile(join(folder, 'manifest.json'), 'utf8'));
  if (!manifest.ok) throw new Error(`${folder}: ${manifest.failure.detail}`);
  return manifest.value;
};

/** The manifest, and every model's card. */
export const writeModels = async (folder: string, { models }: Manifest): Promise<void> => {
  await writeFileAtomically(join(folder, 'manifest.json'), `${JSON.stringify({ models }, null, 2)}\n`);
  await makeFolder(join(folder, 'cards'));
  for (const entry of models)
    await writeFileAtomically(join(folder, 'cards', `${entry.id}.md`), renderModelCard(entry));
};

/** With this entry in its place, or at the end. */
export const withEntry = ({ models }: Manifest, entry: EmbeddingEntry): Manifest => ({
  models: models.some(({ id }) => id === entry.id)
    ? models.map((each) => (each.id === entry.id ? entry : each))
    : [...models, entry],
});

export const writeCalibration = async (folder: string, id: string, calibration: ModelCalibration): Promise<void> => {
  const manifest = await readManifest(folder);
  await writeModels(folder, withEntry(manifest, { ...embeddingById(manifest, id), calibration }));
};
