import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { differences, installedFiles, manifestName, treeHash } from '../../src/trust/installed-tree.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'uketsuke-tree-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const lay = (path: string, content = path): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
};
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

test('every file by its path, and of a link where it leads', async () => {
  for (const path of ['src/main.ts', 'package.json', 'src/a/b.ts', 'src/a-b.ts']) lay(path);
  symlinkSync('main.ts', join(root, 'src/link.ts'));
  mkdirSync(join(root, 'empty'));
  expect(await installedFiles(root)).toEqual([
    { path: 'package.json', sha256: sha256('package.json') },
    // By the path and not folder by folder: each system hands out a folder's names in an order of its own.
    { path: 'src/a-b.ts', sha256: sha256('src/a-b.ts') },
    { path: 'src/a/b.ts', sha256: sha256('src/a/b.ts') },
    { path: 'src/link.ts', sha256: sha256('link main.ts') },
    { path: 'src/main.ts', sha256: sha256('src/main.ts') },
  ]);
});

test('what is no file, as a socket of a process that runs, is no part of it', async () => {
  lay('main.ts');
  const server = createServer();
  await new Promise<void>((listening) => server.listen(join(root, 'socket'), listening));
  expect((await installedFiles(root)).map(({ path }) => path)).toEqual(['main.ts']);
  await new Promise((closed) => server.close(closed));
});

test('what developers alone read is left out at the top, and nowhere below it', async () => {
  const names = ['.git', '.cache', '.vite', 'coverage', 'test', 'docs'];
  for (const name of names) for (const above of ['', 'node_modules/one/']) lay(`${above}${name}/file`);
  for (const path of [manifestName, `src/${manifestName}`]) lay(path);
  expect((await installedFiles(root)).map(({ path }) => path)).toEqual(
    [...names.map((name) => `node_modules/one/${name}/file`), `src/${manifestName}`].sort(),
  );
});

test('one hash of all: it changes with a path, a content and their order alone', () => {
  const [a, b] = [
    { path: 'a', sha256: sha256('1') },
    { path: 'b', sha256: sha256('2') },
  ];
  const listed = `${a.sha256}  a\n${b.sha256}  b\n`;
  expect(treeHash([a, b])).toBe(createHash('sha256').update(listed).digest('base64url'));
  for (const other of [[b, a], [a], [a, { ...b, path: 'c' }], [a, { ...b, sha256: a.sha256 }]])
    expect(treeHash(other)).not.toBe(treeHash([a, b]));
});

test('what differs, is missing or was added is told by name, in order, and no more than asked for', () => {
  const file = (path: string, content = path) => ({ path, sha256: sha256(content) });
  const before = [file('same'), file('gone'), file('changed')];
  const now = [file('changed', 'otherwise'), file('added'), file('same')];
  expect(differences(before, before)).toEqual([]);
  expect(differences(before, now)).toEqual(['added', 'changed', 'gone']);
  expect(differences(before, now, 2)).toEqual(['added', 'changed']);
  const many = Array.from({ length: 30 }, (_, at) => file(`${at}`));
  expect(differences([], many)).toHaveLength(20);
});
