import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { AuditEnd } from '../../storage/audit-chain.ts';
import { writeFileAtomically } from '../../trust/write-file.ts';
import type { Journal } from './journal.ts';

/** So much of the journal may be missing without anybody noticing; written no oftener, for the flash's sake. ms */
const keepEveryMs = 10 * 60_000;

const seenSchema = z.strictObject({ number: z.number().int(), hash: z.string() });

const readSeen = (path: string): AuditEnd | null => {
  try {
    return seenSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // None yet, or not to be read: then nothing is known, and the next one is written soon.
    return null;
  }
};

/** A journal of before was put there by somebody who says so: the next start finds it to be one. `path`: as in `watchJournalHead` */
export const expectLaterJournal = (path: string): Promise<void> =>
  writeFileAtomically(path, `${JSON.stringify({ number: Number.MAX_SAFE_INTEGER, hash: '' })}\n`);

type JournalWitness = {
  /** The journal that was opened lacks what the last one here had: an older copy, another one, a new one */
  readonly isRolledBack: boolean;
  /** To be called often; writes seldom, and when `now`. What the disk refuses is tried again. */
  keep(now?: boolean): Promise<void>;
};

/**
 * The end of the audit chain as it last was, in a file beside the keys: whoever puts last week's journal in the place of
 * today's, while nobody runs, is found out by it. A copy of the whole directory takes the file along and is not.
 */
export const watchJournalHead = (
  path: string,
  journal: Pick<Journal, 'audit'>,
  steadyMs: () => number,
): JournalWitness => {
  const seen = readSeen(path);
  const isRolledBack = seen !== null && !journal.audit.reaches(seen);
  let kept: AuditEnd | null = isRolledBack ? null : seen;
  let keptAtMs = Number.NEGATIVE_INFINITY;
  return {
    isRolledBack,
    keep: async (now = false) => {
      const end = journal.audit.end();
      if (end.number === kept?.number || (!now && steadyMs() - keptAtMs < keepEveryMs)) return;
      keptAtMs = steadyMs();
      await writeFileAtomically(path, `${JSON.stringify({ number: end.number, hash: end.hash })}\n`);
      kept = end;
    },
  };
};
