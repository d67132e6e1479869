import { randomBytes } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, opendir, realpath, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';

/*
 * Folders that other machines write to. Whoever writes there may plant a link, a second name of one of our own files, a
 * directory, a FIFO or a device under the name of a request, may put a link in the place of the folder itself, and may do
 * so between two of our steps. So: only regular files with one name are read, through a handle that is compared with
 * what lies there; nothing of ours is written through anything that was there before; the folder is not a link.
 * What lies above the folder is the administrator's and trusted.
 */

/** A folder held open, or looked at again for each step. Closed by its user. */
type OpenFolder = {
  /** Path of an entry; never leads through a link that was put in the folder's place */
  readonly at: (name: string) => string;
  /** Throws when the folder is no longer the one that was opened. */
  readonly check: () => Promise<void>;
  /** The folder's own entries to the disk: without it a power cut may take back a rename of which the journal knows. */
  readonly sync: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** What differs between systems, in one place. */
export type FolderAccess = {
  readonly open: (folder: string) => Promise<OpenFolder>;
  /** For opening an entry: does not follow a link, does not wait at a FIFO; 0 where the system has no such flag */
  readonly flags: number;
};

const notAFolder = (folder: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${basename(folder)} is not a folder of its own`), { code: 'ENOTDIR' });

/** Linux: the folder's own handle is the parent of every step, so that nobody can put another in its place. */
export const heldFolders: FolderAccess = {
  flags: constants.O_NOFOLLOW | constants.O_NONBLOCK,
  open: async (folder) => {
    const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch(
      (error: NodeJS.ErrnoException) => {
        throw error.code === 'ELOOP' ? notAFolder(folder) : error;
      },
    );
    return {
      at: (name) => `/proc/self/fd/${handle.fd}/${name}`,
      check: async () => {},
      // A share of another machine may know no such order (CIFS, FUSE): what it keeps is its own affair.
      sync: () =>
        handle.sync().catch((error: NodeJS.ErrnoException) => {
          if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(error.code ?? '')) throw error;
        }),
      close: () => handle.close(),
    };
  },
};

const isSame = (a: BigIntStats, b: BigIntStats): boolean => a.dev === b.dev && a.ino === b.ino;

/** Windows keeps the case of a name and does not look at it. */
const isSamePlace = (a: string, b: string): boolean =>
  process.platform === 'win32' ? a.toLowerCase() === b.toLowerCase() : a === b;

/**
 * Everywhere else (Windows, where `O_NOFOLLOW` is silently 0): looked at without following, resolved, and looked at
 * again after each step; a handle counts only when it is the file that lies under the name.
 */
export const comparedFolders: FolderAccess = {
  flags: 0,
  open: async (folder) => {
    const look = async (): Promise<BigIntStats> => {
      const found = await lstat(folder, { bigint: true });
      if (!found.isDirectory()) throw notAFolder(folder);
      // A junction is a directory to lstat, but resolves to somewhere else.
      const place = join(await realpath(dirname(folder)), basename(folder));
      if (!isSamePlace(await realpath(folder), place)) throw notAFolder(folder);
      return found;
    };
    const first = await look();
    return {
      at: (name) => join(folder, name),
      check: async () => {
        if (!isSame(await look(), first)) throw notAFolder(folder);
      },
      // Windows opens no folder for that; NTFS keeps its names in a journal of its own.
      sync: async () => {},
      close: async () => {},
    };
  },
};

const folderAccess: FolderAccess = process.platform === 'linux' ? heldFolders : comparedFolders;

/** `odd`: a link, directory, FIFO, device, or a file with a second name: nothing of it was read. */
type SharedFile =
  | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly modifiedMs: number }
  | { readonly kind: 'too-long'; readonly modifiedMs: number }
  | { readonly kind: 'gone' }
  | { readonly kind: 'odd' };

/** Windows opens something else under these: a stream beside the file, the name without its end, a device. */
const isOddOnWindows = (name: string): boolean =>
  /[:*?"<>|]|[. ]$/.test(name) || /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])( *\.|$)/i.test(name);

/** An entry's name is one step: no separator, not the folder or its parent. */
const checkName = (name: string): void => {
  if (process.platform === 'win32' && isOddOnWindows(name)) throw new Error('not the name of an entry');
  if (name === '.' || name === '..' || name === '' || /[/\\\0]/.test(name) || name.includes(sep))
    throw new Error('not the name of an entry');
};

const within = async <T>(
  access: FolderAccess,
  folder: string,
  work: (opened: OpenFolder) => Promise<T>,
): Promise<T> => {
  const opened = await access.open(folder);
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
};

const isGone = (error: NodeJS.ErrnoException): boolean => error.code === 'ENOENT';
/** What a system says of a link that is not followed, of a socket, of a device without a driver. */
const isOdd = (error: NodeJS.ErrnoException): boolean =>
  ['ELOOP', 'ENXIO', 'ENODEV', 'EISDIR'].includes(error.code ?? '');

/** null: there is more than that. */
const readAll = async (file: FileHandle, size: number): Promise<Uint8Array | null> => {
  const bytes = Buffer.alloc(size + 1);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) return Uint8Array.from(bytes.subarray(0, length));
    length += bytesRead;
  }
  return null;
};

/** At most `maximumBytes` of a regular file. Throws what the system says of the folder (`ENOTDIR`: it is a link). */
export const readShared = (
  folder: string,
  name: string,
  maximumBytes: number,
  access = folderAccess,
): Promise<SharedFile> =>
  within(access, folder, async ({ at, check }) => {
    checkName(name);
    let file: FileHandle | undefined;
    try {
      const seen = await lstat(at(name), { bigint: true });
      if (!seen.isFile() || seen.nlink > 1n) return { kind: 'odd' };
      file = await open(at(name), constants.O_RDONLY | access.flags);
      const opened = await file.stat({ bigint: true });
      await check();
      if (!opened.isFile() || opened.nlink > 1n || !isSame(opened, seen)) return { kind: 'odd' };
      const modifiedMs = Number(opened.mtimeMs);
      const bytes = opened.size > BigInt(maximumBytes) ? null : await readAll(file, Number(opened.size));
      return bytes === null ? { kind: 'too-long', modifiedMs } : { kind: 'file', bytes, modifiedMs };
    } catch (error) {
      if (isGone(error as NodeJS.ErrnoException)) return { kind: 'gone' };
      if (isOdd(error as NodeJS.ErrnoException)) return { kind: 'odd' };
      throw error;
    } finally {
      await file?.close();
    }
  });

/** Made by us this moment, or not at all; compared with what lies under the name before a byte is written. */
const create = async ({ at }: OpenFolder, name: string, access: FolderAccess): Promise<FileHandle> => {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | access.flags;
  const file = await open(at(name), flags, 0o640);
  try {
    const [made, lies] = [await file.stat({ bigint: true }), await lstat(at(name), { bigint: true })];
    if (isSame(made, lies) && made.isFile() && made.nlink <= 1n) return file;
    throw Object.assign(new Error('another file lies there'), { code: 'EEXIST' });
  } catch (error) {
    await file.close();
    throw error;
  }
};

/**
 * `temporary`: its name until then. `mayTakeName`: asked when all of it is on the disk; false: it goes again. `stays`: once that was
 * asked it lies there until it has its name, whatever fails.
 */
type NameTaking = {
  readonly temporary?: string;
  readonly mayTakeName?: () => boolean | Promise<boolean>;
  readonly stays?: boolean;
};

/**
 * Under a temporary name, to the disk, then renamed, so that a reader sees the whole file or none; what lies under the
 * name is replaced and never written through. Throws what the system says.
 */
export const writeShared = (
  folder: string,
  name: string,
  bytes: Uint8Array,
  access = folderAccess,
  {
    // Not made from the name, which may be as long as the folder takes.
    temporary = `.${randomBytes(12).toString('hex')}.writing`,
    mayTakeName = () => true,
    stays = false,
  }: NameTaking = {},
): Promise<void> =>
  within(access, folder, async (opened) => {
    checkName(name);
    const { at, check } = opened;
    let isKept = false;
    try {
      await check();
      const file = await create(opened, temporary, access);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await check();
      isKept = stays;
      if (!(await mayTakeName())) return await unlink(at(temporary)).catch(() => undefined);
      await rename(at(temporary), at(name));
      await opened.sync();
    } catch (error) {
      if (!isKept) await unlink(at(temporary)).catch(() => undefined);
      throw error;
    }
  });

export const removeShared = (folder: string, name: string, access = folderAccess): Promise<void> =>
  within(access, folder, async ({ at, check }) => {
    checkName(name);
    await check();
    await unlink(at(name)).catch((error: NodeJS.ErrnoException) => {
      if (!isGone(error)) throw error;
    });
  });

/** Whether a folder lies under this name: no file can take its place. A link to one is replaced like a file. */
export const isFolderShared = (folder: string, name: string, access = folderAccess): Promise<boolean> =>
  within(access, folder, async ({ at, check }) => {
    checkName(name);
    await check();
    const found = await lstat(at(name)).catch((error: NodeJS.ErrnoException) => {
      if (isGone(error)) return null;
      throw error;
    });
    return found?.isDirectory() ?? false;
  });

/** Moves an entry aside within its folder; nothing of it is read. */
export const renameShared = (folder: string, name: string, newName: string, access = folderAccess): Promise<void> =>
  within(access, folder, async ({ at, check }) => {
    checkName(name);
    checkName(newName);
    await check();
    await rename(at(name), at(newName));
  });

/** Names that fit, sorted, no more than `maximum` of them: a folder with a million entries is no reason to grow. */
export const listShared = (
  folder: string,
  fits: (name: string) => boolean,
  maximum: number,
  access = folderAccess,
): Promise<string[]> =>
  within(access, folder, async ({ at }) => {
    const names: string[] = [];
    for await (const { name } of await opendir(at('.'))) {
      if (fits(name)) names.push(name);
      if (names.length >= maximum) break;
    }
    return names.sort();
  });
