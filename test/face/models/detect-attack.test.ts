import { expect, test } from 'vitest';
import { manifest } from '../../../scripts/beds/built-models.ts';
import { detectAttack } from '../../../src/face/models/detect-attack.ts';
import { entryById } from '../../../src/face/models/manifest.ts';
import type { ModelSession } from '../../../src/face/models/model-session.ts';
import { elementsOf } from '../../../src/face/picture/sample-image.ts';

/** Black in its left half, white in its right one, and as large as the detector's input has it. */
const image = { width: 640, height: 480, rgb: new Uint8Array(640 * 480 * 3) };
for (let at = 0; at < image.rgb.length; at++) if (Math.floor(at / 3) % 640 >= 320) image.rgb[at] = 255;

const session = (id: string, run: (input: Float32Array) => readonly Float32Array[]): ModelSession => {
  const entry = entryById(manifest, id);
  const input = new Float32Array(elementsOf(entry.input));
  return { entry, input, run: async () => run(input) } as unknown as ModelSession;
};

type Seen = {
  readonly score: number;
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
};
/** What the passive model is shown: 0 = black … 255 = white. */
const shownOf = async (seen: readonly Seen[], face: Parameters<typeof detectAttack>[2]) => {
  const shown: number[] = [];
  const secondDetector = session('fr_detect', () => [
    Float32Array.from(seen.flatMap(({ score }) => [1 - score, score])),
    Float32Array.from(seen.flatMap(({ box: [l, t, r, b] }) => [l / 640, t / 480, r / 640, b / 480])),
  ]);
  const pad = session('fr_liveness', (input) => {
    shown.push(input.reduce((sum, value) => sum + value, 0) / input.length);
    return [Float32Array.of(4, 0, 0)];
  });
  const bonaFide = await detectAttack({ secondDetector, pad }, image, face);
  return { bonaFide, shown };
};

/** A photo that is held up at the left; whoever holds it stands behind, at the right, and is seen better. */
const photo: Seen = { score: 0.9, box: [60, 180, 160, 300] };
const holder: Seen = { score: 0.99, box: [500, 200, 560, 270] };
const compared = { x: 64, y: 176, width: 92, height: 118 };

test('what is judged is the face that is compared, not whoever else is seen more surely', async () => {
  const { bonaFide, shown } = await shownOf([holder, photo, { ...photo, score: 0.8 }], compared);
  expect(bonaFide).toBeGreaterThan(0.9);
  expect(shown).toHaveLength(1);
  expect(shown[0]).toBeLessThan(10);
});

test('a face that the second detector does not see, or hardly, is not judged: nobody else is in its place', async () => {
  expect(await shownOf([holder], compared)).toEqual({ bonaFide: null, shown: [] });
  expect(await shownOf([{ ...photo, score: 0.6 }], compared)).toEqual({ bonaFide: null, shown: [] });
});
