/**
 * How well the face chain tells people apart: all pairs of the pictures of a folder, identity = the name before
 * `_NNNN.jpg`. With `--groups`, false accepts among people of one label too: no rate for a people, as names are poor
 * labels and these are press pictures; it shows that one number does not hold for everybody. A picture without a found
 * face is a failure to acquire: its genuine pairs count as false rejects. Exit code 1 when, at the shipped default with a
 * card's photo, the worst group or the visits miss what they are held to.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { encodeGreyJp2 } from '../../drivers/virtual/jp2.ts';
import { writeCalibration } from '../../src/cli/models-folder.ts';
import { embedReference } from '../../src/face/attempt/embed-reference.ts';
import { embedStill, type FaceModels } from '../../src/face/attempt/find-face.ts';
import { tenfoldPairAccuracy } from '../../src/face/calibration/accuracy.ts';
import { calibrate, compareAll, type Groups, ratesOf, worstGroup } from '../../src/face/calibration/calibrate-model.ts';
import { asCardPhoto, readRgb } from '../../src/face/calibration/card-photo.ts';
import { type Picture, personOf, perVisitFrr, score } from '../../src/face/calibration/group-rates.ts';
import type { EmbeddingEntry } from '../../src/face/models/manifest.ts';
import type { RgbImage } from '../../src/face/picture/sample-image.ts';
import { detPlot } from './det-plot.ts';
import { codeOfEmbedding, hashOf, KeptResults } from './kept-results.ts';
import { loadFaceModels, modelsDir, shippedThreshold } from './load-face-models.ts';

const { values: options } = parseArgs({
  options: {
    images: { type: 'string' },
    /** A folder with groups.tsv: file, person, group */
    groups: { type: 'string' },
    pairs: { type: 'string' },
    json: { type: 'boolean', default: false },
    'card-photo': { type: 'boolean', default: false },
    'card-photo-bytes': { type: 'string', default: '15000' },
    model: { type: 'string', default: 'fr_feature' },
    det: { type: 'string' },
    /** What the pictures are called: writes the calibration that follows into models/manifest.json, and the cards. */
    write: { type: 'string' },
    'probe-light': { type: 'string', default: '1' },
    'probe-blur': { type: 'string', default: '0' },
  },
});

/** What the shipped default is held to, in percent. */
const mostWorstFar = 0.02;
const mostPerVisitFrr = 3;

/** The person at the counter in worse light (1 = as it is), or out of focus (standard deviation in pixels). */
const spoilProbe = async (image: RgbImage, light: number, blur: number): Promise<RgbImage> => {
  if (light === 1 && blur === 0) return image;
  const { width, height } = image;
  const dimmed = sharp(image.rgb, { raw: { width, height, channels: 3 } }).linear(light, 0);
  const { data } = await (blur > 0 ? dimmed.blur(blur) : dimmed).raw().toBuffer({ resolveWithObject: true });
  return { width, height, rgb: new Uint8Array(data) };
};

const kept = new KeptResults('face-eval', [
  ...codeOfEmbedding,
  'src/face/calibration/card-photo.ts',
  'drivers/virtual/jp2.ts',
]);

const embedOne = async (models: FaceModels, image: RgbImage): Promise<Pick<Picture, 'probe' | 'reference'>> => {
  const spoilt = await spoilProbe(image, Number(options['probe-light']), Number(options['probe-blur']));
  const bytes = Number(options['card-photo-bytes']);
  const card = options['card-photo'] ? await asCardPhoto(image, encodeGreyJp2, bytes) : image;
  return { probe: await embedStill(models, spoilt), reference: await embedReference(models, card) };
};

const embedAll = async (folder: string, models: FaceModels): Promise<Picture[]> => {
  const names = (await readdir(folder)).filter((name) => /_\d{4}\.jpe?g$/i.test(name)).sort();
  const pictures: Picture[] = [];
  const { model, 'card-photo': asCard, 'card-photo-bytes': bytes, 'probe-light': light, 'probe-blur': blur } = options;
  for (const [i, name] of names.entries()) {
    const file = await readFile(join(folder, name));
    const key = [hashOf(file), model, asCard ? bytes : 'picture', light, blur].join(':');
    pictures.push({
      name,
      person: personOf(name),
      ...(await kept.of(key, async () => embedOne(models, await readRgb(join(folder, name))))),
    });
    if ((i + 1) % 100 === 0) process.stderr.write(`face-eval: ${i + 1} of ${names.length} pictures\n`);
  }
  return pictures;
};

