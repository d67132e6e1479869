import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/*
 * A folder and those above it. Not by Node's `recursive`, which tries for ever, at full load, where a folder is there and
 * takes none (`ENOENT`): below an autofs whose server knows no such share, below /proc. Here each folder is tried twice at most.
 */

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
/** A link is there, and what it leads to is not. */
const leadsNowhere = (path: string): Error =>
  Object.assign(new Error(`ENOENT: leads nowhere, mkdir '${path}'`), { code: 'ENOENT', syscall: 'mkdir', path });
/** Nothing lies above it that could be made first. */
const isTop = (path: string, error: unknown): boolean => codeOf(error) !== 'ENOENT' || dirname(path) === path;

/** `mode`: of each folder that it makes. Throws as the file system does; one that is there already is as it should be. */
export const makeFolder = async (path: string, mode = 0o777): Promise<void> => {
  const error = await mkdir(path, { mode }).then(
    () => null,
    (why: unknown) => why,
  );
  if (error === null) return;
  if (!isTop(path, error)) {
    await makeFolder(dirname(path), mode);
    return mkdir(path, { mode }).catch((why: unknown) => {
      // Somebody else was faster.
      if (codeOf(why) !== 'EEXIST') throw why;
    });
  }
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) return;
  throw found === null && codeOf(error) === 'EEXIST' ? leadsNowhere(path) : error;
};

/** The same at once. */
export const makeFolderSync = (path: string, mode = 0o777): void => {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (!isTop(path, error)) {
      makeFolderSync(dirname(path), mode);
      return makeLast(path, mode);
    }
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) return;
    throw found === undefined && codeOf(error) === 'EEXIST' ? leadsNowhere(path) : error;
  }
};

const makeLast = (path: string, mode: number): void => {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
};
