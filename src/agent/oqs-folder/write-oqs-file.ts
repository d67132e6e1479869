import { mkdir, open, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FailureCode, failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';

const codeOf: Record<string, FailureCode> = {
  ENOSPC: 'files.folder-full',
  EDQUOT: 'files.folder-full',
  EROFS: 'files.folder-read-only',
  EACCES: 'files.folder-read-only',
  EPERM: 'files.folder-read-only',
  ENOENT: 'files.folder-missing',
  ENOTDIR: 'files.folder-missing',
};

const refusal = (error: unknown): Result<never> => {
  const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
  return err(failure(codeOf[reason] ?? 'files.write-failed', reason));
};

/**
 * Writes a file that the レセコン polls for: under a temporary name without `.xml`, to the disk, then renamed, so that a
 * reader sees the whole file or none. The same name again replaces it. The folder is not made here: a shared folder that
 * is gone is a fault to be told (`files.folder-missing`), not something to hide.
 */
export const writeOqsFile = async (folder: string, name: string, bytes: Uint8Array): Promise<Result<void>> => {
  const temporary = join(folder, `.${name}.writing`);
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(folder, name));
    return ok(undefined);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    return refusal(error);
  }
};

/** Whether the folder takes files: one is written under a name that no レセコン reads, and taken away again. */
export const probeOqsFolder = async (folder: string): Promise<Result<void>> => {
  const path = join(folder, '.uketsuke-test.writing');
  try {
    await writeFile(path, 'test');
    return ok(undefined);
  } catch (error) {
    return refusal(error);
  } finally {
    await unlink(path).catch(() => undefined);
  }
};

export const oqsFolders = ['face', 'req', 'res'] as const;

/** At provisioning only: `face`, `req` and `res` below the folder that is shared with the レセコン. */
export const makeOqsFolders = async (root: string): Promise<void> => {
  for (const folder of oqsFolders) await mkdir(join(root, folder), { recursive: true });
};