const percent = (rate: number): number => Number((rate * 100).toFixed(4));

const pairAccuracy = async (
  file: string,
  pictures: readonly Picture[],
): Promise<{ pairs: number; pairAccuracy: number }> => {
  const byName = new Map(pictures.map((picture) => [picture.name, picture]));
  const [, ...lines] = (await readFile(file, 'utf8')).trim().split('\n');
  const pairs = lines.map((line) => {
    const [a = '', b = '', same] = line.trim().split('\t');
    const first = byName.get(a);
    const second = byName.get(b);
    if (first === undefined || second === undefined)
      throw new Error(`face-eval: ${file} names pictures that are not there: ${a}, ${b}`);
    return { score: score(first, second), same: same === '1' };
  });
  return { pairs: pairs.length, pairAccuracy: percent(tenfoldPairAccuracy(pairs)) };
};

const readGroups = async (folder: string, models: FaceModels): Promise<Groups> => {
  const [, ...lines] = (await readFile(join(folder, 'groups.tsv'), 'utf8')).trim().split('\n');
  const groupOf = new Map(lines.map((line) => [line.split('\t')[0] ?? '', line.split('\t')[2]?.trim()]));
  return { pictures: await embedAll(folder, models), groupOf: (name) => groupOf.get(name) };
};

/** One run of the embedder here, ms. */
const timeOfOneRun = async ({ embedder }: FaceModels): Promise<number> => {
  const runs = 100;
  const before = process.cpuUsage();
  for (let i = 0; i < runs; i++) await embedder.run();
  const { user, system } = process.cpuUsage(before);
  return Number(((user + system) / 1_000 / runs).toFixed(1));
};

const main = async (): Promise<void> => {
  if (options.images === undefined)
    throw new Error(
      'usage: face-eval --images <folder> [--groups <folder>] [--pairs <tsv>] [--card-photo] [--card-photo-bytes <n>] [--model <id>]' +
        ' [--det <svg>] [--probe-light <factor>] [--probe-blur <sigma>] [--json]',
    );
  const models = await loadFaceModels(options.model);
  const pictures = await embedAll(options.images, models);
  const { scores, genuine, impostor } = compareAll(pictures);
  const threshold = shippedThreshold(models.embedder.entry as EmbeddingEntry);
  const atDefault = scores.at(threshold);
  const visits = perVisitFrr(pictures, threshold);
  const groupPictures = options.groups === undefined ? null : await readGroups(options.groups, models);
  const groups = groupPictures === null ? null : worstGroup(groupPictures, threshold);
  if (options.write !== undefined) {
    if (!options['card-photo'])
      throw new Error('face-eval: --write goes with --card-photo: that is what is compared with');
    await writeCalibration(modelsDir, options.model, {
      ...calibrate(pictures, groupPictures),
      date: new Date().toISOString().slice(0, 10),
      measuredOn: options.write,
      reference: 'card-photo',
      msPerFace: await timeOfOneRun(models),
    });
  }
  const isDefault = options.model === 'fr_feature' && options['probe-light'] === '1' && options['probe-blur'] === '0';
  const report = {
    profile: 'release',
    defaults: isDefault,
    model: options.model,
    reference: options['card-photo'] ? 'card-photo' : 'picture',
    images: pictures.length,
    failuresToAcquire: pictures.filter(({ probe, reference }) => probe === null || reference === null).length,
    genuine,
    impostor,
    ...ratesOf(scores),
    default: { threshold, far: percent(atDefault.far), frr: percent(atDefault.frr) },
    perVisitFrr: Number(visits.frr.toFixed(3)),
    visits: visits.visits,
    ...(groups === null ? {} : { groups }),
    ...(options.pairs === undefined ? {} : await pairAccuracy(options.pairs, pictures)),
  };
  if (options.det !== undefined)
    await writeFile(options.det, detPlot(`${options.model}, ${report.reference}`, scores.curve(1e-5, 80)));
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
  const isHeld = isDefault && options['card-photo'];
  if (isHeld && (visits.frr > mostPerVisitFrr || (groups?.worstFar ?? 0) > mostWorstFar)) process.exitCode = 1;
};

await main();
