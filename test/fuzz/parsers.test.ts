import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { fuzzParsers } from '../../scripts/trials/fuzz/fuzz-parsers.ts';
import { makeParsers } from '../../scripts/trials/fuzz/parsers.ts';

const folder = mkdtempSync(join(tmpdir(), 'uketsuke-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));
const seed = Number(process.env.UKETSUKE_SEED ?? Date.now() % 2 ** 31);

test('whatever others wrote is read or refused: no parser throws, or takes 100 ms for an input', async () => {
  // Printed with every run: what fails can be run again.
  process.stderr.write(`fuzz: seed ${seed}\n`);
  const { inputs, crashes } = await fuzzParsers(await makeParsers(), { seed, forMs: 4_000, folder });
  expect(crashes).toEqual([]);
  expect(inputs).toBeGreaterThan(100);
});

test('an input that breaks a parser is found, and kept', async () => {
  const parse = (bytes: Uint8Array): void => {
    if (bytes[0] === 0x42 && bytes.length < 4) throw new Error('planted');
  };
  const broken = { name: 'planted', seeds: [Uint8Array.of(0x42, 1, 2, 3, 4, 5)], parse };
  const { crashes } = await fuzzParsers([broken], { seed: 1, forMs: 2_000, folder });
  expect(crashes[0]?.why).toContain('planted');
  expect(readdirSync(folder)).toContain(crashes[0]?.file);
});
