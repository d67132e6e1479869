import type { Sql } from '../../storage/sql-engine.ts';
import type { JournalVisit } from './journal-schema.ts';

/* A visit is a session at a terminal, whatever number of requests it took. */

/** Their patients had left without the answer, as the terminal says; staff see it beside the result. true = it was news */
export const markLate = (sql: Sql, requestIds: readonly string[], device: string, at: number): boolean =>
  requestIds.filter(
    (requestId) =>
      sql.run(
        // A test has no patient.
        "UPDATE request SET late_at = ? WHERE request_id = ? AND device = ? AND late_at IS NULL AND kind <> 'test'",
        ...[at, requestId, device],
      ) > 0,
  ).length > 0;

/** Whether another request of this visit has its answer: a visit is counted once, and has one file. */
export const isAnsweredOtherwise = (
  sql: Sql,
  { requestId, session, kind }: Pick<JournalVisit, 'requestId' | 'session' | 'kind'>,
): boolean =>
  sql.get(
    `SELECT 1 FROM request WHERE session = ? AND kind = ? AND request_id <> ? AND verdict = 'accepted'
      AND outcome IN ('eligible', 'not-eligible', 'registered')`,
    ...[session, kind, requestId],
  ) !== undefined;
