/** models/manifest.json and the cards beside it, which always say the same. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type EmbeddingEntry, embeddingById, type Manifest, type ModelCalibration } from '../models/manifest.ts';
import { renderModelCard } from './model-card.ts';

export const readManifest = async (folder: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest;

/** Whoever reads it meanwhile sees the old text or the new one. */
const replace = async (path: string, text: string): Promise<void> => {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
};

/** The manifest, and every model's card. */
export const writeModels = async (folder: string, { models }: Manifest): Promise<void> => {
  await replace(join(folder, 'manifest.json'), `${JSON.stringify({ models }, null, 2)}\n`);
  await mkdir(join(folder, 'cards'), { recursive: true });
  for (const entry of models) await replace(join(folder, 'cards', `${entry.id}.md`), renderModelCard(entry));
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
