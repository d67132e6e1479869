import { failure } from '../../../src/core/failure.ts';
import { err, ok, type Result } from '../../../src/core/result.ts';
import type { AuditEntry, OutboxRow, Store } from '../../../src/ports/store.ts';
import type { Kernel, Life } from './stand-ins/kernel.ts';

/** How the disk of the terminal feels. */
type StoreMood = { refuses: boolean; stallsMs: number };

/** What lies on the terminal's disk, whole after every answer: SQLite's promise, held by the contract of all stores. */
export class StoredRows {
  readonly rows = new Map<string, OutboxRow>();
  readonly audit: AuditEntry[] = [];
  onAudit: (entry: AuditEntry) => void = () => {};
  readonly nonces = new Map<string, number>();
  settings: { version: number; document: Uint8Array } | null = null;
  readonly mood: StoreMood = { refuses: false, stallsMs: 0 };
}

/** A sync on the flash of the terminal. ms */
const syncMs = 3;

/**
 * The terminal's store as one run of its process has it. An answer comes when the write is on the disk. A write that was
 * not answered when the process died, or the power went, is there whole or not at all.
 */
export const openSimulatedStore = (kernel: Kernel, life: Life | null, disk: StoredRows): Store => {
  const answer = <T>(ms: number, work: () => T): Promise<T> =>
    kernel
      .outside(() => null)
      .then(
        () =>
          new Promise<T>((resolve) => {
            if (ms === 0 || life === null) resolve(work());
            else kernel.after(ms, life, () => resolve(work()));
          }),
      );
  const write = <T>(work: () => T): Promise<Result<T>> => {
    const { mood } = disk;
    const ms = syncMs + mood.stallsMs;
    return answer(ms, () => (mood.refuses ? err(failure('delivery.store-failed', 'SQLITE_FULL')) : ok(work())));
  };
  const read = <T>(work: () => T): Promise<Result<T>> => answer(0, () => ok(work()));

  return {
    addOutboxRow: (row) =>
      write(() => {
        if (disk.rows.has(row.requestId)) return;
        disk.rows.set(row.requestId, { ...row, sealed: row.sealed.slice() });
        disk.audit.push({ atMs: row.createdAtMs, event: 'request-stored', subject: row.requestId });
      }),
    outboxRows: () => read(() => [...disk.rows.values()].sort((a, b) => a.createdAtMs - b.createdAtMs)),
    removeOutboxRow: (requestId, entry) =>
      write(() => {
        const removed = disk.rows.delete(requestId);
        if (removed) {
          disk.audit.push(entry);
          disk.onAudit(entry);
        }
        return removed;
      }),
    raiseSettings: (version, document, atMs) =>
      write(() => {
        const known = disk.settings?.version ?? -1;
        if (version <= known) return version === known;
        disk.settings = { version, document };
        disk.audit.push({ atMs, event: 'settings-raised', subject: String(version) });
        return true;
      }),
    lastAccepted: () =>
      read(() => {
        const last = disk.audit.findLast(({ event }) => event === 'receipt-accepted');
        return last === undefined ? null : { requestId: last.subject, at: last.atMs };
      }),
    readSettings: () => read(() => disk.settings),
    rememberNonce: (nonce, expiresAtMs, nowMs) =>
      write(() => {
        for (const [known, expiry] of disk.nonces) if (expiry < nowMs) disk.nonces.delete(known);
        if (disk.nonces.has(nonce)) return false;
        disk.nonces.set(nonce, expiresAtMs);
        return true;
      }),
    firstBrokenAuditEntry: () => read(() => null),
    close: async () => {},
  };
};
