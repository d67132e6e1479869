import { expect, test } from 'vitest';
import { readModel, writeModel } from '../../../scripts/models/onnx.ts';
import { convertTfjs, permute, type TfjsModel, type TfNode } from '../../../scripts/models/tfjs-to-onnx.ts';
import { decodeWeights, halfToFloat, type WeightEntry } from '../../../scripts/models/tfjs-weights.ts';
import { ort } from '../../../src/face/models/runtime.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const list = (...numbers: number[]) => ({ list: { i: numbers.map(String) } });
const values = (count: number, seed = 1): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 1.7 * seed));

type TestWeight = { name: string; shape: number[]; values: Float32Array | Int32Array };

const modelOf = (
  inputShape: number[],
  nodes: TfNode[],
  weights: TestWeight[],
): { model: TfjsModel; bin: Uint8Array } => {
  const dim = inputShape.map((size) => ({ size: String(size) }));
  const parts = weights.map(({ values: each }) => Buffer.from(each.buffer));
  const entries: WeightEntry[] = weights.map(({ name, shape, values: each }) => ({
    name,
    shape,
    dtype: each instanceof Int32Array ? 'int32' : 'float32',
  }));
  return {
    model: {
      modelTopology: {
        node: [
          { name: 'input', op: 'Placeholder', attr: { shape: { shape: { dim } } } },
          ...weights.map(({ name }) => ({ name, op: 'Const' })),
          ...nodes,
        ],
      },
      weightsManifest: [{ weights: entries }],
    },
    bin: Buffer.concat(parts),
  };
};

const run = async (model: TfjsModel, bin: Uint8Array, input: Float32Array, shape: number[]): Promise<number[]> => {
  const session = await ort.InferenceSession.create(writeModel(convertTfjs(model, bin)), { logSeverityLevel: 3 });
  const outputs = await session.run({ input: new ort.Tensor('float32', input, shape) });
  return Array.from(outputs.Identity?.data as Float32Array);
};

/** TensorFlow's convolution written out: NHWC, SAME padding with the odd pixel at the lower right. */
const referenceConvolution = (
  input: Float32Array,
  [height, width, channels]: readonly [number, number, number],
  kernel: Float32Array,
  [ky, kx, outputs]: readonly [number, number, number],
  stride: number,
  depthwise: boolean,
): number[] => {
  const outHeight = Math.ceil(height / stride);
  const outWidth = Math.ceil(width / stride);
  const padTop = Math.floor(Math.max(0, (outHeight - 1) * stride + ky - height) / 2);
  const padLeft = Math.floor(Math.max(0, (outWidth - 1) * stride + kx - width) / 2);
  const result: number[] = [];
  for (let y = 0; y < outHeight; y++)
    for (let x = 0; x < outWidth; x++)
      for (let o = 0; o < outputs; o++) {
        let sum = 0;
        for (let j = 0; j < ky; j++)
          for (let i = 0; i < kx; i++)
            for (let c = 0; c < channels; c++) {
              const sy = y * stride + j - padTop;
              const sx = x * stride + i - padLeft;
              if (sy < 0 || sx < 0 || sy >= height || sx >= width || (depthwise && c !== o)) continue;
              const weight = depthwise
                ? kernel[(j * kx + i) * channels + c]
                : kernel[((j * kx + i) * channels + c) * outputs + o];
              sum += (input[(sy * width + sx) * channels + c] ?? 0) * (weight ?? 0);
            }
        result.push(sum);
      }
  return result;
};

const flatten = (from: string): TfNode[] => [
  { name: 'flat', op: 'Reshape', input: [from, 'flatShape'] },
  { name: 'Identity', op: 'Identity', input: ['flat'] },
];
const flatShape: TestWeight = { name: 'flatShape', shape: [2], values: Int32Array.of(1, -1) };
const picture = [4, 6, 3] as const;

test.each([1, 2])('a convolution with SAME padding and stride %i gives what TensorFlow gives', async (stride) => {
  const kernel = values(3 * 3 * 3 * 5);
  const conv: TfNode = {
    name: 'conv',
    op: 'Conv2D',
    input: ['input', 'kernel'],
    attr: { strides: list(1, stride, stride, 1), dilations: list(1, 1, 1, 1), padding: { s: base64('SAME') } },
  };
  const { model, bin } = modelOf(
    [-1, ...picture],
    [conv, ...flatten('conv')],
    [{ name: 'kernel', shape: [3, 3, 3, 5], values: kernel }, flatShape],
  );
  const input = values(4 * 6 * 3, 0.3);
  const expected = referenceConvolution(input, picture, kernel, [3, 3, 5], stride, false);
  const found = await run(model, bin, input, [1, ...picture]);
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 4);
});

