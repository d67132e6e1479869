import { randomFillSync } from 'node:crypto';
import {
  type FileHandle,
  lstat,
  open,
  readdir,
  readFile,
  realpath,
  rm,
  rmdir,
  stat,
  statfs,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { basename, join } from 'node:path';
import { orMissing } from '../storage/or-missing.ts';

/*
 * Leaves nothing of what lay in files. Each is overwritten before it is unlinked; what files of before left in blocks that
 * are free now (a key that was replaced, a row that was deleted) goes when the free space is filled. A flash disk may keep
 * old copies of a block that no software reaches: its own erasure, or full-disk encryption, is for those.
 */

const chunkBytes = 1_048_576;

const overwrite = async (path: string, size: number): Promise<void> => {
  const file = await open(path, 'r+');
  try {
    const chunk = Buffer.alloc(Math.min(chunkBytes, Math.max(size, 1)));
    for (let at = 0; at < size; at += chunk.length) {
      randomFillSync(chunk);
      await file.write(chunk, 0, Math.min(chunk.length, size - at), at);
    }
    await file.sync();
  } finally {
    await file.close();
  }
};

/** A file, or a directory with all below it; links are taken away and never followed. Answers how many files; 0: not there. */
export const eraseTree = async (path: string, keepsDirectory = false): Promise<number> => {
  const found = await lstat(path).catch(orMissing);
  if (found === null) return 0;
  if (found.isDirectory()) {
    let files = 0;
    for (const name of await readdir(path)) files += await eraseTree(join(path, name));
    if (!keepsDirectory) await rmdir(path);
    return files;
  }
  // A second name of a file that is not ours is taken away, its content left to the other.
  if (found.isFile() && found.nlink === 1) {
    await overwrite(path, found.size);
    await truncate(path, 0);
  }
  await unlink(path);
  return 1;
};

/** How many bytes the disk took of so many; 0: it is full. */
const writeZeros = async (file: FileHandle, length: number, at: number): Promise<number> => {
  try {
    return (await file.write(Buffer.alloc(length), 0, length, at)).bytesWritten;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    return 0;
  }
};

/** Until the disk is full. Bytes */
const fill = async (file: FileHandle, from: number): Promise<number> => {
  let at = from;
  for (let length = chunkBytes; length >= 512; ) {
    const written = await writeZeros(file, length, at);
    at += written;
    if (written === 0) length /= 2;
  }
  return at - from;
};

/** Its block device's name by the kernel: `sda2`. Throws where it has none of its own: another system, memory, a share. */
const deviceOf = async (directory: string): Promise<string> => {
  const { dev } = await stat(directory);
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  return basename(await realpath(`/sys/dev/block/${major}:${minor}`));
};

/**
 * ext4 keeps two blocks of a hundred from everybody, for its own books: what lay there once would stay readable. Until the
 * answer is called it keeps none. Another file system, or not root: nothing is changed.
 */
const withoutReserve = async (directory: string): Promise<() => Promise<void>> => {
  try {
    const reserve = `/sys/fs/ext4/${await deviceOf(directory)}/reserved_clusters`;
    const before = await readFile(reserve);
    await writeFile(reserve, '0');
    return () => writeFile(reserve, before);
  } catch {
    return async () => {};
  }
};

const syncOf = async (path: string): Promise<void> => {
  const file = await open(path, 'r');
  await file.sync().finally(() => file.close());
};

/**
 * What was written and unlinked is on the disk, by root also what the file system's own blocks say of it: the one with a
 * file's places (extents) is written later, or never where the file is gone by then, and what had lain in it would stay readable.
 */
const settle = async (directory: string): Promise<void> => {
  if (process.platform === 'win32') return;
  await syncOf(directory);
  await deviceOf(directory)
    .then((device) => syncOf(`/dev/${device}`))
    .catch(() => undefined);
};

/** Fills the free space of the file system with zeros and gives it back. Answers how many bytes. */
export const fillFreeSpace = async (directory: string): Promise<number> => {
  const path = join(directory, '.uketsuke-erase');
  // Of a run that was cut off: it would hold the disk full, and be in this one's way.
  await rm(path, { force: true });
  const giveBackReserve = await withoutReserve(directory);
  let written = 0;
  try {
    // What was unlinked is free to be filled only once the file system has written that down.
    await settle(directory);
    const file = await open(path, 'wx', 0o600);
    try {
      // Twice: what the first round made the file system free is filled by the second.
      for (let round = 0; round < 2; round += 1) {
        written += await fill(file, written);
        await file.sync().catch(() => undefined);
        await settle(directory);
      }
    } finally {
      await file.close();
      await unlink(path);
    }
  } finally {
    await giveBackReserve();
  }
  return written;
};

/** So much has to be filled; for whoever waits. Bytes */
export const freeSpaceOf = async (directory: string): Promise<number> => {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
};
