/**
 * Builds models/*.onnx from npm packages, and cuts the demo's faces into .cache/faces. Skips what is there with the right
 * hash; refuses with one line when a hash or a model's output is not what it should be.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cutFaces } from './models/cut-faces.ts';
import { checkKnownOutputs, type KnownOutputs } from './models/known-outputs.ts';
import { NpmSources, sha256Of } from './models/npm-source.ts';
import { type Recipe, recipes } from './models/recipes.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const modelsDir = join(root, 'models');
const tell = (line: string): void => void process.stderr.write(`setup-models: ${line}\n`);

const readJson = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));

/** Built file → the hash that models/manifest.json states for it. */
const statedHashes = async (): Promise<Map<string, string>> => {
  const manifest = (await readJson(join(modelsDir, 'manifest.json'))) as {
    models: readonly { file: string; sha256: string }[];
  };
  return new Map(manifest.models.map(({ file, sha256 }) => [file, sha256]));
};

const isBuilt = async (file: string, sha256: string | undefined): Promise<boolean> =>
  existsSync(file) && sha256Of(await readFile(file)) === sha256;

const build = async (recipe: Recipe, stated: string | undefined, known: KnownOutputs, npm: NpmSources) => {
  const file = join(modelsDir, recipe.file);
  if (await isBuilt(file, stated)) return tell(`${recipe.file}: there`);
  const sources: Uint8Array[] = [];
  for (const source of recipe.sources) sources.push(await npm.read(source));
  const onnx = recipe.build(...sources);
  const sha256 = sha256Of(onnx);
  if (sha256 !== stated)
    throw new Error(`refused: ${recipe.file} came out with sha256 ${sha256}, models/manifest.json says ${stated}`);
  const outputs = known[recipe.file];
  const deviation = outputs === undefined ? undefined : await checkKnownOutputs(recipe.file, onnx, outputs);
  await writeFile(`${file}.part`, onnx);
  await rename(`${file}.part`, file);
  tell(
    `${recipe.file}: built, ${onnx.length} bytes` +
      (deviation === undefined
        ? ', as published'
        : `, deviates from the published model by ${deviation.toExponential(1)}`),
  );
};

const main = async (): Promise<void> => {
  const cacheDir = join(root, '.cache', 'models');
  await mkdir(cacheDir, { recursive: true });
  const npm = new NpmSources(cacheDir, tell);
  const stated = await statedHashes();
  const known = (await readJson(join(modelsDir, 'known-outputs.json'))) as KnownOutputs;
  for (const recipe of recipes) await build(recipe, stated.get(recipe.file), known, npm);
  await cutFaces(join(root, '.cache', 'faces'), npm, tell);
  await npm.dropTarballs();
  tell(`ready; fetched ${npm.fetchedBytes} bytes`);
};

try {
  await main();
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
