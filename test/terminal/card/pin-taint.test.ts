import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { bytesOf, pinDigits } from '../../../scripts/beds/test-cards.ts';

const root = new URL('../../../', import.meta.url).pathname;
const fixture = readFileSync(new URL('pin-taint.ts', import.meta.url), 'utf8');
const places = fixture.split('@ts-expect-error').length - 1;
mkdirSync(join(root, '.cache'), { recursive: true });
const folder = mkdtempSync(join(root, '.cache/pin-taint-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Numbers of the errors that the compiler finds in the fixture, with another type in the place of PinDigits or with its own. */
const errorsWith = (type: string | null): readonly string[] => {
  const name = 'import type { PinDigits } from';
  expect(fixture).toContain(name);
  const text =
    type === null ? fixture : fixture.replace(/^import type \{ PinDigits \} from .*$/m, `type PinDigits = ${type};`);
  writeFileSync(join(folder, 'taint.ts'), text.replaceAll("'../../../src/", "'../../src/"));
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', include: ['taint.ts'], exclude: [] }),
  );
  try {
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8', timeout: 80_000 });
    return [];
  } catch (error) {
    return ((error as { stdout?: string }).stdout ?? '').match(/error TS\d+/g) ?? [];
  }
};

test('the compiler lets the digits of a PIN into no log, message, store, metric, screen or text', () => {
  expect(errorsWith(null)).toEqual([]);
  expect(places).toBeGreaterThanOrEqual(20);
});

test('were each of these places open to them, the compiler would say so of each', () => {
  expect(errorsWith('any')).toEqual(Array.from({ length: places }, () => 'error TS2578'));
});

test('where the compiler does not look, nothing of them is shown', () => {
  const digits = pinDigits('8274');
  const shown = [
    JSON.stringify({ digits }),
    String(digits),
    inspect(digits, { showHidden: true, depth: 9 }),
    JSON.stringify(structuredClone(digits)),
    JSON.stringify(Object.entries(digits)),
  ];
  for (const text of shown) for (const form of ['8274', '56,50,55,52', '38323734']) expect(text).not.toContain(form);
  expect(bytesOf(digits)).toEqual(new TextEncoder().encode('8274'));
});
