import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runProgram } from '../../drivers/host/run-program.ts';
import { makeFolder, makeFolderSync } from '../../src/storage/make-folder.ts';

let place = '';
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'uketsuke-folders-'));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

describe.each([
  ['at once', async (path: string, mode?: number) => makeFolderSync(path, mode)],
  ['later', makeFolder],
])('a folder and those above it, %s', (_, make) => {
  test('all are made, with the mode that was asked for; made again, nothing happens', async () => {
    const path = join(place, 'a/b/c');
    await make(path, 0o700);
    await make(path, 0o700);
    for (const each of ['a', 'a/b', 'a/b/c']) expect(statSync(join(place, each)).mode & 0o777).toBe(0o700);
    await make('/');
  });

  test('several at once make the same', async () => {
    const path = join(place, 'a/b/c');
    await Promise.all([make(path), make(path), make(join(path, 'd'))]);
    expect(existsSync(join(path, 'd'))).toBe(true);
  });

  test('a link to a folder is one; a file, or what is below one, is none', async () => {
    symlinkSync(place, join(place, 'link'));
    await make(join(place, 'link'));
    writeFileSync(join(place, 'file'), '');
    await expect(make(join(place, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(make(join(place, 'file/a'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  test('a link that leads nowhere is told, itself and what is below it', async () => {
    const link = join(place, 'link');
    symlinkSync(join(place, 'gone'), link);
    await expect(make(link)).rejects.toMatchObject({ code: 'ENOENT', syscall: 'mkdir', path: link });
    await expect(make(join(link, 'a'))).rejects.toMatchObject({ code: 'ENOENT', syscall: 'mkdir' });
  });
});

// In programs of their own: with Node's `recursive` this never comes back, and no test's time limit would end it.
test.each([
  ['kit', 'oqs', '--dir', '/proc/nope'],
  ['kit', 'bus', '--facility-dir', '/proc/nope/deeper', '--port', '0'],
])('where nothing can be made a command says so and ends: %s %s %s', async (...args) => {
  const path = args[3] ?? '';
  const { how, code, words } = await runProgram(process.execPath, ['scripts/uketsuke.mjs', ...args], {
    limitMs: 60_000,
    environment: { ...process.env, LC_ALL: 'C' },
  }).ended;
  expect({ how, code }, words).toEqual({ how: 'ended', code: 2 });
  expect(words).toContain(`${path.slice(0, 10)}`);
  expect(words).toContain('no folder can be made here');
});
