/** The numeric check of setup-models, on the models it has built. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { modelsDir, modelsMissing } from '../../../scripts/beds/built-models.ts';
import { checkKnownOutputs, type KnownOutputs } from '../../../scripts/models/known-outputs.ts';

const known = JSON.parse(readFileSync(`${modelsDir}/known-outputs.json`, 'utf8')) as KnownOutputs;

describe.skipIf(modelsMissing('known-outputs'))('outputs of the built models', () => {
  const read = (file: string): Uint8Array => readFileSync(`${modelsDir}/${file}`);

  test.each(Object.entries(known))('%s computes what the published model does', async (file, outputs) => {
    expect(await checkKnownOutputs(file, read(file), outputs)).toBeLessThan(1e-5);
  });

  const file = 'fr_feature.onnx';
  const recorded = known[file]?.output;

  test('a model that computes something else is refused by file, output and element', async () => {
    if (recorded === undefined) throw new Error('no outputs recorded');
    const values = recorded.values.map((value, i) => (i === 3 ? value + recorded.range * 1e-4 : value));
    await expect(checkKnownOutputs(file, read(file), { output: { ...recorded, values } })).rejects.toThrow(
      `refused: output output[${3 * recorded.step}] of ${file} deviates`,
    );
  });

  test('a model without a recorded output, or with one of another size, is refused', async () => {
    if (recorded === undefined) throw new Error('no outputs recorded');
    await expect(checkKnownOutputs(file, read(file), { other: recorded })).rejects.toThrow('has no output other');
    const short = { ...recorded, values: recorded.values.slice(1) };
    await expect(checkKnownOutputs(file, read(file), { output: short })).rejects.toThrow('elements');
  });
});
