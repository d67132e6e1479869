import { createHash } from 'node:crypto';
import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Journal } from '../journal/journal.ts';
import type { Lease, Leases } from '../journal/leases.ts';
import { isFolderShared, removeShared, renameShared, writeShared } from './shared-folder.ts';
import { folderFailureOf } from './write-oqs-file.ts';

/** Under which a file lies until it takes its name: of this fence alone, so that whoever comes after finds it. */
const temporaryOf = (requestId: string, fence: number): string =>
  `.${createHash('sha256').update(`${requestId} ${fence}`).digest('hex').slice(0, 24)}.writing`;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

/** Whoever renames it first: of two renames one alone succeeds. Throws where it may lie there still. */
const takeName = async (folder: string, temporary: string, name: string): Promise<void> => {
  try {
    await renameShared(folder, temporary, name);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    // Not there: it took its name, and a レセコン may have it by now. Throws where it is the folder that is not there.
    await isFolderShared(folder, name);
  }
};

type OnceWriter = Pick<Leases, 'holds'> & {
  readonly mark: (lease: Lease, file: string) => boolean | Promise<boolean>;
  /** All of it lay in the folder when `mark` was asked */
  isReady: boolean;
};
/** For the tries under one lease. What `mark` says is durable. */
export const onceWriter = (journal: Journal): OnceWriter => ({
  holds: (lease) => journal.leases.holds(lease),
  mark: (lease, file) => journal.together('now', () => journal.leases.mark(lease, file)),
  isReady: false,
});

/**
 * A file that the レセコン sees once, whichever of several agents writes it and whenever one of them stands still. It lies
 * ready under a name of this lease; that it is about to take its own is in the journal before it does, and from then on it lies
 * there until it has it: whoever comes after us knows no other way to tell that it took it. `lost`: another agent has taken this
 * work over. `leases`: the same at each try under this lease.
 */
export const writeOnce = async (
  folder: string,
  name: string,
  bytes: Uint8Array,
  lease: Lease,
  leases: OnceWriter,
): Promise<Result<'written' | 'lost'>> => {
  const { requestId, fence, marked, file } = lease;
  const temporary = temporaryOf(requestId, fence);
  let isLost = false;
  const mayTakeName = async (): Promise<boolean> => {
    leases.isReady = true;
    isLost = !(await leases.mark(lease, name));
    return !isLost;
  };
  try {
    // What an agent that died, or stands still, was about to name.
    if (marked !== null && file !== null) {
      await takeName(folder, temporaryOf(requestId, marked), file);
      return ok('written');
    }
    if (leases.isReady) {
      if (await mayTakeName()) await takeName(folder, temporary, name);
      return ok(isLost ? 'lost' : 'written');
    }
    // What agents before us had ready, and had not said so: they find nothing to name when they come back.
    for (let former = 1; former < fence; former += 1) await removeShared(folder, temporaryOf(requestId, former));
    await writeShared(folder, name, bytes, undefined, {
      temporary,
      mayTakeName,
      stays: true,
    });
    return ok(isLost ? 'lost' : 'written');
  } catch (error) {
    if (isLost || (codeOf(error) === 'ENOENT' && !leases.holds(lease))) return ok('lost');
    return err(failure(folderFailureOf(error), codeOf(error)));
  }
};

/** Of a file that will not be written any more nothing stays, as far as the folder lets it go. */
export const removeReady = async (folder: string, { requestId, fence }: Lease): Promise<void> => {
  for (let each = 1; each <= fence; each += 1)
    await removeShared(folder, temporaryOf(requestId, each)).catch(() => undefined);
};
