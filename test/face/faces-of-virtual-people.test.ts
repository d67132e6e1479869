/** Detect → align → embed → compare on painted camera frames. It tests the pipeline; accuracy is face-eval's. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type FaceId, faceIds, loadFaceGrey } from '../../drivers/virtual/faces.ts';
import { encodeGreyJp2 } from '../../drivers/virtual/jp2.ts';
import {
  emptyScene,
  frameHeight,
  frameWidth,
  personBefore,
  type Scene,
  SceneRenderer,
} from '../../drivers/virtual/render-scene.ts';
import { loadModels, manifest, modelsMissing } from '../../scripts/beds/built-models.ts';
import { embedReference } from '../../src/face/attempt/embed-reference.ts';
import { examineFrame, type FrameFinding, sessionsOf } from '../../src/face/attempt/face-pipeline.ts';
import type { FaceModels } from '../../src/face/attempt/find-face.ts';
import { decodeReference } from '../../src/face/models/decode-reference.ts';
import { comparisonScore, type Embedding } from '../../src/face/models/embed-face.ts';
import { embeddingById } from '../../src/face/models/manifest.ts';

const people = faceIds.filter((id) => id !== 'sample1-c');
const threshold = embeddingById(manifest, 'fr_feature').calibration?.defaultThreshold ?? Number.NaN;

describe.skipIf(modelsMissing('faces-of-virtual-people'))('virtual people', () => {
  let models: FaceModels;
  const renderer = new SceneRenderer(7);
  const references = new Map<FaceId, Embedding>();

  beforeAll(async () => {
    models = await loadModels();
    for (const id of faceIds) {
      await renderer.load(id);
      const decoded = await decodeReference(await encodeGreyJp2(await loadFaceGrey(id)));
      if (!decoded.ok) throw new Error(decoded.failure.detail);
      const embedding = await embedReference(models, decoded.value);
      if (embedding === null) throw new Error(`no face in the card photo of ${id}`);
      references.set(id, embedding);
    }
  });

  const see = async (scene: Partial<Scene>, atMs = 0): Promise<FrameFinding> => {
    const rgb = new Uint8Array(frameWidth * frameHeight * 3);
    renderer.render({ ...emptyScene, ...scene }, atMs, rgb);
    return examineFrame(models, { width: frameWidth, height: frameHeight, rgb }, { mirrored: false });
  };
  const scoreOf = (finding: FrameFinding, id: FaceId): number => {
    // What is only guessed (a head that looks bent) is compared all the same.
    if (finding.embedding === undefined) throw new Error(`hint ${finding.hint}`);
    return comparisonScore(finding.embedding, references.get(id) ?? new Float32Array(512));
  };

  test.each(people)('%s matches the own card well above the threshold, and nobody else does', async (id) => {
    for (const atMs of [0, 900, 1_800]) {
      const finding = await see({ people: [personBefore(id)] }, atMs);
      for (const other of people) {
        if (other === id) expect(scoreOf(finding, other)).toBeGreaterThan(threshold + 0.2);
        else expect(scoreOf(finding, other)).toBeLessThan(threshold - 0.1);
      }
    }
  });

  test('a person on a picture of another evening still matches the own card', async () => {
    const finding = await see({ people: [{ ...personBefore('sample1-c'), roll: -35 }] });
    expect(scoreOf(finding, 'sample3-b')).toBeGreaterThan(threshold);
  });

  test.each<[string, Partial<Scene>]>([
    ['no-face', { people: [] }],
    ['nearer', { people: [{ ...personBefore('sample3-a'), scale: 0.38 }] }],
    ['farther', { people: [{ ...personBefore('sample3-a'), scale: 2.4 }] }],
    ['move-left', { people: [{ ...personBefore('sample3-a'), x: -0.34 }] }],
    ['move-right', { people: [{ ...personBefore('sample3-a'), x: 0.34 }] }],
    ['more-light', { people: [personBefore('sample3-a')], light: 0.25, wall: 40 }],
    ['strong-back-light', { people: [personBefore('sample3-a')], light: 0.4, wall: 250 }],
    [
      'one-person-only',
      {
        people: [
          { ...personBefore('sample3-a'), x: -0.2, scale: 0.8 },
          { ...personBefore('sample6-d'), x: 0.2, scale: 0.8 },
        ],
      },
    ],
  ])('hint %s', async (hint, scene) => {
    expect((await see({ restlessness: 0, ...scene })).hint).toBe(hint);
  });

  test('after wiping, the models hold nothing of a frame', async () => {
    await see({ people: [personBefore('sample3-a')] });
    expect(models.embedder.input.some((value) => value !== 0)).toBe(true);
    for (const session of sessionsOf(models, null)) await session.runOnNothing();
    for (const model of sessionsOf(models, null)) expect(model.input.every((value) => value === 0)).toBe(true);
  });
});
