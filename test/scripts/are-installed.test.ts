import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** What set-up asks before it fetches anything. */
const script = join(import.meta.dirname, '../../scripts/packages/are-installed.mjs');
let folder: string;
const ask = (...more: string[]) => {
  const { status, stderr } = spawnSync(process.execPath, [script, ...more], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status, stderr };
};
const write = (path: string, content: string): void => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), content);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'are-installed-'));
  const packages = {
    '': {},
    'node_modules/zod': { version: '1.0.0' },
    'node_modules/pcsclite': { version: '2.0.0', optional: true },
    'node_modules/elsewhere': { version: '3.0.0', optional: true },
  };
  write('package-lock.json', JSON.stringify({ packages }));
  write('node_modules/.package-lock.json', JSON.stringify({ packages }));
  for (const name of ['zod', 'pcsclite']) write(`node_modules/${name}/package.json`, '{}');
  write('node_modules/zod/lib/index.js', 'export {};');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('all there is all there; an add-on that set-up compiles later changes nothing, nor does what a program leaves beside the files', () => {
  expect(ask().status).toBe(0);
  expect(ask('--remember').status).toBe(0);
  write('node_modules/pcsclite/build/Release/pcsclite.node', 'compiled');
  write('node_modules/zod/lib/__pycache__/left-behind.pyc', 'by a program that ran');
  expect(ask()).toEqual({ status: 0, stderr: '' });
});

test.each([
  ['a file that is gone', () => rmSync(join(folder, 'node_modules/zod/lib/index.js'))],
  ['a file that was cut', () => write('node_modules/zod/lib/index.js', 'ex')],
  ['a folder that is gone', () => rmSync(join(folder, 'node_modules/zod/lib'), { recursive: true })],
  ['an optional package that is gone', () => rmSync(join(folder, 'node_modules/pcsclite'), { recursive: true })],
])('%s: the package is named and goes, so that npm lays it down again', (_what, harm) => {
  ask('--remember');
  harm();
  const { status, stderr } = ask();
  expect(status).toBe(1);
  const [name = ''] = /node_modules\/\w+/.exec(stderr) ?? [];
  expect(stderr).toContain('not as it was installed');
  expect(existsSync(join(folder, name))).toBe(false);
});

test('another version, or a package that nobody installed: missing, and nothing else is touched', () => {
  ask('--remember');
  write('node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/zod': { version: '0.9.0' } } }));
  expect(ask().status).toBe(1);
  expect(existsSync(join(folder, 'node_modules/zod/package.json'))).toBe(true);
});
