import { expect, test } from 'vitest';
import { manifest } from '../../../scripts/beds/built-models.ts';
import { recipes } from '../../../scripts/models/recipes.ts';
import { embeddingById, entryById, refuseUnverified } from '../../../src/face/models/manifest.ts';
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

test('the default threshold is stricter than every one measured for FMR 1e-4', () => {
  const { thresholds, defaultThreshold, alignment } = embeddingById(manifest, 'fr_feature');
  expect(thresholds.length).toBeGreaterThan(0);
  for (const { threshold } of thresholds) expect(defaultThreshold).toBeGreaterThan(threshold);
  expect(alignment.points).toHaveLength(alignment.template.length);
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
