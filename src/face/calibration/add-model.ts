/** Another embedding model: is the file what this chain can feed, and what does its entry in the manifest say? */
import { createHash } from 'node:crypto';
import type { EmbeddingEntry } from '../models/manifest.ts';
import { ort } from '../models/runtime.ts';
import type { InputFormat } from '../picture/sample-image.ts';

/** What the file itself does not tell. */
type ModelWords = {
  readonly id: string;
  readonly source: string;
  readonly licence: string;
  readonly licenceIsClear: boolean;
  readonly trainingData: string;
  readonly limits: string;
  readonly channels: InputFormat['channels'];
  readonly mean: number;
  readonly scale: number;
};

/** FaceMesh points: both eyes, the tip of the nose, both corners of the mouth. */
const points = [[33, 133, 159, 145], [362, 263, 386, 374], [1], [61], [291]];
/** Where ArcFace and its successors want them, in a crop of 112×112. */
const templateSide = 112;
const template = [
  { x: 38.2946, y: 51.6963 },
  { x: 73.5318, y: 51.5014 },
  { x: 56.0252, y: 71.7366 },
  { x: 41.5493, y: 92.3655 },
  { x: 70.7299, y: 92.2041 },
];
const sides = { least: 64, most: 448 } as const;
const dimensions = { least: 64, most: 4_096 } as const;

type Shape = { readonly layout: 'NCHW' | 'NHWC'; readonly side: number };

/** @throws Error with what is wrong: the embedder is fed one square colour picture, aligned, channel by channel */
const shapeOf = (input: ort.InferenceSession.ValueMetadata): Shape => {
  if (!input.isTensor || input.type !== 'float32')
    throw new Error(`input ${input.name} is ${input.isTensor ? input.type : 'no tensor'}; float32 is needed`);
  const dims = input.shape;
  const told = `[${dims.join(', ')}]`;
  if (dims.length !== 4) throw new Error(`input ${input.name} is ${told}; a batch of pictures has four dimensions`);
  const [batch, first, second, third] = dims;
  if (typeof batch === 'number' && batch !== 1)
    throw new Error(`input ${input.name} is ${told}; one picture at a time is fed`);
  if (third === 3 && first !== 3)
    throw new Error(`input ${input.name} is ${told}: pixel by pixel; export it channel by channel, [1, 3, side, side]`);
  if (first !== 3) throw new Error(`input ${input.name} is ${told}; three colour channels are needed`);
  if (typeof second !== 'number' || second !== third)
    throw new Error(`input ${input.name} is ${told}; a square of a fixed size is needed`);
  if (second < sides.least || second > sides.most)
    throw new Error(`input ${input.name} is ${told}; a side of ${sides.least} to ${sides.most} pixels is expected`);
  return { layout: 'NCHW', side: second };
};

const only = <T>(what: string, all: readonly T[]): T => {
  const [first] = all;
  if (first === undefined || all.length > 1) throw new Error(`the model has ${all.length} ${what}; one is needed`);
  return first;
};

/** A picture of stripes, so that two of them differ everywhere. */
const stripes = (length: number, period: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(i / period));

/** Two vectors of nothing point the same way. */
const cosine = (a: Float32Array, b: Float32Array): number => {
  let [dot, first, second] = [0, 0, 0];
  for (const [i, value] of a.entries()) {
    const other = b[i] as number;
    dot += value * other;
    first += value * value;
    second += other * other;
  }
  return first * second > 0 ? dot / Math.sqrt(first * second) : 1;
};

/**
 * Opens the model, runs it on two patterns and makes its entry, without a calibration.
 * @throws Error in a sentence that says what the file lacks
 */
export const examineModel = async (onnx: Uint8Array, words: ModelWords): Promise<EmbeddingEntry> => {
  const session = await ort.InferenceSession.create(onnx, { intraOpNumThreads: 1, logSeverityLevel: 3 }).catch(
    (error: Error) => {
      throw new Error(`no ONNX model that runs here: ${error.message}`);
    },
  );
  const { layout, side } = shapeOf(only('inputs', session.inputMetadata));
  const inputName = only('inputs', session.inputNames);
  const outputName = only('outputs', session.outputNames);
  const run = async (period: number): Promise<Float32Array> => {
    const picture = new ort.Tensor('float32', stripes(3 * side * side, period), [1, 3, side, side]);
    const { data } = (await session.run({ [inputName]: picture }))[outputName] as ort.Tensor;
    if (!(data instanceof Float32Array)) throw new Error(`output ${outputName} is not float32`);
    return data.slice();
  };
  const [one, other] = [await run(7), await run(61)];
  if (one.length < dimensions.least || one.length > dimensions.most)
    throw new Error(
      `output ${outputName} has ${one.length} numbers; an embedding has ${dimensions.least} to ${dimensions.most}`,
    );
  if (![...one, ...other].every(Number.isFinite)) throw new Error(`output ${outputName} is not finite`);
  if (cosine(one, other) > 0.9999) throw new Error(`output ${outputName} is the same for different pictures`);
  const { id, source, licence, licenceIsClear, trainingData, limits, channels, mean, scale } = words;
  return {
    id,
    role: 'embedding',
    file: `${id}.onnx`,
    sha256: createHash('sha256').update(onnx).digest('hex'),
    source,
    licence,
    licenceStatus: licenceIsClear ? 'clear' : 'unverified',
    trainingData,
    limits,
    input: { name: inputName, layout, width: side, height: side, channels, mean, scale },
    outputs: [outputName],
    alignment: {
      points,
      template: template.map(({ x, y }) => ({ x: (x * side) / templateSide, y: (y * side) / templateSide })),
    },
    metric: 'cosine',
    // What the length of this model's output says of a picture was not measured: it says nothing then.
    lengthCalibration: { typicalLength: 1, weight: 0 },
    dimensions: one.length,
  };
};
