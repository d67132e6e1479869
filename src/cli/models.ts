/** `uketsuke models`: an integrator brings an embedding model of their own, and measures it before it may be used. */
import { copyFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Command, Option } from 'commander';
import { embedReference } from '../face/attempt/embed-reference.ts';
import { embedStill, type FaceModels } from '../face/attempt/find-face.ts';
import { examineModel } from '../face/calibration/add-model.ts';
import { calibrate, type Groups } from '../face/calibration/calibrate-model.ts';
import { asCardPhoto, type EncodeJp2, readRgb } from '../face/calibration/card-photo.ts';
import { type Picture, personOf } from '../face/calibration/group-rates.ts';
import { embeddingById, entryById } from '../face/models/manifest.ts';
import { ModelSession } from '../face/models/model-session.ts';
import { readGiven } from '../storage/read-given.ts';
import { modelsFolder, readManifest, withEntry, writeCalibration, writeModels } from './models-folder.ts';
import { complain, tell } from './say.ts';

type AddOptions = {
  readonly models: string;
  readonly id?: string;
  readonly source: string;
  readonly licence: string;
  readonly licenceClear?: true;
  readonly trainingData: string;
  readonly limits: string;
  readonly channels: 'RGB' | 'BGR';
  readonly mean: string;
  readonly scale: string;
};

const add = async (file: string, options: AddOptions): Promise<void> => {
  const id = options.id ?? basename(file, '.onnx');
  if (!/^[a-z0-9][a-z0-9_-]{1,59}$/.test(id)) throw new Error(`--id: ${id} is no id: small letters, digits, _ and -`);
  const manifest = await readManifest(options.models);
  const known = manifest.models.find((each) => each.id === id);
  if (known !== undefined && known.role !== 'embedding') throw new Error(`--id: ${id} is this chain's ${known.role}`);
  const numbers = { mean: Number(options.mean), scale: Number(options.scale) };
  if (!Number.isFinite(numbers.mean) || !(numbers.scale > 0))
    throw new Error('--mean, --scale: numbers, the scale above 0');
  const { source, licence, licenceClear, trainingData, limits, channels } = options;
  const words = {
    id,
    source,
    licence,
    trainingData,
    limits,
    channels,
    ...numbers,
    licenceIsClear: licenceClear === true,
  };
  const entry = await examineModel(readGiven(file), words);
  await copyFile(file, join(options.models, entry.file));
  await writeModels(options.models, withEntry(manifest, entry));
  const { width } = entry.input;
  const { dimensions, sha256 } = entry;
  tell('{id}: {width}×{width}, {dimensions} numbers, sha256 {sha256}', { id, width, dimensions, sha256 });
  tell('It is refused until it is measured: uketsuke models calibrate {id} --images DIR --groups DIR', { id });
  process.stdout.write(
    `${JSON.stringify({ id, sha256: entry.sha256, dimensions: entry.dimensions, calibrated: false })}\n`,
  );
};

const loadModels = async (folder: string, id: string): Promise<FaceModels> => {
  const manifest = await readManifest(folder);
  const load = async (entry: Parameters<typeof ModelSession.load>[1]): Promise<ModelSession> => {
    const loaded = await ModelSession.load(folder, entry, 1);
    if (!loaded.ok) throw new Error(`${loaded.failure.code}: ${loaded.failure.detail}`);
    return loaded.value;
  };
  return {
    detector: await load(entryById(manifest, 'blazeface')),
    landmarker: await load(entryById(manifest, 'facemesh')),
    embedder: await load(embeddingById(manifest, id)),
  };
};

const pictureName = /_\d{4}\.jpe?g$/i;

const embedAll = async (
  models: FaceModels,
  folder: string,
  names: readonly string[],
  encode: EncodeJp2,
): Promise<Picture[]> => {
  const pictures: Picture[] = [];
  for (const [i, name] of names.entries()) {
    const image = await readRgb(join(folder, name));
    const probe = await embedStill(models, image);
    const reference = await embedReference(models, await asCardPhoto(image, encode));
    pictures.push({ name, person: personOf(name), probe, reference });
    if ((i + 1) % 100 === 0) tell('{count} of {all} pictures', { count: i + 1, all: names.length });
  }
  return pictures;
};

const rowsOf = async (file: string): Promise<string[][]> =>
  readGiven(file)
    .toString('utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t').map((word) => word.trim()));

/** Names of the pairs' pictures. @throws Error where the file and the names disagree about who is who */
const namesOfPairs = async (file: string): Promise<string[]> => {
  const rows = await rowsOf(file);
  for (const [a = '', b = '', same] of rows)
    if ((personOf(a) === personOf(b)) !== (same === '1'))
      throw new Error(
        same === '1'
          ? `${file}: ${a}, ${b}: by their names they are two people`
          : `${file}: ${a}, ${b}: by their names they are one person`,
      );
  return [...new Set(rows.flatMap(([a = '', b = '']) => [a, b]))].sort();
};

