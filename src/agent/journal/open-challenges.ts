import type { Sql } from '../../storage/sql-engine.ts';
import type { JournalChallenge, NewRequest } from './journal-schema.ts';

/**
 * Within a transaction. Of half as many again as `keep` open ones of this device the oldest are dropped, down to `keep`:
 * seldom and many at once, for a page that is written for one of them is written whole.
 */
export const addChallenges = (
  { get, write }: Sql,
  device: string,
  { challenges, keep, livedMs }: { challenges: readonly JournalChallenge[]; keep: number; livedMs: number },
): void => {
  for (const { nonce, issuedAt, expiresAt } of challenges)
    write(
      'INSERT INTO challenge (nonce, device, issued_at, expires_at, lived_at) VALUES (?, ?, ?, ?, ?)',
      ...[nonce, device, issuedAt, expiresAt, livedMs],
    );
  const open = get('SELECT count(*) AS open FROM challenge WHERE device = ? AND request_id IS NULL', device);
  if (Number(open?.open) <= keep + Math.floor(keep / 2)) return;
  write(
    `DELETE FROM challenge WHERE device = ? AND request_id IS NULL AND rowid NOT IN
      (SELECT rowid FROM challenge WHERE device = ? AND request_id IS NULL ORDER BY rowid DESC LIMIT ?)`,
    ...[device, device, keep],
  );
};

/**
 * A challenge ends by the journal's own age, and by the wall clock where that is not doubted. true: it held, and is used
 * up from now on.
 */
export const useChallenge = (
  { run }: Sql,
  { challenge, device, requestId, receivedAt, expiresAt, datesCount = true }: NewRequest,
  livedMs: number,
): boolean =>
  run(
    `UPDATE challenge SET request_id = ? WHERE nonce = ? AND device = ? AND request_id IS NULL AND expires_at >= ?
      AND (? = 0 OR expires_at >= ?) AND ? - lived_at <= expires_at - issued_at`,
    ...[requestId, challenge, device, expiresAt, datesCount ? 1 : 0, receivedAt, livedMs],
  ) === 1;
