import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { type Failure, failure } from '../../src/core/failure.ts';
import { ok, type Result } from '../../src/core/result.ts';
import type { AuditEntry, OutboxRow } from '../../src/ports/store.ts';
import { AuditChain } from '../../src/storage/audit-chain.ts';
import { forgetBackups } from '../../src/storage/back-up.ts';
import { openStore, type StoreNews } from '../../src/storage/open-store.ts';
import { sqlOf } from '../../src/storage/sqlite-engine.ts';
import type { StorePlace } from '../../src/storage/store-place.ts';
import { outboxKind } from './outbox-kind.ts';

/** The thread that owns the database: its fsync never stands in the daemon's event loop. */
export type StoreCall =
  | { readonly method: 'addOutboxRow'; readonly row: OutboxRow }
  | { readonly method: 'outboxRows' }
  | { readonly method: 'removeOutboxRow'; readonly requestId: string; readonly entry: AuditEntry }
  | { readonly method: 'raiseSettings'; readonly version: number; readonly document: Uint8Array; readonly atMs: number }
  | { readonly method: 'readSettings' }
  | { readonly method: 'lastAccepted' }
  | { readonly method: 'rememberNonce'; readonly nonce: string; readonly expiresAtMs: number; readonly nowMs: number }
  | { readonly method: 'firstBrokenAuditEntry' }
  /** Brings the write-ahead log into the file and gives back its room. */
  | { readonly method: 'close' };
export type StoreQuestion = { readonly id: number; readonly call: StoreCall };
export type StoreAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: Failure }
  /** Nobody's answer: what happened to the file */
  | { readonly news: StoreNews };

const { path, forgetAfterMs } = workerData as { path: string; forgetAfterMs: number };

/** null until the file could be opened: tried again with each call, so that a disk that comes back needs no restart. */
let database: DatabaseSync | null = null;

let place: StorePlace | null = null;
const tell = (news: StoreNews): void => parentPort?.postMessage({ news } satisfies StoreAnswer);

/** A file that was deleted or replaced under us would be lost with everything in it: it is put back, and opened anew. */
const keepPlace = (): void => {
  if (database === null || place === null || !place.isTakenAway()) return;
  const failure = place.putBack();
  database.close();
  database = null;
  audit.forgetHead();
  // Before anybody hears of it: a file that is not open has nobody who would put it back a second time.
  open();
  tell({ type: 'put-back', failure });
};

function open(): Result<DatabaseSync> {
  keepPlace();
  if (database !== null) return ok(database);
  const opened = openStore(path, outboxKind);
  if (!opened.ok) return opened;
  database = opened.value.database;
  place = opened.value.place;
  for (const news of opened.value.news) tell(news);
  owed = unpaid();
  return ok(database);
}
const opened = (): DatabaseSync => {
  if (database === null) throw new Error('not open');
  return database;
};

const sql = sqlOf(opened);
const audit = new AuditChain(sql);
/** Some five months of 100 visits a day; verifying them holds up the store for a fifth of a second. */
const keptEntries = 30_000;
/** Only the last row before a crash can lack its entry; and whoever asks for the last visit asks for a late one. */
const lookedAtEntries = 2_000;

const atOnce = <T>(work: () => T): T => {
  try {
    return sql.inTransaction('BEGIN IMMEDIATE', work);
  } catch (error) {
    audit.forgetHead();
    throw error;
  }
};

const append = (entry: AuditEntry): void => audit.append(entry);

/** A stored row is told as soon as it is durable; its audit entry follows at once, and before any other entry. */
let owed: AuditEntry[] = [];

const unpaid = (): AuditEntry[] =>
  sql
    .all(
      `SELECT request_id, created_at_ms FROM outbox
        WHERE request_id NOT IN (
          SELECT subject FROM audit WHERE number > (SELECT number FROM audit_head) - ? AND event = 'request-stored'
        ) ORDER BY created_at_ms`,
      lookedAtEntries,
    )
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
  const changes = sql.run(
    'INSERT OR IGNORE INTO outbox (request_id, session, document_hash, sealed, created_at_ms, expires_at_ms, visit_mark) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ...[row.requestId, row.session, row.documentHash, row.sealed, row.createdAtMs, row.expiresAtMs, row.visitMark],
  );
  if (changes > 0) owed.push(storedEntry(row.requestId, row.createdAtMs));
};

