import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderTrouble } from '../../../src/agent/oqs-folder/folder-trouble.ts';
import { sweepOqsFolders, writeOqsFile } from '../../../src/agent/oqs-folder/write-oqs-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-oqs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the whole file under its name, nothing beside it; the same name again replaces it', async () => {
  for (const text of ['first', 'second'])
    expect(await writeOqsFile(folder, 'a.xml', Buffer.from(text))).toMatchObject({ ok: true });
  expect(readdirSync(folder)).toEqual(['a.xml']);
  expect(readFileSync(join(folder, 'a.xml'), 'utf8')).toBe('second');
});

test('a folder that is gone, or is a file', async () => {
  expect(await writeOqsFile(join(folder, 'gone'), 'a.xml', new Uint8Array(1))).toMatchObject({
    failure: { code: 'files.folder-missing' },
  });
  writeFileSync(join(folder, 'file'), '');
  expect(await writeOqsFile(join(folder, 'file'), 'a.xml', new Uint8Array(1))).toMatchObject({
    failure: { code: 'files.folder-missing' },
  });
});

test('/proc takes no file: a code, and nothing thrown', async () => {
  const written = await writeOqsFile('/proc/self', 'a.xml', new Uint8Array(1));
  expect(written.ok).toBe(false);
});

test('a disk that is full: its code; the name is not taken by half a file', async (context) => {
  // A file system of one page needs a mount of its own.
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'uketsuke-test', folder]);
  if (mounted.status !== 0) return context.skip('mounting a file system needs root');
  try {
    expect(await writeOqsFile(folder, 'a.xml', Buffer.alloc(100_000, 'x'))).toMatchObject({
      failure: { code: 'files.folder-full' },
    });
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    spawnSync('umount', [folder]);
  }
});

test('a disk with room and no name left is seen to be full before a result waits', async (context) => {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,nr_inodes=2', 'uketsuke-test', folder]);
  if (mounted.status !== 0) return context.skip('mounting a file system needs root');
  try {
    writeFileSync(join(folder, 'last'), '');
    expect(await folderTrouble(folder)).toBe('files.folder-full');
  } finally {
    spawnSync('umount', [folder]);
  }
});

test('a link that waits under the temporary name of before is not written through', async () => {
  const other = join(folder, 'staff.json');
  writeFileSync(other, '[]');
  symlinkSync(other, join(folder, '.a.xml.writing'));
  expect(await writeOqsFile(folder, 'a.xml', Buffer.from('text'))).toMatchObject({ ok: true });
  expect(readFileSync(other, 'utf8')).toBe('[]');
});

test('what a crash left half written is taken away at the start', async () => {
  for (const name of ['face', 'req', 'res']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'face', '.a.xml.0123456789ab.writing'), 'half a patient');
  writeFileSync(join(folder, 'face', 'a.xml'), 'whole');
  await sweepOqsFolders(folder);
  expect(readdirSync(join(folder, 'face'))).toEqual(['a.xml']);
});
