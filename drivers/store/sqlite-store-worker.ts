import { createHash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { type Failure, failure } from '../../src/core/failure.ts';
import { ok, type Result } from '../../src/core/result.ts';
import type { AuditEntry, OutboxRow } from '../../src/ports/store.ts';
import { openStore, type StoreNews } from '../../src/storage/open-store.ts';
import { outboxKind } from './outbox-kind.ts';

/** The thread that owns the database: its fsync never stands in the daemon's event loop. */
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
  | { readonly id: number; readonly failure: Failure }
  /** Nobody's answer: what happened when the file was opened */
  | { readonly news: StoreNews };

const { path } = workerData as { path: string };

/** null until the file could be opened: tried again with each call, so that a disk that comes back needs no restart. */
let database: DatabaseSync | null = null;

const open = (): Result<DatabaseSync> => {
  if (database !== null) return ok(database);
  const opened = openStore(path, outboxKind);
  if (!opened.ok) return opened;
  database = opened.value.database;
  for (const news of opened.value.news) parentPort?.postMessage({ news } satisfies StoreAnswer);
  owed = unpaid();
  return ok(database);
};
const opened = (): DatabaseSync => {
  if (database === null) throw new Error('not open');
  return database;
};

const prepared = new Map<string, StatementSync>();
const statement = (sql: string) => {
  const known = prepared.get(sql) ?? opened().prepare(sql);
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
      opened().exec('ROLLBACK');
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
  statement('INSERT INTO audit (number, at_ms, event, subject, code, hash) VALUES (?, ?, ?, ?, ?, ?)').run(
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
let owed: AuditEntry[] = [];

const unpaid = (): AuditEntry[] =>
  statement(
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
  const { changes } = statement(
    'INSERT OR IGNORE INTO outbox (request_id, session, document_hash, sealed, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?)',
  ).run(row.requestId, row.session, row.documentHash, row.sealed, row.createdAtMs, row.expiresAtMs);
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
    statement('INSERT OR REPLACE INTO settings (only, version, document) VALUES (1, ?, ?)').run(version, document);
    append({ atMs, event: 'settings-raised', subject: String(version) });
    return true;
  });
};

const rememberNonce = (nonce: string, expiresAtMs: number, nowMs: number): boolean =>
  atOnce(() => {
    statement('DELETE FROM nonce WHERE expires_at_ms < ?').run(nowMs);
    return (
      statement('INSERT OR IGNORE INTO nonce (nonce, expires_at_ms) VALUES (?, ?)').run(nonce, expiresAtMs).changes > 0
    );
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
      return opened().close();
  }
};

parentPort?.on('message', ({ id, call }: StoreQuestion) => {
  let answer: StoreAnswer;
  try {
    const ready = open();
    answer = ready.ok ? { id, value: answerTo(call) } : { id, failure: ready.failure };
  } catch (error) {
    answer = { id, failure: failure('delivery.store-failed', error instanceof Error ? error.message : 'unknown') };
  }
  parentPort?.postMessage(answer);
  if (call.method === 'close' || database === null) return;
  try {
    payOwed();
  } catch {
    // A full disk: tried again before the next entry, which waits with it.
  }
});
