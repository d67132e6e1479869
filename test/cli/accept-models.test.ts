import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acceptModels } from '../../src/cli/provision-clinic.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-accept-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, 'face-model-acceptance.json');
const records = () => JSON.parse(readFileSync(file(), 'utf8'));

test('whoever accepts the face models is kept by name, with the moment and the files; asked again nothing is added', async () => {
  const models = await acceptModels({ faceModelsAcceptedBy: '院長 山田' }, folder);
  expect(models.map(({ id }) => id)).toEqual(expect.arrayContaining(['fr_feature', 'fr_liveness']));
  for (const { sha256 } of models) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(records()).toEqual([{ by: '院長 山田', at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/), models }]);
  await acceptModels({ faceModelsAcceptedBy: '院長 山田' }, folder);
  expect(records()).toHaveLength(1);
});

test('another file of a model, and another person, are records of their own beside the first', async () => {
  const models = await acceptModels({ faceModelsAcceptedBy: '山田' }, folder);
  const [first] = records();
  writeFileSync(file(), JSON.stringify([{ ...first, models: models.map((model) => ({ ...model, sha256: '0' })) }]));
  await acceptModels({ faceModelsAcceptedBy: '山田' }, folder);
  await acceptModels({ faceModelsAcceptedBy: '佐藤' }, folder);
  expect(records().map(({ by }: { by: string }) => by)).toEqual(['山田', '山田', '佐藤']);
});

test('without a name no model is accepted, and nothing is kept: faces are not matched then', async () => {
  expect(await acceptModels({ faceModelsAcceptedBy: undefined }, folder)).toEqual([]);
  expect(existsSync(file())).toBe(false);
});
