import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NpmSources, requireHash, sha256Of } from '../../../scripts/models/npm-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'npm-source-'));
afterAll(() => rmSync(folder, { recursive: true }));

const npm = { name: '@somebody/models', version: '1.2.3', integrity: 'sha512-none' };
const bytes = Uint8Array.of(1, 2, 3);
const keep = (content: Uint8Array): string => {
  mkdirSync(join(folder, 'somebody-models-1.2.3/model'), { recursive: true });
  const file = join(folder, 'somebody-models-1.2.3/model/a.bin');
  writeFileSync(file, content);
  return file;
};

test('a kept file with the right hash is read, and nothing is fetched', async () => {
  keep(bytes);
  const sources = new NpmSources(folder, () => undefined);
  expect(Array.from(await sources.read({ npm, path: 'model/a.bin', sha256: sha256Of(bytes) }))).toEqual([1, 2, 3]);
  expect(sources.fetchedBytes).toBe(0);
});

test('a file that was tampered with is refused by name and both hashes, and thrown away', async () => {
  const file = keep(Uint8Array.of(1, 2, 4));
  const sources = new NpmSources(folder, () => undefined);
  const reading = sources.read({ npm, path: 'model/a.bin', sha256: sha256Of(bytes) });
  await expect(reading).rejects.toThrow(
    `refused: @somebody/models@1.2.3 model/a.bin has sha256 ${sha256Of(Uint8Array.of(1, 2, 4))}, expected ${sha256Of(bytes)}`,
  );
  expect(existsSync(file)).toBe(false);
});

test('a tarball whose integrity is not the pinned one is refused and thrown away', async () => {
  const tarball = join(folder, 'somebody-models-1.2.3.tgz');
  writeFileSync(tarball, bytes);
  rmSync(join(folder, 'somebody-models-1.2.3'), { recursive: true, force: true });
  const sources = new NpmSources(folder, () => undefined);
  await expect(sources.read({ npm, path: 'model/a.bin', sha256: sha256Of(bytes) })).rejects.toThrow('has integrity');
  expect(existsSync(tarball)).toBe(false);
});

test('one byte more is another hash', () => {
  expect(() => requireHash('x', Uint8Array.of(1, 2, 3, 0), sha256Of(bytes))).toThrow('refused: x');
});
