import { expect, test } from 'vitest';
import { HeldRequests } from '../../../src/agent/oqs-folder/held-requests.ts';
import { folderFailureOf } from '../../../src/agent/oqs-folder/write-oqs-file.ts';

const error = (code: string, syscall = 'open'): Error => Object.assign(new Error(code), { code, syscall });

test('what Windows says of a file that somebody holds open has a name of its own', () => {
  // Tried under Wine 10 and as documented for MoveFileEx: open, unlink → EBUSY; rename over it → EPERM.
  expect(folderFailureOf(error('EBUSY'))).toBe('files.in-use');
  expect(folderFailureOf(error('EPERM', 'rename'))).toBe('files.in-use');
  expect(folderFailureOf(error('EPERM', 'open'))).toBe('files.folder-read-only');
  expect(folderFailureOf(error('ENOENT', 'rename'))).toBe('files.folder-missing');
});

test('a held request waits by itself, is told after five seconds, and is forgotten once it is gone', () => {
  const held = new HeldRequests();
  const names = new Set(['a.xml']);
  expect(held.hold('a.xml', error('EBUSY'), 1_000)).toBe(true);
  expect([held.isDue('a.xml', 2_999), held.isDue('a.xml', 3_000), held.isDue('b.xml', 1_000)]).toEqual([
    false,
    true,
    true,
  ]);
  expect(held.count(names, 1_500)).toBe(0);
  held.hold('a.xml', error('EACCES'), 3_000);
  expect(held.count(names, 6_000)).toBe(1);
  expect(held.count(new Set(), 6_000)).toBe(0);
  expect(held.isDue('a.xml', 6_000)).toBe(true);
});

test('an error of another kind is nobody holding a file', () => {
  expect(new HeldRequests().hold('a.xml', error('EIO'), 0)).toBe(false);
});

test('an answered request that cannot be taken away is not asked again until something else stands in it', () => {
  const held = new HeldRequests();
  held.answered('a.xml', 'x read');
  expect([held.hasAnswer('a.xml', 'x read'), held.hasAnswer('a.xml', 'y read')]).toEqual([true, false]);
  held.hold('a.xml', error('EBUSY'), 0);
  held.free('a.xml');
  expect([held.hasAnswer('a.xml', 'x read'), held.isDue('a.xml', 0)]).toEqual([false, true]);
});
