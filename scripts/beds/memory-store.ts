import { type Failure, failure } from '../../src/core/failure.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import type { AuditEntry, OutboxRow, Store } from '../../src/ports/store.ts';

/** The store's rules in memory: for tests whose point is not the disk. It "survives" as long as the object is kept. */
export class MemoryStore implements Store {
  readonly rows = new Map<string, OutboxRow>();
  readonly audit: AuditEntry[] = [];
  readonly #nonces = new Map<string, number>();
  #settings: { version: number; document: Uint8Array } | null = null;
  /** The disk is full: every write is refused. */
  full = false;
  /** Why it does not open, as its settings are asked for */
  unopened: Failure | null = null;

  async #write<T>(work: () => T): Promise<Result<T>> {
    return this.full ? err(failure('delivery.store-failed', 'SQLITE_FULL')) : ok(work());
  }

  addOutboxRow(row: OutboxRow) {
    return this.#write(() => {
      if (this.rows.has(row.requestId)) return;
      this.rows.set(row.requestId, row);
      this.audit.push({ atMs: row.createdAtMs, event: 'request-stored', subject: row.requestId });
    });
  }
  async outboxRows() {
    return ok([...this.rows.values()].sort((a, b) => a.createdAtMs - b.createdAtMs));
  }
  removeOutboxRow(requestId: string, entry: AuditEntry) {
    return this.#write(() => {
      const removed = this.rows.delete(requestId);
      if (removed) this.audit.push(entry);
      return removed;
    });
  }
  raiseSettings(version: number, document: Uint8Array, atMs: number) {
    return this.#write(() => {
      if (this.#settings !== null && version <= this.#settings.version) return version === this.#settings.version;
      this.#settings = { version, document };
      this.audit.push({ atMs, event: 'settings-raised', subject: String(version) });
      return true;
    });
  }
  async lastAccepted() {
    const last = this.audit.findLast(({ event }) => event === 'receipt-accepted');
    return ok(last === undefined ? null : { requestId: last.subject, at: last.atMs });
  }
  async readSettings() {
    return this.unopened === null ? ok(this.#settings) : err(this.unopened);
  }
  rememberNonce(nonce: string, expiresAtMs: number, nowMs: number) {
    return this.#write(() => {
      for (const [known, expiry] of this.#nonces) if (expiry < nowMs) this.#nonces.delete(known);
      if (this.#nonces.has(nonce)) return false;
      this.#nonces.set(nonce, expiresAtMs);
      return true;
    });
  }
  async firstBrokenAuditEntry() {
    return ok(null);
  }
  async close() {}
}
