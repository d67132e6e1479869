import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { manifest, modelsDir } from '../../../scripts/beds/built-models.ts';
import { recipes } from '../../../scripts/models/recipes.ts';
import { renderModelCard } from '../../../src/face/calibration/model-card.ts';
import {
  embeddingById,
  entryById,
  parseManifest,
  refuseUnverified,
  thresholdFor,
} from '../../../src/face/models/manifest.ts';
import { elementsOf } from '../../../src/face/picture/sample-image.ts';

test('every recipe has an entry, and every entry a recipe', () => {
  expect(manifest.models.map(({ file }) => file).sort()).toEqual(recipes.map(({ file }) => file).sort());
});

test.each(manifest.models)('$id says where it comes from and how it is fed', (model) => {
  expect(model.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(model.source).not.toBe('');
  expect(['clear', 'unverified']).toContain(model.licenceStatus);
  expect(elementsOf(model.input)).toBeGreaterThan(0);
  expect(model.outputs.length).toBeGreaterThan(0);
});

test('the shipped threshold keeps the worst measured group at 0.02 % false accepts, and visits at 3 % false rejects', () => {
  const { calibration, alignment } = embeddingById(manifest, 'fr_feature');
  expect(calibration?.groups?.comparisons).toBeGreaterThanOrEqual(10_000);
  expect(calibration?.groups?.worstFar).toBeLessThanOrEqual(0.02);
  expect(calibration?.groups?.bound).toBeGreaterThan(calibration?.groups?.worstFar ?? 1);
  expect(calibration?.perVisitFrr).toBeLessThanOrEqual(3);
  expect(alignment.points).toHaveLength(alignment.template.length);
});

const measured = embeddingById(manifest, 'fr_feature');
const { calibration: _, ...unmeasured } = measured;
const range = measured.calibration?.range ?? { least: Number.NaN, most: Number.NaN };

test('a model that was never measured is refused, in every profile and whatever threshold is configured', () => {
  for (const profile of ['release', 'demo'] as const)
    for (const configured of [undefined, 0.5])
      expect(thresholdFor(unmeasured, profile, configured)).toMatchObject({
        ok: false,
        failure: {
          code: 'face.model-unverified',
          detail: expect.stringContaining('uketsuke models calibrate fr_feature'),
        },
      });
});

test.each([range.least - 0.01, range.most + 0.01, 0])(
  'a release refuses the threshold %f, for which nothing was measured',
  (threshold) => {
    expect(thresholdFor(measured, 'release', threshold)).toMatchObject({
      ok: false,
      failure: { code: 'face.model-unverified', detail: expect.stringContaining(`${range.least} to ${range.most}`) },
    });
    // Who tries things out may.
    expect(thresholdFor(measured, 'demo', threshold)).toEqual({ ok: true, value: threshold });
  },
);

test("within the measured range the configured threshold holds, else the model's own", () => {
  for (const threshold of [range.least, range.most, 0.5])
    expect(thresholdFor(measured, 'release', threshold)).toEqual({ ok: true, value: threshold });
  expect(thresholdFor(measured, 'release', undefined)).toEqual({
    ok: true,
    value: measured.calibration?.defaultThreshold,
  });
});

test.each(manifest.models)('the card of $id says what the manifest says', (model) => {
  expect(readFileSync(`${modelsDir}/cards/${model.id}.md`, 'utf8')).toBe(renderModelCard(model));
});

test('what is asked for by a wrong name is a configuration error', () => {
  expect(() => entryById(manifest, 'no-such-model')).toThrow('no-such-model');
  expect(() => embeddingById(manifest, 'blazeface')).toThrow('detector');
});

test('the release profile refuses a model of unverified licence until it is accepted by name', () => {
  const models = ['blazeface', 'fr_feature'].map((id) => entryById(manifest, id));
  expect(refuseUnverified(models, 'demo', [])).toBeNull();
  expect(refuseUnverified(models, 'release', ['fr_feature'])).toBeNull();
  expect(refuseUnverified(models, 'release', ['fr_liveness'])).toMatchObject({
    code: 'face.model-not-accepted',
    detail: 'licence not verified: fr_feature',
  });
  expect(refuseUnverified([entryById(manifest, 'facemesh')], 'release', [])).toBeNull();
});

test.each(['', '{"models":[{"id":"fr_', 'null', '[]', '{"models":{}}'])(
  'a manifest that a power cut left as %s is a named fault, not a process that ends again and again',
  (text) => {
    expect(parseManifest(text)).toMatchObject({ ok: false, failure: { code: 'face.models-missing' } });
  },
);
