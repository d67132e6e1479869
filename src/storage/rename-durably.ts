import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export const syncFile = (path: string, mode: 'r' | 'r+' = 'r+'): void => {
  const file = openSync(path, mode);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};

/** The names in a directory to the disk. Windows opens no directory; NTFS keeps its names in its own journal. */
export const syncDirectory = (directory: string): void => {
  if (process.platform !== 'win32') syncFile(directory, 'r');
};

/** The new name is on the disk when this returns: a power cut does not take it back. The file itself must be there already. */
export const renameDurably = (from: string, to: string): void => {
  renameSync(from, to);
  syncDirectory(dirname(to));
};

/** A file's content, whole: after a power cut it is the old one or the new one. Throws as the file system does. */
export const replaceDurably = (path: string, text: string, mode: number): void => {
  const aside = `${path}.new`;
  writeFileSync(aside, text, { mode });
  syncFile(aside);
  renameDurably(aside, path);
};
