import type { Sql } from '../../storage/sql-engine.ts';
import { highestSettingsVersion } from '../../wire/messages.ts';

const raisedBy = 1_000_000;

export type SettingsContent = { readonly facility: string; readonly device: string; readonly contentHash: string };
export type SettingsIssue = { readonly version: number; readonly validFrom: number };

/**
 * The same version and instant for the same content, else one more. Without any memory (the journal was lost) the seconds
 * since 1970 are the version: more than was ever counted.
 */
export const issueSettings = (
  sql: Sql,
  { facility, device, contentHash }: SettingsContent,
  nowMs: number,
): SettingsIssue & { readonly isNew: boolean } => {
  const row = sql.get('SELECT version, content_hash, valid_from FROM settings_issue WHERE device = ?', device);
  if (row?.content_hash === contentHash)
    return { version: Number(row.version), validFrom: Number(row.valid_from), isNew: false };
  // Up to release 19854c3 all terminals shared one count.
  const before = row ?? sql.get('SELECT version FROM settings_version WHERE facility = ?', facility);
  const version = before === undefined ? Math.floor(nowMs / 1000) : Number(before.version) + 1;
  sql.write(
    'INSERT OR REPLACE INTO settings_issue (device, version, content_hash, valid_from) VALUES (?, ?, ?, ?)',
    ...[device, version, contentHash, nowMs],
  );
  return { version, validFrom: nowMs, isNew: true };
};

/**
 * true = the terminal holds a later version than was known here; the next issue goes beyond it. So high that little is left
 * beyond it, it is a lie, and would keep this terminal from every later setting.
 */
export const learnFloor = (sql: Sql, device: string, version: number): boolean =>
  version < highestSettingsVersion - 10 * raisedBy &&
  // Asked with every state of every terminal: what changes nothing takes no place among those that write.
  sql.get('SELECT 1 FROM settings_issue WHERE device = ? AND version < ?', device, version) !== undefined &&
  sql.run(
    'UPDATE settings_issue SET version = ?, content_hash = ? WHERE device = ? AND version < ?',
    ...[version, '', device, version],
  ) > 0;

/**
 * After a journal that was rolled back nobody knows how far versions had been counted: the next of each terminal goes
 * beyond. A million settings of one terminal were never issued after any copy.
 */
export const raiseAll = (sql: Sql, nowMs: number): void =>
  void sql.run(
    "UPDATE settings_issue SET version = max(version + ?, ?), content_hash = ''",
    ...[raisedBy, Math.floor(nowMs / 1000)],
  );
