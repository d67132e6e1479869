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
import type { RgbImage } from '../../src/face/picture/sample-image.ts';

const folder = fileURLToPath(new URL('../../.cache/bench-face', import.meta.url));
const packages = [
  '@vladmandic/face-api@1.7.15',
  '@vladmandic/human@3.3.6',
  '@tensorflow/tfjs@4.22.0',
  '@tensorflow/tfjs-backend-wasm@4.22.0',
];

// biome-ignore lint/suspicious/noExplicitAny: TensorFlow.js and its users come without types that would help here
type Foreign = any;

/** Whether a face was found in the frame and described. */
type Look = (frame: RgbImage) => Promise<boolean>;
export type Rival = { readonly name: 'faceApi' | 'human'; readonly look: Look };

const install = (): void => {
  if (existsSync(join(folder, 'node_modules/@vladmandic/human'))) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...packages], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
};

const startBackend = async (require: NodeJS.Require): Promise<Foreign> => {
  const tf: Foreign = require('@tensorflow/tfjs');
  const wasm: Foreign = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${join(folder, 'node_modules/@tensorflow/tfjs-backend-wasm/dist')}/`);
  await tf.setBackend('wasm');
  await tf.ready();
  return tf;
};

const loadFaceApi = async (): Promise<Look> => {
  const require = createRequire(join(folder, 'package.json'));
  const tf = await startBackend(require);
  const api: Foreign = require('@vladmandic/face-api/dist/face-api.node-wasm.js');
  const models = join(folder, 'node_modules/@vladmandic/face-api/model');
  for (const net of ['tinyFaceDetector', 'faceLandmark68Net', 'faceRecognitionNet'])
    await api.nets[net].loadFromDisk(models);
  return async ({ rgb, width, height }) => {
    const tensor = tf.tensor3d(rgb, [height, width, 3], 'int32');
    const found = await api
      .detectSingleFace(tensor, new api.TinyFaceDetectorOptions())
      .withFaceLandmarks()
      .withFaceDescriptor();
    tensor.dispose();
    return found !== undefined;
  };
};

const loadHuman = async (): Promise<Look> => {
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
    String(address).startsWith('file:') ? new Response(await readFile(new URL(String(address)))) : fetchOfNode(address);
  await instance.load();
  globalThis.fetch = fetchOfNode;
  return async ({ rgb, width, height }) => {
    const tensor = instance.tf.tensor3d(rgb, [height, width, 3], 'int32');
    const result = await instance.detect(tensor);
    instance.tf.dispose(tensor);
    return result.face.length > 0 && result.face[0].embedding?.length > 0;
  };
};

/** The libraries that run here, with their models loaded; a line on stderr for one that does not. */
export const loadRivals = async (frame: RgbImage): Promise<Rival[]> => {
  const rivals: Rival[] = [];
  for (const [name, load] of [['faceApi', loadFaceApi] as const, ['human', loadHuman] as const]) {
    try {
      install();
      const look = await load();
      for (let i = 0; i < 3; i++) await look(frame); // until the code is compiled
      rivals.push({ name, look });
    } catch (error) {
      process.stderr.write(
        `bench-face: ${name} does not run here: ${error instanceof Error ? error.message : error}\n`,
      );
    }
  }
  return rivals;
};
