import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  alignFace,
  comparisonScore,
  embedAligned,
  embedBothSides,
  meanEmbedding,
  mirrorAligned,
} from '../../../src/face/models/embed-face.ts';
import type { ModelSession } from '../../../src/face/models/model-session.ts';

const coordinate = fc.double({ min: -1, max: 1, noNaN: true });
const direction = fc
  .array(coordinate, { minLength: 4, maxLength: 4 })
  .filter((values) => Math.hypot(...values) > 0.1)
  .map((values) => Float32Array.from(values, (value) => value / Math.hypot(...values)));
const times = (factor: number, vector: Float32Array): Float32Array => vector.map((value) => value * factor);

test('unit vectors are compared by their cosine', () => {
  expect(comparisonScore(Float32Array.of(1, 0), Float32Array.of(0.6, 0.8))).toBeCloseTo(0.6);
  expect(comparisonScore(Float32Array.of(1, 0), Float32Array.of(-1, 0))).toBeCloseTo(-1);
});

test('the logarithms of both lengths are added, whoever comes first', () => {
  fc.assert(
    fc.property(direction, direction, fc.double({ min: 0.9, max: 1.1, noNaN: true }), (a, b, factor) => {
      const longer = comparisonScore(times(factor, a), times(factor, b));
      expect(longer).toBeCloseTo(comparisonScore(a, b) + 2 * Math.log(factor), 4);
      expect(comparisonScore(times(factor, b), a)).toBeCloseTo(comparisonScore(a, times(factor, b)), 4);
    }),
  );
});

test('an embedding that has been overwritten matches nothing', () => {
  const wiped = new Float32Array(4);
  expect(comparisonScore(wiped, wiped)).toBe(-1);
  expect(comparisonScore(wiped, Float32Array.of(1, 0, 0, 0))).toBe(-1);
});

test('the mean lies between, and its length is the geometric mean: a longer vector has no more say in the direction', () => {
  const mean = meanEmbedding([Float32Array.of(1.1, 0), Float32Array.of(0, 0.9)]);
  expect(mean[0]).toBeCloseTo(mean[1] ?? Number.NaN);
  expect(Math.hypot(...mean)).toBeCloseTo(Math.sqrt(1.1 * 0.9));
});

test('the mean of one is that one', () => {
  fc.assert(
    fc.property(direction, (a) => {
      expect(comparisonScore(meanEmbedding([times(1.05, a)]), a)).toBeCloseTo(1 + Math.log(1.05), 4);
    }),
  );
});

/** An embedder whose output depends on its input as told. */
const embedding = (outputOf: (input: Float32Array) => readonly number[], weight = 0.125): ModelSession => {
  const input = Float32Array.from({ length: 4 * 2 * 3 }, (_, i) => i % 4);
  const entry = { input: { width: 4, height: 2, layout: 'NCHW' }, lengthCalibration: { typicalLength: 5, weight } };
  return { entry, input, run: async () => [Float32Array.from(outputOf(input))] } as unknown as ModelSession;
};
const unit = Float32Array.of(0.6, 0.8);

test.each([
  ['as long as usual', [3, 4], 0],
  ['a little short', [2.7, 3.6], 0.125 * Math.log(1 / 0.9)],
  ['a little long', [3.3, 4.4], 0.125 * Math.log(1 / 1.1)],
  ['far too short: bounded', [0.3, 0.4], 0.125 * 0.4],
  ['far too long: bounded', [300, 400], -0.125 * 0.4],
])('an output that is %s', async (_, output, added) => {
  expect(comparisonScore(await embedAligned(embedding(() => output)), unit)).toBeCloseTo(1 + added);
});

test('a model without calibration is compared by the cosine alone', async () => {
  const short = await embedAligned(embedding(() => [0.3, 0.4], 0));
  expect(comparisonScore(short, unit)).toBeCloseTo(1);
});

test('a model that gives nothing but zeros matches nobody', async () => {
  const nothing = await embedBothSides(embedding(() => [0, 0]));
  expect(comparisonScore(nothing, unit)).toBe(-1);
  expect(comparisonScore(nothing, nothing)).toBe(-1);
});

test('both sides: the face as it is and mirrored have the same say', async () => {
  // The first pixel of a row is 0 as it is and 3 mirrored.
  const both = await embedBothSides(embedding(([first]) => (first === 0 ? [5, 0] : [0, 5])));
  expect(both[0]).toBeCloseTo(Math.SQRT1_2);
  expect(both[1]).toBeCloseTo(Math.SQRT1_2);
});

describe('alignFace', () => {
  const size = 40;
  const template = [
    { x: 10, y: 10 },
    { x: 30, y: 10 },
    { x: 20, y: 30 },
  ];
  const entry = {
    input: { width: size, height: size, layout: 'NCHW', channels: 'RGB', mean: 0, scale: 1 },
    alignment: { points: [[0], [1], [2]], template },
  };
  const embedder = { entry, input: new Float32Array(size * size * 3) } as unknown as ModelSession;
  /** A face whose points lie where the template wants them, with one white pixel at (10, 20). */
  const mesh = Float32Array.from(template.flatMap(({ x, y }) => [x, y, 0]));
  const rgb = new Uint8Array(size * size * 3);
  rgb.fill(255, (20 * size + 10) * 3, (20 * size + 10) * 3 + 3);
  const image = { width: size, height: size, rgb };
  /** The brightest pixel of the aligned crop. */
  const spot = (): { x: number; y: number } => {
    const red = embedder.input.subarray(0, size * size);
    const at = red.indexOf(Math.max(...red));
    return { x: at % size, y: Math.floor(at / size) };
  };

  test.each([
    ['as the template says', { scale: 1, shiftY: 0 }, { x: 10, y: 20 }],
    ['a tenth lower', { scale: 1, shiftY: 0.1 }, { x: 10, y: 24 }],
    ['a tenth higher', { scale: 1, shiftY: -0.1 }, { x: 10, y: 16 }],
    ['half as large again, around the middle', { scale: 1.5, shiftY: 0 }, { x: 5, y: 20 }],
  ])('%s', (_, view, at) => {
    expect(alignFace(embedder, image, mesh, view)).toBe(true);
    expect(spot()).toEqual(at);
  });

  test('mirrored, left is right', () => {
    alignFace(embedder, image, mesh);
    mirrorAligned(embedder);
    expect(spot()).toEqual({ x: size - 1 - 10, y: 20 });
  });

  test('points that all lie on one place span no face', () => {
    expect(alignFace(embedder, image, new Float32Array(mesh.length))).toBe(false);
  });
});
