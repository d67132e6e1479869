import { hash as digestOf } from 'node:crypto';
import type { SqlEngine } from './sql-engine.ts';

/** What is written down for good: an event by name, and what it was about by an id. Never a person. */
type AuditLine = {
  readonly atMs: number;
  readonly event: string;
  readonly subject: string;
  readonly code?: string;
};

/** `brokenAt`: the number of the first entry that does not fit; null = the chain is whole. */
export type AuditVerdict = { readonly entries: number; readonly brokenAt: number | null };

/** One line of an export: an entry with its number and hash, as `verifyExport` takes it. */
export type ExportedLine = AuditLine & { readonly number: number; readonly hash: string };

/** An entry by its number and the hash that covers everything before it. */
export type AuditEnd = { readonly number: number; readonly hash: string };
type Link = AuditEnd;
type AuditRow = { number: number; at_ms: number; event: string; subject: string; code: string | null; hash: string };

/** `audit`, its end, and where it begins since older entries went. */
export const auditTables = `
  CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, event TEXT NOT NULL, subject TEXT NOT NULL, code TEXT,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS audit_head (
    only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  INSERT OR IGNORE INTO audit_head VALUES (1, 0, '');`;
export const auditStartTable = `
  CREATE TABLE audit_start (
    only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  INSERT INTO audit_start VALUES (1, 0, '');`;

/** Each entry's hash covers the one before: a changed, swapped or missing entry shows at its own number. */
const hashOf = (previous: string, number: number, { atMs, event, subject, code }: AuditLine): string =>
  digestOf('sha256', JSON.stringify([previous, number, atMs, event, subject, code ?? null]), 'base64url');

const lineOf = ({ number, at_ms: atMs, event, subject, code, hash }: AuditRow): ExportedLine => ({
  ...{ number, atMs, event, subject, ...(code === null ? {} : { code }), hash },
});

/** An export by itself: whole within, from its first line on. */
export const verifyExport = (lines: Iterable<ExportedLine>): AuditVerdict => {
  let last: Link | null = null;
  let entries = 0;
  for (const line of lines) {
    const fits: boolean =
      last === null || (line.number === last.number + 1 && line.hash === hashOf(last.hash, line.number, line));
    if (!fits) return { entries, brokenAt: line.number };
    last = line;
    entries += 1;
  }
  return { entries, brokenAt: null };
};

/** A chain of entries in its database. Whoever appends has a transaction open. */
export class AuditChain {
  readonly #sql: Pick<SqlEngine, 'get' | 'all' | 'run' | 'write' | 'iterate' | 'snapshot'>;
  /** The last row, known while the transaction that wrote it holds, and longer where one process writes. */
  #head: Link | null = null;

  constructor(sql: Pick<SqlEngine, 'get' | 'all' | 'run' | 'write' | 'iterate' | 'snapshot'>) {
    this.#sql = sql;
  }

  append({ atMs, ...rest }: AuditLine): void {
    // A time counted on from another machine's has fractions; the column takes whole ms alone, and what is hashed is what is kept.
    const line: AuditLine = { ...rest, atMs: Math.round(atMs) };
    const last = this.#head ?? this.end();
    const number = last.number + 1;
    const hash = hashOf(last.hash, number, line);
    this.#sql.write(
      'INSERT INTO audit (number, at_ms, event, subject, code, hash) VALUES (?, ?, ?, ?, ?, ?)',
      ...[number, line.atMs, line.event, line.subject, line.code ?? null, hash],
    );
    this.#sql.write('UPDATE audit_head SET number = ?, hash = ?', number, hash);
    this.#head = { number, hash };
  }

  /** The transaction was rolled back, or others may have appended. */
  forgetHead(): void {
    this.#head = null;
  }

  /** The newest entry; number 0 of an empty chain */
  end(): AuditEnd {
    return this.#sql.get('SELECT number, hash FROM audit_head') as AuditEnd;
  }

  /** How many entries are kept of it */
  get length(): number {
    const { first } = this.#sql.get('SELECT number AS first FROM audit_start') as { first: number };
    return this.end().number - first;
  }

  /** Whether that entry belongs to this chain, or is older than what is kept of it. */
  reaches({ number, hash }: AuditEnd): boolean {
    const start = this.#sql.get('SELECT number, hash FROM audit_start') as Link;
    if (number <= start.number) return number < start.number || hash === start.hash;
    return this.#sql.get('SELECT 1 FROM audit WHERE number = ? AND hash = ?', number, hash) !== undefined;
  }

  /** The newest of these events among the last `within` entries, with what was written of it. */
  latest(events: readonly string[], within: number): ExportedLine[] {
    const rows = this.#sql.all(
      `SELECT * FROM audit WHERE number > (SELECT number FROM audit_head) - ? AND event IN (SELECT value FROM json_each(?))
        ORDER BY number DESC`,
      ...[within, JSON.stringify(events)],
    ) as AuditRow[];
    return events.flatMap((event) => rows.find((row) => row.event === event) ?? []).map(lineOf);
  }

  /** Every entry against the one before, from where the chain begins to its end. */
  verify(): AuditVerdict {
    return this.#sql.snapshot(() => {
      const end = this.end();
      let { number, hash } = this.#sql.get('SELECT number, hash FROM audit_start') as Link;
      let entries = 0;
      for (const line of this.lines()) {
        number += 1;
        if (line.number !== number || line.hash !== hashOf(hash, number, line)) return { entries, brokenAt: number };
        hash = line.hash;
        entries += 1;
      }
      return { entries, brokenAt: end?.number === number && end.hash === hash ? null : number + 1 };
    });
  }

  *lines(): Generator<ExportedLine> {
    const rows = this.#sql.iterate('SELECT * FROM audit ORDER BY number') as Iterable<AuditRow>;
    for (const row of rows) yield lineOf(row);
  }

  /**
   * Keeps the newest entries; the chain then begins behind the last that went. By count, not by date: no clock, right or
   * wrong, takes an entry away. At most `atATime` go: whoever waits for this database waits for no more.
   */
  rotate(keep: number, atATime = 1_000): void {
    const last = this.#sql.get(
      `SELECT number, hash FROM audit
        WHERE number <= min((SELECT number FROM audit_head) - ?, (SELECT number FROM audit_start) + ?)
        ORDER BY number DESC LIMIT 1`,
      ...[keep, atATime],
    ) as Link | undefined;
    if (last === undefined) return;
    this.#sql.run('UPDATE audit_start SET number = ?, hash = ?', last.number, last.hash);
    this.#sql.run('DELETE FROM audit WHERE number <= ?', last.number);
  }
}