const outboxRows = (): OutboxRow[] =>
  sql.all('SELECT * FROM outbox ORDER BY created_at_ms, request_id').map((row) => ({
    requestId: row.request_id as string,
    session: row.session as string,
    documentHash: row.document_hash as string,
    sealed: row.sealed as Uint8Array,
    createdAtMs: row.created_at_ms as number,
    expiresAtMs: row.expires_at_ms as number,
    visitMark: row.visit_mark as string | null,
  }));

const removeOutboxRow = (requestId: string, entry: AuditEntry): boolean => {
  payOwed();
  return atOnce(() => {
    const changes = sql.run('DELETE FROM outbox WHERE request_id = ?', requestId);
    if (changes > 0) append(entry);
    return changes > 0;
  });
};

const readSettings = (): { version: number; document: Uint8Array } | null => {
  const row = sql.get('SELECT version, document FROM settings');
  return row === undefined ? null : { version: row.version as number, document: row.document as Uint8Array };
};

const raiseSettings = (version: number, document: Uint8Array, atMs: number): boolean => {
  payOwed();
  return atOnce(() => {
    const stored = readSettings();
    if (stored !== null && version <= stored.version) return version === stored.version;
    sql.run('INSERT OR REPLACE INTO settings (only, version, document) VALUES (1, ?, ?)', version, document);
    append({ atMs, event: 'settings-raised', subject: String(version) });
    return true;
  });
};

const lastAccepted = (): { requestId: string; at: number } | null => {
  const [entry] = audit.latest(['receipt-accepted'], lookedAtEntries);
  return entry === undefined ? null : { requestId: entry.subject, at: entry.atMs };
};

const rememberNonce = (nonce: string, expiresAtMs: number, nowMs: number): boolean =>
  atOnce(() => {
    sql.run('DELETE FROM nonce WHERE expires_at_ms < ?', nowMs);
    return sql.run('INSERT OR IGNORE INTO nonce (nonce, expires_at_ms) VALUES (?, ?)', nonce, expiresAtMs) > 0;
  });

const firstBrokenAuditEntry = (): number | null => {
  payOwed();
  const { brokenAt } = audit.verify();
  // What was found broken stays as it was found.
  if (brokenAt === null) atOnce(() => audit.rotate(keptEntries));
  return brokenAt;
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
    case 'lastAccepted':
      return lastAccepted();
    case 'rememberNonce':
      return rememberNonce(call.nonce, call.expiresAtMs, call.nowMs);
    case 'firstBrokenAuditEntry':
      return firstBrokenAuditEntry();
    case 'close':
      clearInterval(looking);
      clearInterval(forgettingBackups);
      return opened().close();
  }
};

/** A file that was taken away is noticed within this, though nobody writes. ms */
const placeMs = 1_000;
const looking = setInterval(() => {
  try {
    if (database !== null) open();
  } catch {
    // A disk that refuses: the next look tries again.
  }
}, placeMs);

/** Whether a copy of the store has had its time is looked at this often. ms */
const forgetBackupsMs = 10 * 60_000;
const forgettingBackups = setInterval(() => {
  try {
    forgetBackups(path, Date.now());
  } catch {
    // The folder is away for a moment: the next look finds them.
  }
}, forgetBackupsMs);

/** What was deleted must not live on in the write-ahead log. */
let forgetting: NodeJS.Timeout | null = null;
const forgetDeleted = (): void => {
  forgetting = null;
  try {
    database?.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // A disk that refuses: the next deletion asks again.
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
  if (call.method === 'removeOutboxRow' && forgetting === null) forgetting = setTimeout(forgetDeleted, forgetAfterMs);
  try {
    payOwed();
  } catch {
    // A full disk: tried again before the next entry, which waits with it.
  }
});
