import type { Sql } from '../../storage/sql-engine.ts';
import { visitColumns, visitSchema } from './journal-schema.ts';
import type { Lease } from './leases.ts';

/* A visit is a session at a terminal, whatever number of requests it took. */

/**
 * Of those received before: what is open still, and what has ended today (its file came, or was given up), as the note of its day
 * says. Newest first.
 */
export const carriedOver = `WHERE request_id IN (SELECT request_id FROM personal UNION SELECT request_id FROM today)
  AND received_at < ? ORDER BY received_at DESC, rowid DESC LIMIT ?`;

/** Its patient had left without the answer, as the terminal says; staff see it beside the result. true = it was news */
export const markLate = (sql: Sql, requestId: string, device: string, at: number): boolean =>
  sql.run(
    // A test has no patient.
    "UPDATE request SET late_at = ? WHERE request_id = ? AND device = ? AND late_at IS NULL AND kind <> 'test'",
    ...[at, requestId, device],
  ) > 0;

/**
 * A request whose answer has come, by one question. `isAnsweredOtherwise`: another request of its visit has its answer (a visit is
 * counted once, and has one file). Where both have theirs, as after a restart with the folder shut, the file is that of the one
 * that has it, or else of the first that is still to write it. `isHeld`: this lease still stands. undefined: there is none
 */
export const requestToFinish = (sql: Sql, requestId: string, lease?: Lease) => {
  const row = sql.get(
    `SELECT ${visitColumns},
        EXISTS (SELECT 1 FROM request AS other WHERE other.session = request.session AND other.kind = request.kind
          AND other.request_id <> request.request_id AND other.verdict = 'accepted'
          AND other.outcome IN ('eligible', 'not-eligible', 'registered')
          AND (request.outcome IS NULL OR request.outcome = 'failed' OR other.file IS NOT NULL OR (other.handed_over_at IS NULL
            AND other.given_up_at IS NULL AND (other.finished_at, other.request_id) < (request.finished_at, request.request_id)))
        ) AS answered,
        EXISTS (SELECT 1 FROM lease WHERE lease.request_id = request.request_id AND lease.agent = ? AND lease.fence = ?) AS held
      FROM request WHERE request_id = ?`,
    ...[lease?.agent ?? '', lease?.fence ?? 0, requestId],
  );
  if (row === undefined) return undefined;
  return { visit: visitSchema.parse(row), isAnsweredOtherwise: Boolean(row.answered), isHeld: Boolean(row.held) };
};
