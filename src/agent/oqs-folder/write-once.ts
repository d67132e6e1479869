import { createHash } from 'node:crypto';
import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Lease, Leases } from '../journal/leases.ts';
import { removeShared, renameShared, writeShared } from './shared-folder.ts';
import { folderFailureOf } from './write-oqs-file.ts';

/** Under which a file lies until it takes its name: of this fence alone, so that whoever comes after finds it. */
const temporaryOf = (requestId: string, fence: number): string =>
  `.${createHash('sha256').update(`${requestId} ${fence}`).digest('hex').slice(0, 24)}.writing`;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

/**
 * What an agent that died, or stands still, was about to name: of its rename and ours one alone succeeds, whenever it comes
 * back. true: the file has its name, given by it or by us.
 */
const finishFormer = async (folder: string, { requestId, marked, file }: Lease): Promise<boolean> => {
  if (marked === null || file === null) return false;
  try {
    await renameShared(folder, temporaryOf(requestId, marked), file);
  } catch (error) {
    // Not there: it took its name, and a レセコン may have it by now.
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  return true;
};

/**
 * A file that the レセコン sees once, whichever of several agents writes it and whenever one of them stands still. It lies
 * ready under a name of this lease; that it is about to take its own is in the journal before it does. `lost`: another agent
 * has taken this work over.
 */
export const writeOnce = async (
  folder: string,
  name: string,
  bytes: Uint8Array,
  lease: Lease,
  leases: Pick<Leases, 'holds'> & { readonly mark: (lease: Lease, file: string) => boolean | Promise<boolean> },
): Promise<Result<'written' | 'lost'>> => {
  const { requestId, fence } = lease;
  const temporary = temporaryOf(requestId, fence);
  let isLost = false;
  try {
    if (await finishFormer(folder, lease)) return ok('written');
    // What agents before us had ready, and had not said so: they find nothing to name when they come back.
    for (let former = 1; former < fence; former += 1) await removeShared(folder, temporaryOf(requestId, former));
    await writeShared(folder, name, bytes, undefined, {
      temporary,
      mayTakeName: async () => {
        isLost = !(await leases.mark(lease, name));
        return !isLost;
      },
    });
    return ok(isLost ? 'lost' : 'written');
  } catch (error) {
    if (isLost || (codeOf(error) === 'ENOENT' && !leases.holds(lease))) return ok('lost');
    return err(failure(folderFailureOf(error), codeOf(error)));
  }
};
