import { expect, test } from 'vitest';
import {
  floatsOf,
  floatTensor,
  floatValue,
  type Model,
  modelOf,
  node,
  writeModel,
} from '../../../scripts/models/onnx.ts';
import { flushTinyWeights, replacePRelu } from '../../../scripts/models/onnx-rewrites.ts';
import { ort } from '../../../src/face/models/runtime.ts';

const preluModel = (): Model =>
  modelOf({
    name: 'prelu',
    nodes: [node('PRelu', ['x', 'slope'], 'y')],
    initializers: [floatTensor('slope', [2, 1, 1], Float32Array.of(0.25, 2))],
    inputs: [floatValue('x', [1, 2, 1, 2])],
    outputs: [floatValue('y', [1, 2, 1, 2])],
  });

const run = async (model: Model): Promise<number[]> => {
  const session = await ort.InferenceSession.create(writeModel(model), { logSeverityLevel: 3 });
  const x = new ort.Tensor('float32', Float32Array.of(-1, 2, -3, 4), [1, 2, 1, 2]);
  return Array.from((await session.run({ x })).y?.data as Float32Array);
};

test('PReLU as two depthwise convolutions gives the same', async () => {
  const model = preluModel();
  expect(replacePRelu(model)).toBe(1);
  expect(model.graph.nodes.map(({ opType }) => opType)).toEqual(['Relu', 'Conv', 'Conv', 'Add']);
  expect(model.graph.initializers.map(({ name }) => name)).toEqual(['y/slope', 'y/rest']);
  expect(await run(model)).toEqual([-0.25, 2, -6, 4]);
  expect(await run(model)).toEqual(await run(preluModel()));
});

test('a PReLU with a slope for each pixel stays as it is', () => {
  const model = preluModel();
  model.graph.initializers = [floatTensor('slope', [2, 1, 2], Float32Array.of(1, 2, 3, 4))];
  expect(replacePRelu(model)).toBe(0);
  expect(model.graph.nodes).toHaveLength(1);
});

test('tiny weights become zero, all others stay to the bit', () => {
  const model = preluModel();
  model.graph.initializers = [floatTensor('w', [5], Float32Array.of(1e-15, -9e-16, 1e-40, 0, -0.5))];
  expect(flushTinyWeights(model)).toBe(2);
  const [flushed] = model.graph.initializers;
  expect(flushed && Array.from(floatsOf(flushed))).toEqual([Math.fround(1e-15), 0, 0, 0, -0.5]);
});
