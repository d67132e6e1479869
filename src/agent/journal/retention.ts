import { dayMs } from '../../core/time-units.ts';
import type { SqlEngine } from '../../storage/sql-engine.ts';

/** How long a request's row is known: longer than anybody can re-send. ms */
const requestLifeMs = 400 * dayMs;
/** A challenge is used or out within the hour; one that is known no more is refused just the same. ms */
const challengeLifeMs = 30 * dayMs;
/** The marks of cards seen in a month, and the key without which they say nothing. */
const monthLifeMs = 31 * dayMs;

/** Whoever waits for the journal waits for no more than this takes, however much has had its time: the next sweep goes on. Rows */
const atATime = 1_000;

/** A table, what has had its time in it, and before which age of the journal */
type Ended = readonly [table: string, condition: string, beforeMs: number];

const overdue = 'delete_at <= ? ORDER BY rowid';

/** Marks of a month are worth nothing without its key, which goes when none of them is left. */
const endedAt = (livedMs: number): readonly Ended[] => [
  ['personal', overdue, livedMs],
  ['today', 'delete_at <= ?', livedMs],
  ['bulk_inquiry', 'delete_at <= ?', livedMs],
  ['kept_name', 'delete_at <= ?', livedMs],
  ['certificate_end', 'delete_at <= ?', livedMs],
  ['approval_use', 'delete_at <= ?', livedMs],
  ['card_seen', 'month IN (SELECT month FROM month_key WHERE lived_at < ?)', livedMs - monthLifeMs],
  [
    'month_key',
    'lived_at < ? AND NOT EXISTS (SELECT 1 FROM card_seen WHERE card_seen.month = month_key.month)',
    livedMs - monthLifeMs,
  ],
  ['challenge', 'lived_at < ?', livedMs - challengeLifeMs],
  [
    'request',
    `lived_at < ? AND (verdict = 'refused' OR handed_over_at IS NOT NULL OR given_up_at IS NOT NULL)`,
    livedMs - requestLifeMs,
  ],
  ['rejection', 'lived_at < ?', livedMs - challengeLifeMs],
  ['abandoned', 'lived_at < ?', livedMs - requestLifeMs],
  ['help_call', 'lived_at < ?', livedMs - requestLifeMs],
  ['self_test', 'lived_at < ?', livedMs - requestLifeMs],
];

/**
 * What has had its time at an age of the journal (`JournalAge.livedMs`): statements, each with the age it is given. A
 * request that is neither handed over nor given up stays, however old.
 */
export const deletionsAt = (
  livedMs: number,
  address: SqlEngine['rowAddress'],
): readonly (readonly [sql: string, beforeMs: number])[] =>
  endedAt(livedMs).map(([table, condition, beforeMs]) => [
    `DELETE FROM ${table} WHERE ${address} IN (SELECT ${address} FROM ${table} WHERE ${condition} LIMIT ${atATime})`,
    beforeMs,
  ]);

/** Requests whose personal data goes with the same sweep. */
export const overdueRequests = `SELECT request_id FROM personal WHERE ${overdue} LIMIT ${atATime}`;
