/**
 * Other JavaScript face libraries on the same frames, on TensorFlow.js' WebAssembly backend. They are installed into
 * .cache/bench-face, for this comparison alone.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { RgbImage } from '../../src/face/sample-image.ts';

const folder = fileURLToPath(new URL('../../.cache/bench-face', import.meta.url));
const packages = [
  '@vladmandic/face-api@1.7.15',
  '@vladmandic/human@3.3.6',
  '@tensorflow/tfjs@4.22.0',
  '@tensorflow/tfjs-backend-wasm@4.22.0',
];

// biome-ignore lint/suspicious/noExplicitAny: TensorFlow.js and its users come without types that would help here
type Foreign = any;

/** Median in ms, or null with a line on stderr when the library cannot be made to run. */
export type Rival = { readonly name: string; readonly time: (frames: readonly RgbImage[]) => Promise<number[]> };

const install = (): void => {
  if (existsSync(join(folder, 'node_modules/@vladmandic/human'))) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...packages], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
};

const timeEach = async (
  frames: readonly RgbImage[],
  look: (frame: RgbImage) => Promise<boolean>,
): Promise<number[]> => {
  const times: number[] = [];
  for (const [i, frame] of [...frames.slice(0, 3), ...frames].entries()) {
    const startedMs = performance.now();
    const found = await look(frame);
    // A frame in which it finds nothing costs it less: such a frame is left out.
    if (i >= 3 && found) times.push(performance.now() - startedMs);
  }
  if (times.length === 0) throw new Error('finds no face in any frame');
  return times;
};

const startBackend = async (require: NodeJS.Require): Promise<Foreign> => {
  const tf: Foreign = require('@tensorflow/tfjs');
  const wasm: Foreign = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${join(folder, 'node_modules/@tensorflow/tfjs-backend-wasm/dist')}/`);
  await tf.setBackend('wasm');
  await tf.ready();
  return tf;
};

const faceApi: Rival = {
  name: 'faceApi',
  time: async (frames) => {
    const require = createRequire(join(folder, 'package.json'));
    const tf = await startBackend(require);
    const api: Foreign = require('@vladmandic/face-api/dist/face-api.node-wasm.js');
    const models = join(folder, 'node_modules/@vladmandic/face-api/model');
    for (const net of ['tinyFaceDetector', 'faceLandmark68Net', 'faceRecognitionNet'])
      await api.nets[net].loadFromDisk(models);
    return timeEach(frames, async ({ rgb, width, height }) => {
      const tensor = tf.tensor3d(rgb, [height, width, 3], 'int32');
      const found = await api
        .detectSingleFace(tensor, new api.TinyFaceDetectorOptions())
        .withFaceLandmarks()
        .withFaceDescriptor();
      tensor.dispose();
      return found !== undefined;
    });
  },
};

const human: Rival = {
  name: 'human',
  time: async (frames) => {
    const require = createRequire(join(folder, 'package.json'));
    const { default: Human }: Foreign = require(join(folder, 'node_modules/@vladmandic/human/dist/human.node-wasm.js'));
    const instance: Foreign = new Human({
      backend: 'wasm',
      wasmPath: `${join(folder, 'node_modules/@tensorflow/tfjs-backend-wasm/dist')}/`,
      modelBasePath: `${pathToFileURL(join(folder, 'node_modules/@vladmandic/human/models'))}/`,
      debug: false,
      cacheSensitivity: 0,
      filter: { enabled: false },
      face: {
        enabled: true,
        detector: { rotation: true },
        mesh: { enabled: true },
        iris: { enabled: false },
        description: { enabled: true },
        emotion: { enabled: false },
      },
      body: { enabled: false },
      hand: { enabled: false },
      gesture: { enabled: false },
    });
    // It loads with fetch(), which knows no file: addresses here.
    const fetchOfNode = globalThis.fetch;
    globalThis.fetch = async (address) =>
      String(address).startsWith('file:')
        ? new Response(await readFile(new URL(String(address))))
        : fetchOfNode(address);
    await instance.load();
    globalThis.fetch = fetchOfNode;
    return timeEach(frames, async ({ rgb, width, height }) => {
      const tensor = instance.tf.tensor3d(rgb, [height, width, 3], 'int32');
      const result = await instance.detect(tensor);
      instance.tf.dispose(tensor);
      return result.face.length > 0 && result.face[0].embedding?.length > 0;
    });
  },
};

/** Times of each library for each frame; null for one that cannot be made to run here. */
export const timeRivals = async (frames: readonly RgbImage[]): Promise<Record<string, number[] | null>> => {
  const times: Record<string, number[] | null> = {};
  for (const { name, time } of [faceApi, human]) {
    try {
      install();
      times[name] = await time(frames);
    } catch (error) {
      process.stderr.write(
        `bench-face: ${name} does not run here: ${error instanceof Error ? error.message : error}\n`,
      );
      times[name] = null;
    }
  }
  return times;
};
