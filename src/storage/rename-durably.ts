import {
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
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
  // Left by one that was cut off; or a link, through which another file would be written.
  rmSync(aside, { force: true });
  writeFileSync(aside, text, { mode, flag: 'wx' });
  syncFile(aside);
  renameDurably(aside, path);
};

/** What root wrote belongs to the directory's owner. Anybody else's, and on Windows, stays as it is. */
export const giveToOwner = (path: string): void => {
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(dirname(path));
    chownSync(path, uid, gid);
  }
};

/** Whole and on the disk under its new name, and of that directory's owner, or not there. */
export const copyDurably = (from: string, to: string): void => {
  const aside = `${to}.part`;
  rmSync(aside, { force: true });
  copyFileSync(from, aside, constants.COPYFILE_EXCL);
  giveToOwner(aside);
  syncFile(aside);
  renameDurably(aside, to);
};
