import { expect, test } from 'vitest';
import { decodeDetections, suppressOverlaps } from '../../../src/face/models/detect-faces.ts';

const identity = { a: 1, b: 0, tx: 0, c: 0, d: 1, ty: 0 };
const face = (x: number, confidence: number) => ({ box: { x, y: 0, width: 10, height: 10 }, confidence });

const emptyOutputs = () => [
  new Float32Array(512).fill(-10),
  new Float32Array(512 * 16),
  new Float32Array(384).fill(-10),
  new Float32Array(384 * 16),
];

test('of boxes on one face the surest stays', () => {
  const kept = suppressOverlaps([face(0, 0.6), face(1, 0.9), face(2, 0.7), face(30, 0.5)]);
  expect(kept).toEqual([face(1, 0.9), face(30, 0.5)]);
});

test('a box that touches little of a surer one is another face', () => {
  expect(suppressOverlaps([face(0, 0.9), face(6, 0.8)])).toHaveLength(2);
});

test('no anchor speaks up: no face', () => {
  expect(decodeDetections(emptyOutputs(), identity)).toEqual([]);
});

test('an anchor of the fine grid: the third cell of the second row, its second anchor', () => {
  const outputs = emptyOutputs();
  const index = (1 * 16 + 2) * 2 + 1;
  outputs[0]?.fill(2, index, index + 1);
  outputs[1]?.set([4, -4, 20, 30, 1, 2], index * 16);
  const [found, ...more] = decodeDetections(outputs, { ...identity, a: 2, d: 2 });
  expect(more).toEqual([]);
  // Centre of the cell (40, 24), moved by (4, −4), twice as large in the picture.
  expect(found?.box).toEqual({ x: 2 * 44 - 20, y: 2 * 20 - 30, width: 40, height: 60 });
  expect(found?.points[0]).toEqual({ x: 2 * 41, y: 2 * 26 });
  expect(found?.confidence).toBeCloseTo(0.8808, 3);
});

test('an anchor of the coarse grid: the last of all', () => {
  const outputs = emptyOutputs();
  outputs[2]?.fill(0, 383, 384);
  outputs[3]?.set([0, 0, 8, 8], 383 * 16);
  expect(decodeDetections(outputs, identity)[0]?.box).toEqual({ x: 236, y: 236, width: 8, height: 8 });
});