type CalibrateOptions = {
  readonly models: string;
  readonly images: string;
  readonly pairs?: string;
  readonly groups?: string;
  readonly called: string;
  readonly dryRun?: true;
};

/** @throws Error where there is none, or more than one */
const onlyUnmeasured = async (folder: string): Promise<string> => {
  const manifest = await readManifest(folder);
  const ids = manifest.models
    .filter(({ id, role }) => role === 'embedding' && embeddingById(manifest, id).calibration === undefined)
    .map(({ id }) => id);
  if (ids.length === 0) throw new Error('every embedding model is measured: name the one to measure again');
  if (ids.length > 1) throw new Error(`name the model to measure; not yet measured: ${ids.join(', ')}`);
  return ids[0] as string;
};

const measure = async (given: string | undefined, options: CalibrateOptions): Promise<void> => {
  const id = given ?? (await onlyUnmeasured(options.models));
  const models = await loadModels(options.models, id);
  const { encodeGreyJp2 } = await import('../../drivers/virtual/jp2.ts');
  const names =
    options.pairs === undefined
      ? (await readdir(options.images)).filter((name) => pictureName.test(name)).sort()
      : await namesOfPairs(options.pairs);
  if (names.length === 0) throw new Error(`${options.images}: no pictures called NAME_NNNN.jpg`);
  const pictures = await embedAll(models, options.images, names, encodeGreyJp2);
  let groups: Groups | null = null;
  if (options.groups !== undefined) {
    const rows = await rowsOf(join(options.groups, 'groups.tsv'));
    const groupOf = new Map(rows.map(([file = '', , group = '']) => [file, group]));
    groups = {
      pictures: await embedAll(models, options.groups, [...groupOf.keys()], encodeGreyJp2),
      groupOf: (name) => groupOf.get(name),
    };
  } else tell('No --groups: the worst group is not known, so the whole is held to a twentieth of its rate.');
  const runs = 100;
  // Processor time: what it takes on a machine that does nothing else.
  const before = process.cpuUsage();
  for (let i = 0; i < runs; i++) await models.embedder.run();
  const { user, system } = process.cpuUsage(before);
  const calibration = {
    ...calibrate(pictures, groups),
    date: new Date().toISOString().slice(0, 10),
    measuredOn: options.called,
    reference: 'card-photo' as const,
    msPerFace: Number(((user + system) / 1_000 / runs).toFixed(1)),
  };
  if (options.dryRun !== true) {
    await writeCalibration(options.models, id, calibration);
    tell('{id}: threshold {threshold} written; it is used where face.embeddingModel names it', {
      id,
      threshold: calibration.defaultThreshold,
    });
  }
  process.stdout.write(`${JSON.stringify({ id, written: options.dryRun !== true, ...calibration })}\n`);
};

/** A wrong file or option is one sentence, and exit code 2. */
const orExplain =
  <A extends unknown[]>(work: (...args: A) => Promise<void>) =>
  (...args: A): Promise<void> =>
    work(...args).catch((error: unknown) => {
      complain('models', error);
      process.exitCode = 2;
    });

export const register = (program: Command): void => {
  const models = program.command('models').description('face models: add one, measure it, draw their cards');
  const folder = (): Option => new Option('--models <folder>', 'manifest and files').default(modelsFolder);
  models
    .command('add <file>')
    .description('checks an ONNX embedding model and enters it; it is refused until it is calibrated')
    .addOption(folder())
    .option('--id <id>', "its name in the configuration (face.embeddingModel); left out: the file's")
    .requiredOption('--source <text>', 'where the file comes from: name, version, address')
    .requiredOption('--licence <text>', 'its licence, in the words of whoever gives it')
    .option('--licence-clear', 'somebody has verified that licence; left out: a facility must accept it by name')
    .requiredOption('--training-data <text>', 'what it was trained on')
    .option('--limits <text>', 'what it must not be taken for', 'measured on nothing but its calibration')
    .addOption(
      new Option('--channels <order>', 'colour order it was trained with').choices(['RGB', 'BGR']).default('RGB'),
    )
    .option('--mean <number>', 'taken from each value 0..255', '127.5')
    .option('--scale <number>', 'divides it then', '127.5')
    .action(orExplain(add));
  models
    .command('calibrate [id]')
    .description(
      'measures a model on pictures and writes its threshold; about 10 pictures a second and core. Without an id: the one that was added and not yet measured',
    )
    .addOption(folder())
    .requiredOption('--images <folder>', 'pictures called NAME_NNNN.jpg, one name a person')
    .option('--pairs <tsv>', 'columns a, b, same: only the pictures it names, and it must agree with their names')
    .option('--groups <folder>', 'pictures with groups.tsv: file, person, group; sets the threshold on the worst group')
    .option('--called <text>', 'what the pictures are called in the card', "the integrator's pictures")
    .option('--dry-run', 'measures and writes nothing')
    .action(orExplain(measure));
  models
    .command('cards')
    .description('draws models/cards anew from the manifest')
    .addOption(folder())
    .action(
      orExplain(async (options: { models: string }) => writeModels(options.models, await readManifest(options.models))),
    );
};
