import { createHash } from 'node:crypto';
import { readdir, readlink } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { hashOfFile } from '../storage/hash-of-file.ts';

/** What is no part of what runs: its history, caches, and what only developers read, at the top alone. */
const leftOut = new Set(['.git', '.cache', '.vite', 'coverage', 'test', 'docs']);
/** Made at the end of packaging, about everything else. */
export const manifestName = 'release-files.json';

export type InstalledFile = { readonly path: string; readonly sha256: string };

async function* entriesBelow(root: string, directory: string): AsyncGenerator<{ path: string; isLink: boolean }> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    const place = relative(root, path);
    if (leftOut.has(place) || place === manifestName) continue;
    if (entry.isDirectory()) yield* entriesBelow(root, path);
    else if (entry.isFile() || entry.isSymbolicLink()) yield { path, isLink: entry.isSymbolicLink() };
  }
}

/** Every file below `root` with its hash, by path; of a link, where it leads. */
export const installedFiles = async (root: string): Promise<readonly InstalledFile[]> => {
  const files: InstalledFile[] = [];
  for await (const { path, isLink } of entriesBelow(root, root)) {
    const sha256 = isLink
      ? createHash('sha256')
          .update(`link ${await readlink(path)}`)
          .digest('hex')
      : await hashOfFile(path);
    files.push({ path: relative(root, path).split(sep).join(posix.sep), sha256 });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
};

/** One hash of all: base64url SHA-256 over lines `sha256  path`. */
export const treeHash = (files: readonly InstalledFile[]): string =>
  createHash('sha256')
    .update(files.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join(''))
    .digest('base64url');

/** Paths that differ, are missing, or were added, at most `most` of them. */
export const differences = (
  expected: readonly InstalledFile[],
  found: readonly InstalledFile[],
  most = 20,
): readonly string[] => {
  const before = new Map(expected.map(({ path, sha256 }) => [path, sha256]));
  const now = new Map(found.map(({ path, sha256 }) => [path, sha256]));
  const paths = new Set([...before.keys(), ...now.keys()]);
  return [...paths]
    .filter((path) => before.get(path) !== now.get(path))
    .sort()
    .slice(0, most);
};
