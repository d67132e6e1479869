import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { AuditEntry, OutboxRow } from '../../src/ports/store.ts';

/**
 * The thread that owns the database: its fsync never stands in the daemon's event loop. WAL with synchronous=FULL:
 * a power cut lost nothing acknowledged; synchronous=NORMAL lost 150 of 150 rows in the same cut.
 */
export type StoreCall =
  | { readonly method: 'addOutboxRow'; readonly row: OutboxRow }
  | { readonly method: 'outboxRows' }
  | { readonly method: 'removeOutboxRow'; readonly requestId: string; readonly entry: AuditEntry }
  | { readonly method: 'raiseSettings'; readonly version: number; readonly document: Uint8Array; readonly atMs: number }
  | { readonly method: 'readSettings' }
  | { readonly method: 'rememberNonce'; readonly nonce: string; readonly expiresAtMs: number; readonly nowMs: number }
  | { readonly method: 'firstBrokenAuditEntry' }
  /** Brings the write-ahead log into the file and gives back its room. */
  | { readonly method: 'close' };
export type StoreQuestion = { readonly id: number; readonly call: StoreCall };
export type StoreAnswer =
  | { readonly id: number; readonly value: unknown }
  /** SQLite's own word for what went wrong */
  | { readonly id: number; readonly error: string };

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 2000;
  CREATE TABLE IF NOT EXISTS outbox (
    request_id TEXT PRIMARY KEY, session TEXT NOT NULL, document_hash TEXT NOT NULL, sealed BLOB NOT NULL,
    created_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS settings (
    only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL, document BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS nonce (nonce TEXT PRIMARY KEY, expires_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, event TEXT NOT NULL, subject TEXT NOT NULL, code TEXT,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS audit_head (
    only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  INSERT OR IGNORE INTO audit_head VALUES (1, 0, '');
`;

const { path } = workerData as { path: string };
const database = new DatabaseSync(path);
database.exec(schema);

const prepared = new Map<string, ReturnType<typeof database.prepare>>();
const statement = (sql: string) => {
  const known = prepared.get(sql) ?? database.prepare(sql);
  prepared.set(sql, known);
  return known;
};

type Head = { readonly number: number; readonly hash: string };
/** The last row of `audit_head`, known while the transaction that wrote it holds: this thread is its only writer. */
let head: Head | null = null;

const atOnce = <T>(work: () => T): T => {
  statement('BEGIN IMMEDIATE').run();
  try {
    const value = work();
    statement('COMMIT').run();
    return value;
  } catch (error) {
    head = null;
    try {
      database.exec('ROLLBACK');
    } catch {
      // SQLite has already rolled back by itself (disk full, I/O error).
    }
    throw error;
  }
};

type AuditRow = { number: number; at_ms: number; event: string; subject: string; code: string | null; hash: string };

/** Each entry's hash covers the one before: a changed, swapped or missing entry shows at its own number. */
const chained = (previous: string, number: number, { atMs, event, subject, code }: AuditEntry): string =>
  createHash('sha256')
    .update(JSON.stringify([previous, number, atMs, event, subject, code ?? null]))
    .digest('base64url');

const append = (entry: AuditEntry): void => {
  const last = head ?? (statement('SELECT number, hash FROM audit_head').get() as Head);
  const number = last.number + 1;
  const hash = chained(last.hash, number, entry);
  statement('INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)').run(
    number,
    entry.atMs,
    entry.event,
    entry.subject,
    entry.code ?? null,
    hash,
  );
  statement('UPDATE audit_head SET number = ?, hash = ?').run(number, hash);
  head = { number, hash };
};

/** A stored row is told as soon as it is durable; its audit entry follows at once, and before any other entry. */
let owed: AuditEntry[] = statement(
  `SELECT request_id, created_at_ms FROM outbox
    WHERE request_id NOT IN (SELECT subject FROM audit WHERE event = 'request-stored') ORDER BY created_at_ms`,
)
  .all()
  .map((row) => storedEntry(row.request_id as string, row.created_at_ms as number));

function storedEntry(subject: string, atMs: number): AuditEntry {
  return { atMs, event: 'request-stored', subject };
}

const payOwed = (): void => {
  if (owed.length === 0) return;
  atOnce(() => owed.forEach(append));
  owed = [];
};

const addOutboxRow = (row: OutboxRow): void => {
  const { changes } = statement('INSERT OR IGNORE INTO outbox VALUES (?, ?, ?, ?, ?, ?)').run(
    row.requestId,
    row.session,
    row.documentHash,
    row.sealed,
    row.createdAtMs,
    row.expiresAtMs,
  );
  if (changes > 0) owed.push(storedEntry(row.requestId, row.createdAtMs));
};

const outboxRows = (): OutboxRow[] =>
  statement('SELECT * FROM outbox ORDER BY created_at_ms, request_id')
    .all()
    .map((row) => ({
      requestId: row.request_id as string,
      session: row.session as string,
      documentHash: row.document_hash as string,
      sealed: row.sealed as Uint8Array,
      createdAtMs: row.created_at_ms as number,
      expiresAtMs: row.expires_at_ms as number,
    }));

const removeOutboxRow = (requestId: string, entry: AuditEntry): boolean => {
  payOwed();
  return atOnce(() => {
    const { changes } = statement('DELETE FROM outbox WHERE request_id = ?').run(requestId);
    if (changes > 0) append(entry);
    return changes > 0;
  });
};

const readSettings = (): { version: number; document: Uint8Array } | null => {
  const row = statement('SELECT version, document FROM settings').get();
  return row === undefined ? null : { version: row.version as number, document: row.document as Uint8Array };
};

const raiseSettings = (version: number, document: Uint8Array, atMs: number): boolean => {
  payOwed();
  return atOnce(() => {
    const stored = readSettings();
    if (stored !== null && version <= stored.version) return version === stored.version;
    statement('INSERT OR REPLACE INTO settings VALUES (1, ?, ?)').run(version, document);
    append({ atMs, event: 'settings-raised', subject: String(version) });
    return true;
  });
};

const rememberNonce = (nonce: string, expiresAtMs: number, nowMs: number): boolean =>
  atOnce(() => {
    statement('DELETE FROM nonce WHERE expires_at_ms < ?').run(nowMs);
    return statement('INSERT OR IGNORE INTO nonce VALUES (?, ?)').run(nonce, expiresAtMs).changes > 0;
  });

const firstBrokenAuditEntry = (): number | null => {
  let number = 0;
  let hash = '';
  for (const row of statement('SELECT * FROM audit ORDER BY number').iterate() as Iterable<AuditRow>) {
    number++;
    const { at_ms: atMs, event, subject, code } = row;
    const entry = { atMs, event: event as AuditEntry['event'], subject, ...(code === null ? {} : { code }) };
    if (row.number !== number || row.hash !== chained(hash, number, entry)) return number;
    hash = row.hash;
  }
  const last = statement('SELECT number, hash FROM audit_head').get() as Head;
  return last.number === number && last.hash === hash ? null : number + 1;
};

const answerTo = (call: StoreCall): unknown => {
  switch (call.method) {
    case 'addOutboxRow':
      return addOutboxRow(call.row);
    case 'outboxRows':
      return outboxRows();
    case 'removeOutboxRow':
      return removeOutboxRow(call.requestId, call.entry);
    case 'raiseSettings':
      return raiseSettings(call.version, call.document, call.atMs);
    case 'readSettings':
      return readSettings();
    case 'rememberNonce':
      return rememberNonce(call.nonce, call.expiresAtMs, call.nowMs);
    case 'firstBrokenAuditEntry':
      return firstBrokenAuditEntry();
    case 'close':
      return database.close();
  }
};

parentPort?.on('message', ({ id, call }: StoreQuestion) => {
  let answer: StoreAnswer;
  try {
    answer = { id, value: answerTo(call) };
  } catch (error) {
    answer = { id, error: error instanceof Error ? error.message : 'unknown' };
  }
  parentPort?.postMessage(answer);
  if (call.method === 'close') return;
  try {
    payOwed();
  } catch {
    // A full disk: tried again before the next entry, which waits with it.
  }
});
