import type { FailureCode } from '../../core/failure.ts';
import { dayMs } from '../../core/time-units.ts';
import type { Cells, Sql } from '../../storage/sql-engine.ts';

/** Far beyond the life of an approval, by the journal's age: no clock that is set brings one back. ms */
const rememberedMs = dayMs;

/** Of a request on the staff path: `certificate` is the hash of its certificate, '' where the chip could not be read. */
type ApprovalUse = {
  readonly session: string;
  readonly kind: string;
  readonly certificate: string;
  /** The journal's age now. ms */
  readonly livedMs: number;
};

type SealedSql = Sql & { readonly cells: Cells };

const placeOf = (session: string): string => `approval_use.certificate ${session}`;

/** The certificate that a visit was approved for, where the lookup has told it; the first one stands. */
export const bindApproval = (sql: SealedSql, { session, certificate, livedMs }: Omit<ApprovalUse, 'kind'>): void => {
  const cell = sql.cells.seal(placeOf(session), certificate);
  sql.write('INSERT OR IGNORE INTO approval_use VALUES (?, ?, ?)', session, cell, livedMs + rememberedMs);
};

/**
 * One visit, one certificate, one request of a kind (a first registration is followed by its 資格確認): an approval that
 * staff gave for one patient lets nobody else through, now or after a restart. To be called in the transaction that
 * writes the request down. `message.stale`: used already; `message.forged`: given for another certificate.
 */
export const useApproval = (sql: SealedSql, use: ApprovalUse): FailureCode | undefined => {
  const before = sql.get(
    "SELECT 1 FROM request WHERE session = ? AND kind = ? AND method = 'staff' AND verdict = 'accepted'",
    ...[use.session, use.kind],
  );
  if (before !== undefined) return 'message.stale';
  bindApproval(sql, use);
  const bound = sql.get('SELECT certificate FROM approval_use WHERE session = ?', use.session)?.certificate;
  return sql.cells.open(placeOf(use.session), String(bound)) === use.certificate ? undefined : 'message.forged';
};
