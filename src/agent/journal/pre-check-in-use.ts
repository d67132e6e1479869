import type { FailureCode } from '../../core/failure.ts';
import type { Sql } from '../../storage/sql-engine.ts';
import { bindApproval } from './approval-use.ts';

type PreCheckInUse = {
  /** `preCheckIn` left out: none stood on the visit's screen */
  readonly personal: { readonly preCheckIn?: string | undefined };
  /** The journal's age now. ms */
  readonly livedMs: number;
};

/**
 * Beside the sessions of staff approvals, whose one use is kept in the same table as long: a day of the journal's age, and a
 * pre-check-in is good for one calendar day.
 */
const entryOf = (preCheckIn: string): string => `pre-check-in/${preCheckIn}`;

export const isPreCheckInUsed = (sql: Sql, preCheckIn: string): boolean =>
  sql.get('SELECT 1 FROM approval_use WHERE session = ?', entryOf(preCheckIn)) !== undefined;

/** One visit. To be called in the transaction that writes the request down. `message.stale`: used already. */
export const usePreCheckIn = (
  sql: Parameters<typeof bindApproval>[0],
  { personal: { preCheckIn }, livedMs }: PreCheckInUse,
): FailureCode | undefined => {
  if (preCheckIn === undefined) return undefined;
  if (isPreCheckInUsed(sql, preCheckIn)) return 'message.stale';
  // Its id alone: whose it was is nobody's to keep.
  bindApproval(sql, { session: entryOf(preCheckIn), certificate: '', livedMs });
  return undefined;
};
