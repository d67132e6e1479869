import { expect, test } from 'vitest';
import { judgeDepth } from '../../../src/face/attempt/judge-depth.ts';
import type { DepthFrame } from '../../../src/ports/depth-camera.ts';

const width = 80;
const height = 60;
/** The face takes the middle of the picture; millimetres from its middle. */
const face = { x: 0.25, y: 0.2, width: 0.5, height: 0.6 };
const grain = (x: number, y: number): number => ((x * 31 + y * 17) % 7) - 3;

const measured = (depthAt: (xMm: number, yMm: number) => number, infrared?: number): DepthFrame => {
  const depthMm = Uint16Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    const depth = depthAt(((x / width - 0.5) / face.width) * 150, ((y / height - 0.5) / face.height) * 200);
    return depth === 0 ? 0 : depth + grain(x, y);
  });
  const light = infrared === undefined ? {} : { infrared: new Uint8Array(width * height).fill(infrared) };
  return { width, height, depthMm, capturedAtMs: 0, ...light };
};

const head = (x: number, y: number): number =>
  500 + 40 * (x / 75) ** 2 + 20 * (y / 100) ** 2 - 20 * Math.exp(-(x * x + (y - 10) ** 2) / 450);

test.each<[string, string, DepthFrame]>([
  ['a head', 'bona-fide', measured(head)],
  ['a head that is turned', 'bona-fide', measured((x, y) => head(x, y) + x * 0.5)],
  ['a head, seen in infrared too', 'bona-fide', measured(head, 120)],
  ['a sheet', 'attack', measured(() => 450)],
  ['a sheet that is turned and tilted', 'attack', measured((x, y) => 450 + x * 0.8 - y * 0.4)],
  ['a sheet bent around a bottle', 'attack', measured((x) => 450 + x ** 2 / 200)],
  ['a screen, dark in infrared, whatever its depth', 'attack', measured(head, 4)],
  ['nothing measured', 'unclear', measured(() => 0)],
  ['half of it missing', 'unclear', measured((x, y) => (x < 4 ? 0 : head(x, y)))],
])('%s: %s', (_, verdict, frame) => {
  expect(judgeDepth(frame, face)).toBe(verdict);
});

test('a face that reaches over the edge of the picture is judged by what is in it', () => {
  expect(
    judgeDepth(
      measured(() => 450),
      { x: -0.2, y: 0.2, width: 0.5, height: 0.6 },
    ),
  ).toBe('attack');
  expect(judgeDepth(measured(head), { x: 1.2, y: 0.2, width: 0.5, height: 0.6 })).toBe('unclear');
});
