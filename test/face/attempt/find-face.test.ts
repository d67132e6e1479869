/** Of a face that is only seen beside the one that was looked for nothing is left. */
import { expect, test, vi } from 'vitest';
import { type FaceModels, findFace } from '../../../src/face/attempt/find-face.ts';
import { meshPoints } from '../../../src/face/models/find-landmarks.ts';
import type { ModelSession } from '../../../src/face/models/model-session.ts';

const valuesPerAnchor = 16;
/** Anchors of the fine grid, in the upper left and the lower right quarter of the picture. */
const [covered, free] = [2 * (4 * 16 + 4), 2 * (11 * 16 + 11)];

/** Sees a large face that no points are found of, and a small one. */
const seeingTwo = (): FaceModels => {
  const scores = new Float32Array(512).fill(-9);
  const boxes = new Float32Array(512 * valuesPerAnchor);
  for (const [anchor, side] of [
    [covered, 100],
    [free, 40],
  ] as const) {
    scores[anchor] = 5;
    boxes.set([0, 0, side, side], anchor * valuesPerAnchor);
  }
  const session = (side: number, run: () => Float32Array[]): ModelSession =>
    ({
      entry: { input: { width: side, height: side, layout: 'NHWC', channels: 'RGB', mean: 0, scale: 1 } },
      input: new Float32Array(side * side * 3),
      run: async () => run(),
    }) as unknown as ModelSession;
  let looks = 0;
  const points = Float32Array.from({ length: meshPoints * 3 }, (_, i) => 40 + (i % 97));
  // Each face is looked at twice; of the first nothing is sure.
  const landmarks = (): Float32Array[] => [points, Float32Array.of(looks++ < 2 ? 0.1 : 0.9)];
  return {
    detector: session(256, () => [scores, boxes, new Float32Array(384).fill(-9), new Float32Array(384 * 16)]),
    landmarker: session(192, landmarks),
    embedder: session(112, () => []),
  };
};

test('the points of a larger face that is not confirmed are overwritten', async () => {
  const models = seeingTwo();
  const made: Float32Array[] = [];
  const real = Float32Array;
  const keep = (array: Float32Array): Float32Array => {
    if (array.length === meshPoints * 3) made.push(array);
    return array;
  };
  vi.stubGlobal(
    'Float32Array',
    new Proxy(real, { construct: (target, args) => keep(Reflect.construct(target, args)) }),
  );
  const found = await findFace(models, { width: 256, height: 256, rgb: new Uint8Array(256 * 256 * 3) });
  vi.unstubAllGlobals();
  expect(found?.face.box.width).toBe(40);
  // A rough and an exact look at each face.
  expect(made).toHaveLength(4);
  expect(made.filter((mesh) => mesh.some((value) => value !== 0))).toEqual([found?.landmarks.mesh]);
});
