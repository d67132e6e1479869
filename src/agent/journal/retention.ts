import { dayMs } from '../../core/time-units.ts';

/** How long a request's row is known: longer than anybody can re-send. ms */
const requestLifeMs = 400 * dayMs;
/** A challenge is used or out within the hour; one that is known no more is refused just the same. ms */
const challengeLifeMs = 30 * dayMs;
/** The marks of cards seen in a month, and the key without which they say nothing. */
const monthLifeMs = 31 * dayMs;

/**
 * What has had its time at an age of the journal (`JournalAge.livedMs`): statements, each with the age it is given. A
 * request that is neither handed over nor given up stays, however old.
 */
export const deletionsAt = (livedMs: number): readonly (readonly [sql: string, beforeMs: number])[] => [
  ['DELETE FROM personal WHERE delete_at <= ?', livedMs],
  ['DELETE FROM today WHERE delete_at <= ?', livedMs],
  ['DELETE FROM bulk_inquiry WHERE delete_at <= ?', livedMs],
  ['DELETE FROM kept_name WHERE delete_at <= ?', livedMs],
  ['DELETE FROM certificate_end WHERE delete_at <= ?', livedMs],
  ['DELETE FROM approval_use WHERE delete_at <= ?', livedMs],
  ['DELETE FROM card_seen WHERE month IN (SELECT month FROM month_key WHERE lived_at < ?)', livedMs - monthLifeMs],
  ['DELETE FROM month_key WHERE lived_at < ?', livedMs - monthLifeMs],
  ['DELETE FROM challenge WHERE lived_at < ?', livedMs - challengeLifeMs],
  [
    `DELETE FROM request WHERE lived_at < ?
      AND (verdict = 'refused' OR handed_over_at IS NOT NULL OR given_up_at IS NOT NULL)`,
    livedMs - requestLifeMs,
  ],
  ['DELETE FROM rejection WHERE lived_at < ?', livedMs - challengeLifeMs],
  ['DELETE FROM abandoned WHERE lived_at < ?', livedMs - requestLifeMs],
  ['DELETE FROM help_call WHERE lived_at < ?', livedMs - requestLifeMs],
];
