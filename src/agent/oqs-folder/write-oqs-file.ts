import { join } from 'node:path';
import { type FailureCode, failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { makeFolder } from '../../storage/make-folder.ts';
import { listShared, readShared, removeShared, writeShared } from './shared-folder.ts';

const codeOf: Record<string, FailureCode> = {
  ENOSPC: 'files.folder-full',
  EDQUOT: 'files.folder-full',
  EROFS: 'files.folder-read-only',
  EACCES: 'files.folder-read-only',
  EPERM: 'files.folder-read-only',
  EBUSY: 'files.in-use',
  ENOENT: 'files.folder-missing',
  ENOTDIR: 'files.folder-missing',
  // A directory lies under the name: it is about this file alone.
  EISDIR: 'files.not-a-file',
  ENOTEMPTY: 'files.not-a-file',
  EEXIST: 'files.not-a-file',
};

/**
 * What a step in a shared folder that failed is called. A file that was made and written there, but may not take its
 * name, meets one that somebody holds open: Windows says EPERM to that, as it does to a folder without a right.
 */
export const folderFailureOf = (error: unknown): FailureCode => {
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  if (syscall === 'rename' && ['EPERM', 'EACCES'].includes(code)) return 'files.in-use';
  return codeOf[code] ?? 'files.write-failed';
};

const refusal = (error: unknown): Result<never> =>
  err(failure(folderFailureOf(error), (error as NodeJS.ErrnoException).code ?? 'unknown'));

/**
 * Writes a file that the レセコン polls for: it sees the whole file or none. The same name again replaces it. The folder
 * is not made here: a shared folder that is gone is a fault to be told (`files.folder-missing`), not something to hide.
 */
export const writeOqsFile = async (folder: string, name: string, bytes: Uint8Array): Promise<Result<void>> => {
  try {
    await writeShared(folder, name, bytes);
    return ok(undefined);
  } catch (error) {
    return refusal(error);
  }
};

/** Whether the folder takes files: one is written under a name that no レセコン reads, and taken away again. */
export const probeOqsFolder = async (folder: string): Promise<Result<void>> => {
  const name = '.uketsuke-test.writing';
  const written = await writeOqsFile(folder, name, Buffer.from('test'));
  await removeShared(folder, name).catch(() => undefined);
  return written;
};

export const oqsFolders = ['face', 'req', 'res'] as const;

const modifiedAt = async (folder: string, name: string): Promise<number> => {
  const file = await readShared(folder, name, 0);
  return 'modifiedMs' in file ? file.modifiedMs : 0;
};

/** What a crash left half written, with a patient's data in it: taken away at the start. Best effort: the folder may be gone. `isOld`: where another agent may be writing. */
export const sweepOqsFolders = async (
  root: string,
  isOld: (modifiedMs: number) => boolean = () => true,
): Promise<void> => {
  for (const folder of ['face', 'res'])
    try {
      const path = join(root, folder);
      for (const name of await listShared(path, (each) => /^\..+\.writing$/.test(each), 1_000))
        if (isOld(await modifiedAt(path, name))) await removeShared(path, name);
    } catch {
      // Told by the first file that cannot be written.
    }
};

/** At provisioning only: `face`, `req` and `res` below the folder that is shared with the レセコン. */
export const makeOqsFolders = async (root: string): Promise<void> => {
  for (const folder of oqsFolders) await makeFolder(join(root, folder));
};
