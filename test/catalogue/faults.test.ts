import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderFaults } from '../../scripts/generate/render-faults.ts';
import { faultNames, faultOf } from '../../src/catalogue/faults.ts';
import { failureRules } from '../../src/core/failure.ts';

test('every name stands in the table once, with words of its own', () => {
  expect(new Set(faultNames).size).toBe(faultNames.length);
  expect(faultNames.filter((name) => faultOf(name).cause === name)).toEqual([]);
  expect(faultNames.filter((name) => faultOf(name).remedy.length === 0)).toEqual([]);
});

test('docs/faults.md tells the table as it stands (node scripts/generate/render-faults.ts)', () => {
  expect(readFileSync('docs/faults.md', 'utf8')).toBe(renderFaults());
});

/** Words in quotes that look like a fault's name: `part.word`, of a part that has faults. */
const parts = new Set(faultNames.map((name) => name.split('.')[0]));
const other = /\.(ts|tsx|json|yaml|yml|md|sock|sqlite|pem|log|onnx|bin|xml|js|comm|conf|service|socket)$/;

test('the doctor and the trials of misfortunes know no name that the table lacks', () => {
  const files = [
    ...readdirSync('src/terminal/doctor').map((name) => join('src/terminal/doctor', name)),
    ...readdirSync('scripts/trials').flatMap((name) =>
      /^misfortune/.test(name) ? [join('scripts/trials', name)] : [],
    ),
  ];
  const words = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/'([a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*)'/g)].map(
      ([, word = '']) => word,
    ),
  );
  const known: readonly string[] = faultNames;
  const named = words.filter((word) => parts.has(word.split('.')[0] ?? '') && !other.test(word));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((word) => !known.includes(word) && !(word in failureRules))).toEqual([]);
});
