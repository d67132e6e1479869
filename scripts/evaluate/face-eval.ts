/**
 * How well the face chain tells people apart: all pairs of the pictures of a folder, identity = the name before
 * `_NNNN.jpg`. With `--groups`, false accepts among people of one label too: no rate for a people, as names are poor labels
 * and these are press pictures; it shows that one number does not hold for everybody. Embeddings are kept in memory only. A picture without a found face is a failure to acquire: its genuine
 * pairs count as false rejects.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { embedReference } from '../../src/face/attempt/embed-reference.ts';
import { embedStill, type FaceModels } from '../../src/face/attempt/face-pipeline.ts';
import type { EmbeddingEntry } from '../../src/face/models/manifest.ts';
import type { RgbImage } from '../../src/face/picture/sample-image.ts';
import { ScoreSet, tenfoldPairAccuracy } from './accuracy.ts';
import { asCardPhoto, readRgb } from './card-photo.ts';
import { detPlot } from './det-plot.ts';
import { groupRates, type Picture, personOf, perVisitFrr, score } from './group-rates.ts';
import { loadFaceModels } from './load-face-models.ts';

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
    'probe-light': { type: 'string', default: '1' },
    'probe-blur': { type: 'string', default: '0' },
  },
});

const fars = ['1e-2', '1e-3', '1e-4'] as const;
/** The person at the counter in worse light (1 = as it is), or out of focus (standard deviation in pixels). */
const spoilProbe = async (image: RgbImage, light: number, blur: number): Promise<RgbImage> => {
  if (light === 1 && blur === 0) return image;
  const { width, height } = image;
  const dimmed = sharp(image.rgb, { raw: { width, height, channels: 3 } }).linear(light, 0);
  const { data } = await (blur > 0 ? dimmed.blur(blur) : dimmed).raw().toBuffer({ resolveWithObject: true });
  return { width, height, rgb: new Uint8Array(data) };
};

const embedAll = async (folder: string, models: FaceModels): Promise<Picture[]> => {
  const names = (await readdir(folder)).filter((name) => /_\d{4}\.jpe?g$/i.test(name)).sort();
  const pictures: Picture[] = [];
  for (const [i, name] of names.entries()) {
    const image = await readRgb(join(folder, name));
    const probe = await embedStill(
      models,
      await spoilProbe(image, Number(options['probe-light']), Number(options['probe-blur'])),
    );
    const card = options['card-photo'] ? await asCardPhoto(image, Number(options['card-photo-bytes'])) : image;
    const reference = await embedReference(models, card);
    pictures.push({ name, person: personOf(name), probe, reference });
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

/** The worst group with enough comparisons, and all of them for whoever wants to see. */
const ratesByGroup = async (folder: string, models: FaceModels, threshold: number) => {
  const [, ...lines] = (await readFile(join(folder, 'groups.tsv'), 'utf8')).trim().split('\n');
  const groupOf = new Map(lines.map((line) => [line.split('\t')[0] ?? '', line.split('\t')[2]?.trim()]));
  const rates = groupRates(await embedAll(folder, models), (name) => groupOf.get(name), threshold);
  const worst = rates.toSorted((a, b) => b.far - a.far)[0];
  if (worst === undefined) throw new Error(`face-eval: ${folder} has no group with 10,000 comparisons`);
  const { group, comparisons, far, bound } = worst;
  return { worst: group, worstFar: Number(far.toFixed(4)), comparisons, bound: Number(bound.toFixed(4)) };
};

const main = async (): Promise<void> => {
  if (options.images === undefined)
    throw new Error(
      'usage: face-eval --images <folder> [--groups <folder>] [--pairs <tsv>] [--card-photo] [--card-photo-bytes <n>] [--model <id>]' +
        ' [--det <svg>] [--probe-light <factor>] [--probe-blur <sigma>] [--json]',
    );
  const models = await loadFaceModels(options.model);
  const pictures = await embedAll(options.images, models);
  const genuine: number[] = [];
  const impostor: number[] = [];
  for (const [i, first] of pictures.entries())
    for (const second of pictures.slice(i + 1))
      (first.person === second.person ? genuine : impostor).push(score(first, second));
  const scores = new ScoreSet(genuine, impostor);
  const { defaultThreshold } = models.embedder.entry as EmbeddingEntry;
  const atDefault = scores.at(defaultThreshold);
  const points = fars.map((far) => [far, scores.atFar(Number(far))] as const);
  const visits = perVisitFrr(pictures, defaultThreshold);
  const isDefault = options.model === 'fr_feature' && options['probe-light'] === '1' && options['probe-blur'] === '0';
  const report = {
    profile: 'release',
    defaults: isDefault,
    model: options.model,
    reference: options['card-photo'] ? 'card-photo' : 'picture',
    images: pictures.length,
    failuresToAcquire: pictures.filter(({ probe, reference }) => probe === null || reference === null).length,
    genuine: genuine.length,
    impostor: impostor.length,
    eer: percent(scores.equalErrorRate()),
    frr: Object.fromEntries(points.map(([far, { frr }]) => [far, percent(frr)])),
    thresholds: Object.fromEntries(points.map(([far, { threshold }]) => [far, Number(threshold.toFixed(4))])),
    default: { threshold: defaultThreshold, far: percent(atDefault.far), frr: percent(atDefault.frr) },
    perVisitFrr: Number(visits.frr.toFixed(3)),
    visits: visits.visits,
    ...(options.groups === undefined ? {} : { groups: await ratesByGroup(options.groups, models, defaultThreshold) }),
    ...(options.pairs === undefined ? {} : await pairAccuracy(options.pairs, pictures)),
  };
  if (options.det !== undefined)
    await writeFile(options.det, detPlot(`${options.model}, ${report.reference}`, scores.curve(1e-5, 80)));
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
};

await main();