test('a depthwise convolution keeps channels apart', async () => {
  const kernel = values(3 * 3 * 3);
  const conv: TfNode = {
    name: 'conv',
    op: 'DepthwiseConv2dNative',
    input: ['input', 'kernel'],
    attr: { strides: list(1, 2, 2, 1), padding: { s: base64('SAME') } },
  };
  const { model, bin } = modelOf(
    [1, ...picture],
    [conv, ...flatten('conv')],
    [{ name: 'kernel', shape: [3, 3, 3, 1], values: kernel }, flatShape],
  );
  const input = values(4 * 6 * 3, 0.3);
  const expected = referenceConvolution(input, picture, kernel, [3, 3, 3], 2, true);
  const found = await run(model, bin, input, [1, ...picture]);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 4);
});

test('bias and PReLU fused into a convolution are applied in that order', async () => {
  const conv: TfNode = {
    name: 'conv',
    op: '_FusedConv2D',
    input: ['input', 'kernel', 'bias', 'slope'],
    attr: {
      strides: list(1, 1, 1, 1),
      padding: { s: base64('VALID') },
      fused_ops: { list: { s: [base64('BiasAdd'), base64('Prelu')] } },
    },
  };
  const { model, bin } = modelOf(
    [1, 1, 2, 1],
    [conv, ...flatten('conv')],
    [
      { name: 'kernel', shape: [1, 1, 1, 2], values: Float32Array.of(1, -1) },
      { name: 'bias', shape: [2], values: Float32Array.of(-3, 0) },
      { name: 'slope', shape: [1, 1, 2], values: Float32Array.of(0.5, 0.25) },
      flatShape,
    ],
  );
  expect(await run(model, bin, Float32Array.of(1, 4), [1, 1, 2, 1])).toEqual([-1, -0.25, 1, -1]);
});

test('padding of channels and a reshape keep the NHWC order of the elements', async () => {
  const pad: TfNode = { name: 'pad', op: 'Pad', input: ['input', 'paddings'] };
  const { model, bin } = modelOf(
    [1, 1, 2, 2],
    [pad, ...flatten('pad')],
    [{ name: 'paddings', shape: [4, 2], values: Int32Array.of(0, 0, 0, 0, 0, 0, 0, 1) }, flatShape],
  );
  expect(await run(model, bin, Float32Array.of(1, 2, 3, 4), [1, 1, 2, 2])).toEqual([1, 2, 0, 3, 4, 0]);
});

test('nodes may come in any order', async () => {
  const { model, bin } = modelOf(
    [1, 1, 1, 2],
    [
      ...flatten('sum').reverse(),
      { name: 'sum', op: 'AddV2', input: ['input', 'relu'] },
      { name: 'relu', op: 'Relu', input: ['input'] },
    ],
    [flatShape],
  );
  expect(await run(model, bin, Float32Array.of(-1, 2), [1, 1, 1, 2])).toEqual([-1, 4]);
});

test('the same model gives the same bytes, and they can be read again', () => {
  const { model, bin } = modelOf([1, 1, 1, 2], flatten('input'), [flatShape]);
  const bytes = writeModel(convertTfjs(model, bin));
  expect(writeModel(convertTfjs(model, bin))).toEqual(bytes);
  expect(writeModel(readModel(bytes))).toEqual(bytes);
});

test('an unknown operation is refused by name', () => {
  const { model, bin } = modelOf([1, 1, 1, 1], [{ name: 'x', op: 'FancyOp', input: ['input'] }], []);
  expect(() => convertTfjs(model, bin)).toThrow('FancyOp');
});

test('half precision', () => {
  const known = [
    [0x3c00, 1],
    [0xc000, -2],
    [0x0001, 2 ** -24],
    [0x7bff, 65504],
    [0x7c00, Number.POSITIVE_INFINITY],
  ] as const;
  for (const [half, value] of known) expect(halfToFloat(half)).toBe(value);
});

test('weights quantised to 8 bits are scaled back', () => {
  const entry = { name: 'w', shape: [3], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } };
  expect(decodeWeights([entry], Uint8Array.of(0, 2, 255)).get('w')?.values).toEqual(Float32Array.of(-1, 0, 126.5));
});

test.each([0, 3, 5])('a weight file of %i bytes for one float is refused', (length) => {
  expect(() => decodeWeights([{ name: 'w', shape: [1], dtype: 'float32' }], new Uint8Array(length))).toThrow();
});

test('axes are moved', () => {
  const moved = permute({ shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) }, [1, 0]);
  expect(moved).toEqual({ shape: [3, 2], values: Float32Array.of(1, 4, 2, 5, 3, 6) });
});
