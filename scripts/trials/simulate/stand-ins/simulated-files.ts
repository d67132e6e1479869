import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { diskNow, type Folder, type SimulatedFile, systemError } from './machine-disk.ts';

/*
 * Stands in for node:fs/promises where the product writes into the folder that it shares with the レセコン: one level of
 * folders, files with and without a sync, refusals, and a death at any step.
 */

const openFolders = new Map<number, string>();
let handles = 100;

/** `/proc/self/fd/N/name` leads into the folder that is open as N. */
const placeOf = (path: string): { folder: string; name: string } => {
  const found = /^\/proc\/self\/fd\/(\d+)\/(.*)$/.exec(path);
  if (found === null) return { folder: dirname(path), name: path.slice(dirname(path).length + 1) };
  return { folder: openFolders.get(Number(found[1])) ?? '', name: found[2] ?? '' };
};
const folderOf = (path: string): Folder => {
  const folder = diskNow().folder(path);
  if (folder === undefined) throw systemError('ENOENT', 'open');
  return folder;
};
const step = <T>(work: () => T): Promise<T> => diskNow().kernel.outside(work);
/** What each mood of a disk or folder refuses; the rest goes well: a full disk renames. */
const refused: Readonly<Record<string, readonly string[]>> = {
  ENOSPC: ['write'],
  EIO: ['write', 'fsync'],
  EBUSY: ['rename'],
  EACCES: ['open', 'rename'],
  EROFS: ['open', 'rename'],
};
const refusalOf = (syscall: string): string | undefined => {
  const { refuses, folderRefuses } = diskNow();
  return [refuses, folderRefuses].find((code) => code !== null && refused[code]?.includes(syscall)) ?? undefined;
};
const mayWrite = (syscall: string): void => {
  const code = refusalOf(syscall);
  if (code !== undefined) throw systemError(code, syscall);
};

const statOf = (number: bigint, file: SimulatedFile | null) => ({
  ...{ dev: 1n, ino: number, nlink: 1n, size: BigInt(file?.now.length ?? 0), mtimeMs: 0n },
  isFile: () => file !== null,
  isDirectory: () => file === null,
});

const folderHandle = (path: string) => {
  const fd = handles;
  handles += 1;
  openFolders.set(fd, path);
  return {
    fd,
    sync: () =>
      step(() => {
        mayWrite('fsync');
        const folder = folderOf(path);
        folder.synced = new Map(folder.now);
        diskNow().sync();
      }),
    close: async () => void openFolders.delete(fd),
  };
};

const fileHandle = (file: SimulatedFile) => ({
  fd: -1,
  stat: () => step(() => statOf(file.number, file)),
  writeFile: (bytes: Uint8Array) =>
    step(() => {
      // A disk that fills up has taken a part.
      const isRefused = refusalOf('write') !== undefined;
      file.now = bytes.slice(0, isRefused ? bytes.length >> 1 : bytes.length);
      mayWrite('write');
    }),
  sync: () =>
    step(() => {
      mayWrite('fsync');
      file.synced = file.now;
      diskNow().sync();
    }),
  close: async () => {},
});

export const open = async (path: string, flags: number) => {
  if ((flags & constants.O_DIRECTORY) !== 0)
    return step(() => {
      folderOf(path);
      return folderHandle(path);
    });
  return step(() => {
    const { folder, name } = placeOf(path);
    const { now } = folderOf(folder);
    if ((flags & constants.O_CREAT) !== 0) {
      mayWrite('open');
      if (now.has(name)) throw systemError('EEXIST', 'open');
      now.set(name, { number: diskNow().nextNumber(), now: new Uint8Array(), synced: null });
    }
    const file = now.get(name);
    if (file === undefined) throw systemError('ENOENT', 'open');
    return fileHandle(file);
  });
};

export const lstat = (path: string) =>
  step(() => {
    const own = diskNow().folder(path);
    if (own !== undefined) return statOf(own.number, null);
    const { folder, name } = placeOf(path);
    const file = folderOf(folder).now.get(name);
    if (file === undefined) throw systemError('ENOENT', 'lstat');
    return statOf(file.number, file);
  });

export const rename = (from: string, to: string) =>
  step(() => {
    mayWrite('rename');
    const [old, target] = [placeOf(from), placeOf(to)];
    const { now } = folderOf(old.folder);
    const file = now.get(old.name);
    if (file === undefined) throw systemError('ENOENT', 'rename');
    now.delete(old.name);
    folderOf(target.folder).now.set(target.name, file);
  });

export const unlink = (path: string) =>
  step(() => {
    const { folder, name } = placeOf(path);
    if (!folderOf(folder).now.delete(name)) throw systemError('ENOENT', 'unlink');
  });

export const realpath = async (path: string): Promise<string> => path;

/** `at('.')` of a folder that is open */
export const opendir = (path: string) =>
  step(() => {
    const names = [...folderOf(placeOf(path).folder).now.keys()];
    return (async function* () {
      for (const name of names) yield { name };
    })();
  });
