/**
 * Living people who stand well before the counter at the settings that are shipped: everybody gets through, and nobody is
 * told the same thing over and over. Drawn from the demo's pictures; one of them holds the head bent, one smiles broadly.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { faceIds, loadFaceGrey, loadFaceRgb } from '../../../drivers/virtual/faces.ts';
import { encodeGreyJp2 } from '../../../drivers/virtual/jp2.ts';
import { seededNumbers } from '../../../drivers/virtual/render-scene.ts';
import { loadModels, loadPadModels, manifest, modelsMissing } from '../../../scripts/beds/built-models.ts';
import { LivingPainter } from '../../../scripts/evaluate/living-painter.ts';
import { shippedPadStrength } from '../../../scripts/evaluate/open-bench.ts';
import { playAttempt } from '../../../scripts/evaluate/play-attempt.ts';
import { embedReference } from '../../../src/face/attempt/embed-reference.ts';
import { examineFrame, examineLiveness } from '../../../src/face/attempt/face-pipeline.ts';
import { type FaceModels, findFace } from '../../../src/face/attempt/find-face.ts';
import { decodeReference } from '../../../src/face/models/decode-reference.ts';
import type { PadModels } from '../../../src/face/models/detect-attack.ts';
import { embeddingById, thresholdFor } from '../../../src/face/models/manifest.ts';

const people = faceIds.filter((id) => id !== 'sample1-c');
const prompts = ['turn-left', 'turn-right', 'blink'];
const frameMs = 1_000 / 15;
const timeLimitMs = 15_000;
/** Told longer than this, a hint is a loop; the face process believes its own guesses for four seconds. */
const longestHintMs = 5_000;

describe.skipIf(modelsMissing('hint-loops'))('living people who stand well', () => {
  let models: FaceModels;
  let pad: PadModels;
  beforeAll(async () => {
    models = await loadModels();
    pad = await loadPadModels();
  });

  test.each(people)('%s matches, and no hint loops', async (id) => {
    const random = seededNumbers(people.indexOf(id) + 5);
    const decoded = await decodeReference(await encodeGreyJp2(await loadFaceGrey(id)));
    const picture = await loadFaceRgb(id);
    const found = await findFace(models, picture);
    const reference = decoded.ok ? await embedReference(models, decoded.value) : null;
    const threshold = thresholdFor(embeddingById(manifest, 'fr_feature'), 'release', undefined);
    if (found === null || reference === null || !threshold.ok) throw new Error(`${id}: nothing to compare with`);
    const painter = await LivingPainter.of(picture, found.landmarks.mesh, random);
    const swing = (atMs: number, periodMs: number): number => Math.sin((atMs / periodMs) * 2 * Math.PI);
    const looker = {
      frame: async (image: Parameters<typeof examineFrame>[1], mirrored: boolean) => ({
        seen: await examineFrame(models, image, { mirrored }),
        tookMs: 0,
      }),
      liveness: async (image: Parameters<typeof examineLiveness>[1], mesh: Float32Array) => ({
        seen: await examineLiveness(pad, image, mesh),
        tookMs: 0,
      }),
    };
    const { end, told, decidedAfterMs } = await playAttempt({ looker, threshold: threshold.value }, reference, {
      frameMs,
      timeLimitMs,
      random,
      padStrength: shippedPadStrength,
      endsAtMiss: false,
      paint: (atMs, { hint, forMs }, target) => {
        const effort = Math.min(1.6, Math.max(0, (forMs - 600) / 400));
        const side = hint === 'turn-left' ? 1 : hint === 'turn-right' ? -1 : 0;
        painter.paint(
          {
            ...{ x: swing(atMs, 4_100) * 0.015, y: swing(atMs, 3_300) * 0.012, faceWidth: 0.24, light: 1 },
            roll: swing(atMs, 4_700) * 2,
            yaw: swing(atMs, 3_900) * 2 + 22 * side * effort,
            eyesShut: hint === 'blink' && forMs > 600 && (forMs - 600) % 1_500 < 350,
          },
          target,
        );
      },
    });
    expect(end).toBe('matched');
    const hints = told.filter(({ hint }) => hint !== null && !prompts.includes(hint) && hint !== 'hold-still');
    for (const [i, { hint, atMs }] of told.entries())
      if (hint !== null) expect((told[i + 1]?.atMs ?? decidedAfterMs) - atMs).toBeLessThan(longestHintMs);
    expect(new Set(hints.map(({ hint }) => hint)).size).toBe(hints.length);
  });
});
