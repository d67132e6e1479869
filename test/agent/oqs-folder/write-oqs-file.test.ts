import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeOqsFile } from '../../../src/agent/oqs-folder/write-oqs-file.ts';

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

const full = '/dev/full';
test('a disk that is full: its code; the name is not taken by half a file', async () => {
  // /dev/full answers every write with ENOSPC; a link makes it the temporary file of this write.
  const { symlinkSync } = await import('node:fs');
  symlinkSync(full, join(folder, '.a.xml.writing'));
  expect(await writeOqsFile(folder, 'a.xml', Buffer.from('text'))).toMatchObject({
    failure: { code: 'files.folder-full' },
  });
  expect(readdirSync(folder)).toEqual([]);
});
