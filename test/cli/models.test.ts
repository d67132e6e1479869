/** `uketsuke models add` on small models of every shape that may come, and what the face process makes of one. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { floatTensor, floatValue, modelOf, node, writeModel } from '../../scripts/models/onnx.ts';
import { embeddingById, type Manifest } from '../../src/face/models/manifest.ts';
import { main } from '../../src/main.ts';

const folder = mkdtempSync(join(tmpdir(), 'uketsuke-models-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'manifest.json'), readFileSync(new URL('../../models/manifest.json', import.meta.url)));
const readManifest = (): Manifest => JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;

/** What comes pixel by pixel is flattened only. */
const flatModel = (inputShape: readonly number[]): Uint8Array =>
  writeModel(
    modelOf({
      name: 'flat',
      nodes: [node('Flatten', ['picture'], 'embedding')],
      initializers: [],
      inputs: [floatValue('picture', inputShape)],
      outputs: [floatValue('embedding')],
    }),
  );

/** One strided convolution over the picture, flattened: (side / 16)² × `outputs` numbers. */
const smallModel = (
  inputShape: readonly number[],
  { weight = (i: number) => Math.sin(i), outputs = 4 } = {},
): Uint8Array => {
  const channels = inputShape[1] ?? 3;
  const weights = Float32Array.from({ length: outputs * channels * 256 }, (_, i) => weight(i));
  return writeModel(
    modelOf({
      name: 'small',
      nodes: [
        node('Conv', ['picture', 'weights'], 'seen', { strides: [16, 16] }),
        node('Flatten', ['seen'], 'embedding'),
      ],
      initializers: [floatTensor('weights', [outputs, channels, 16, 16], weights)],
      inputs: [floatValue('picture', inputShape)],
      outputs: [floatValue('embedding')],
    }),
  );
};

const words = [
  '--models',
  folder,
  '--source',
  'own 1.0',
  '--licence',
  'by contract',
  '--training-data',
  'own pictures',
];
/** What the command wrote to standard error, and its exit code. */
const run = async (...args: string[]): Promise<{ told: string; status: number }> => {
  const told: string[] = [];
  const { stderr, stdout } = process;
  const [error, output] = [stderr.write, stdout.write];
  stderr.write = ((text: string) => told.push(text) > 0) as typeof stderr.write;
  stdout.write = (() => true) as typeof stdout.write;
  process.exitCode = 0;
  try {
    await main(['models', ...args]);
    return { told: told.join(''), status: Number(process.exitCode) };
  } finally {
    process.exitCode = 0;
    Object.assign(stderr, { write: error });
    Object.assign(stdout, { write: output });
  }
};
const add = (file: string | Uint8Array, ...more: string[]): ReturnType<typeof run> => {
  const path = typeof file === 'string' ? file : join(folder, 'given.onnx');
  if (typeof file !== 'string') writeFileSync(path, file);
  return run('add', path, ...words, ...more);
};

test('a model is entered with hash, shape and card, and without a calibration', async () => {
  const model = smallModel([1, 3, 64, 64]);
  expect((await add(model, '--id', 'small', '--channels', 'BGR')).status).toBe(0);
  const entry = embeddingById(readManifest(), 'small');
  expect(entry).toMatchObject({
    ...{ file: 'small.onnx', licenceStatus: 'unverified', dimensions: 64 },
    input: { name: 'picture', width: 64, height: 64, channels: 'BGR', layout: 'NCHW' },
  });
  expect(entry.calibration).toBeUndefined();
  expect(entry.alignment.template[0]?.x).toBeCloseTo((38.2946 * 64) / 112, 4);
  expect(readFileSync(join(folder, 'small.onnx'))).toEqual(Buffer.from(model));
  expect(readFileSync(join(folder, 'cards', 'small.md'), 'utf8')).toContain('None: not calibrated');
  // Everything that was there before is there still.
  expect(embeddingById(readManifest(), 'fr_feature').calibration).toBeDefined();
});

test('calibrate without a name takes the one model that is not measured, and asks where there are two', async () => {
  const calibrate = () => run('calibrate', '--models', folder, '--images', folder);
  expect((await calibrate()).told).toContain('blazeface.onnx: run scripts/setup-models');
  await add(smallModel([1, 3, 64, 64]), '--id', 'second');
  const { told, status } = await calibrate();
  expect(told).toBe('uketsuke models: name the model to measure; not yet measured: small, second\n');
  expect(status).toBe(2);
});

test.each<[string, () => string | Uint8Array, string[], string]>([
  ['no model', () => new TextEncoder().encode('{}'), [], 'no ONNX model that runs here'],
  ['a file that is not there', () => join(folder, 'nothing.onnx'), [], 'nothing.onnx: there is no such file'],
  ['pixel by pixel', () => flatModel([1, 64, 64, 3]), [], 'export it channel by channel'],
  ['grey', () => smallModel([1, 1, 64, 64]), [], 'three colour channels'],
  ['no square', () => smallModel([1, 3, 64, 96]), [], 'a square of a fixed size'],
  ['many at once', () => smallModel([4, 3, 64, 64]), [], 'one picture at a time'],
  ['too small a picture', () => smallModel([1, 3, 32, 32]), [], 'a side of 64 to 448'],
  ['too few numbers', () => smallModel([1, 3, 64, 64], { outputs: 2 }), [], 'has 32 numbers'],
  ['not finite', () => smallModel([1, 3, 64, 64], { weight: () => Number.NaN }), [], 'not finite'],
  ['the same for all', () => smallModel([1, 3, 64, 64], { weight: () => 0 }), [], 'is the same for different pictures'],
  ['a wrong id', () => smallModel([1, 3, 64, 64]), ['--id', '../escape'], 'is no id'],
  ["the detector's id", () => smallModel([1, 3, 64, 64]), ['--id', 'blazeface'], "this chain's detector"],
])('%s is refused in one sentence, and nothing is written', async (_, file, more, reason) => {
  const before = readFileSync(join(folder, 'manifest.json'), 'utf8');
  const { told, status } = await add(file(), ...(more.length > 0 ? more : ['--id', 'refused']));
  expect(status).toBe(2);
  expect(told).toContain('uketsuke models: ');
  expect(told).toContain(reason);
  expect(told.trim().split('\n')).toHaveLength(1);
  expect(readFileSync(join(folder, 'manifest.json'), 'utf8')).toBe(before);
  expect(existsSync(join(folder, 'refused.onnx'))).toBe(false);
});
