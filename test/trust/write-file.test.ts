import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeFileAtomically } from '../../src/trust/write-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-write-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('what cannot be written leaves the former content and no name beside it, however often it is tried', async () => {
  const path = join(folder, 'held.json');
  await writeFileAtomically(path, 'before');
  // Refused once the file beside it is open, as by a full disk.
  const refused = null as unknown as string;
  for (let times = 0; times < 3; times += 1) await expect(writeFileAtomically(path, refused)).rejects.toThrow();
  expect(readdirSync(folder)).toEqual(['held.json']);
  expect(readFileSync(path, 'utf8')).toBe('before');
});
