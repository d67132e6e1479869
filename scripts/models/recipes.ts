/** Which files each model is built from, and how. Hashes of inputs are pinned here, of outputs in models/manifest.json. */
import type { NpmPackage, SourceFile } from './npm-source.ts';
import { readModel, writeModel } from './onnx.ts';
import { flushTinyWeights, replacePRelu } from './onnx-rewrites.ts';
import { convertTfjs, type TfjsModel } from './tfjs-to-onnx.ts';

const human: NpmPackage = {
  name: '@vladmandic/human',
  version: '3.3.6',
  integrity: 'sha512-Nr5mPfq1gQ+uKeXY5uM3Fj8UxvF5CEh2s6txM5wRThqaW0mF9huooOuZSrT8hhGho0hGaXLFdAwfD/2+teCv6A==',
};
export const faceApi: NpmPackage = {
  name: '@vladmandic/face-api',
  version: '1.7.15',
  integrity: 'sha512-WDMmK3CfNLo8jylWqMoQgf4nIst3M0fzx1dnac96wv/dvMTN4DxC/Pq1DGtduDk1lktCamQ3MIDXFnvrdHTXDw==',
};
/** Packed, never installed: its dependency list drags in jest, eslint and babel. */
const faceplugin: NpmPackage = {
  name: 'faceplugin-face-recognition-js',
  version: '0.0.1',
  integrity: 'sha512-shriXjd4zJHEwhK1jHK+bWo8Vv6Vu9B/w6RRsd4AFtNM/jaI2vhuOamOSMl9qQmLd8WlQ7dgqN+3C2iOi5pXWw==',
};

export type Recipe = {
  /** File name in models/. */
  readonly file: string;
  readonly sources: readonly SourceFile[];
  /** Gets the sources' bytes in their order. */
  readonly build: (...sources: Uint8Array[]) => Uint8Array;
};

const graphModel = (json: Uint8Array | undefined): TfjsModel => JSON.parse(new TextDecoder().decode(json)) as TfjsModel;

const required = (bytes: Uint8Array | undefined): Uint8Array => {
  if (bytes === undefined) throw new Error('a recipe needs one more source');
  return bytes;
};

const fromTfjs = (json: Uint8Array | undefined, bin: Uint8Array | undefined): Uint8Array => {
  const model = convertTfjs(graphModel(json), required(bin));
  replacePRelu(model);
  return writeModel(model);
};

export const recipes: readonly Recipe[] = [
  {
    file: 'blazeface.onnx',
    sources: [
      {
        npm: human,
        path: 'models/blazeface.json',
        sha256: 'cd7bbfc078270572beb39f9e5ae67aadbd50b5e67cff37e6d4f6b3ea39312e5f',
      },
      {
        npm: human,
        path: 'models/blazeface.bin',
        sha256: 'dc9a97fdc50bc43216554bdd69aa3e7b9361a519ee7bdd996a2f69a98a6f9b72',
      },
    ],
    build: fromTfjs,
  },
  {
    file: 'facemesh.onnx',
    sources: [
      {
        npm: human,
        path: 'models/facemesh.json',
        sha256: 'b60ca26f404724f43bd2b1575761d8265180e1f053cc0731caa68462927309e7',
      },
      {
        npm: human,
        path: 'models/facemesh.bin',
        sha256: '3826da640b0a3021161605369ee6af293f75d518040355b960ec71a3390c1c0b',
      },
    ],
    build: fromTfjs,
  },
  {
    file: 'fr_feature.onnx',
    sources: [
      {
        npm: faceplugin,
        path: 'model/fr_feature.onnx',
        sha256: '87aacdfe57510db2af90c0251df680e8eec88f122ee94712121d09bcaaaf3581',
      },
    ],
    build: (onnx) => {
      const model = readModel(required(onnx));
      flushTinyWeights(model);
      replacePRelu(model);
      return writeModel(model);
    },
  },
  {
    file: 'fr_detect.onnx',
    sources: [
      {
        npm: faceplugin,
        path: 'model/fr_detect.onnx',
        sha256: '6c0256ccd3164f844736a401faf936ec2930764a87ae39442180887d0c5c8854',
      },
    ],
    build: required,
  },
  {
    file: 'fr_liveness.onnx',
    sources: [
      {
        npm: faceplugin,
        path: 'model/fr_liveness.onnx',
        sha256: 'afa783b7e902fdfcf323a7240cac2a1c580c25314ea4161129dc1b0d100dc32d',
      },
    ],
    build: required,
  },
];
