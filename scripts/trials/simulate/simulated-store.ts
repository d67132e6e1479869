import type { Result } from '../../../src/core/result.ts';
import type { AuditEntry, Store } from '../../../src/ports/store.ts';
import { MemoryStore } from '../../beds/memory-store.ts';
import type { Kernel, Life } from './stand-ins/kernel.ts';

/** What lies on the terminal's disk, whole after every answer: SQLite's promise, held by the contract of all stores. */
export class StoredRows extends MemoryStore {
  onRemoved: (entry: AuditEntry) => void = () => {};
  /** Each write takes so much longer. ms */
  stallsMs = 0;

  override async removeOutboxRow(requestId: string, entry: AuditEntry) {
    const removed = await super.removeOutboxRow(requestId, entry);
    if (removed.ok && removed.value) this.onRemoved(entry);
    return removed;
  }
}

/** A sync on the flash of the terminal. ms */
const syncMs = 3;

/**
 * The terminal's store as one run of its process has it. An answer comes when the write is on the disk. A write that was
 * not answered when the process died, or the power went, is there whole or not at all.
 */
export const openSimulatedStore = (kernel: Kernel, life: Life | null, disk: StoredRows): Store => {
  const answer = <T>(ms: number, work: () => Promise<Result<T>>): Promise<Result<T>> =>
    kernel
      .outside(() => null)
      .then(
        () =>
          new Promise<Result<T>>((resolve) => {
            if (ms === 0 || life === null) resolve(work());
            else kernel.after(ms, life, () => resolve(work()));
          }),
      );
  const write = <T>(work: () => Promise<Result<T>>): Promise<Result<T>> => answer(syncMs + disk.stallsMs, work);
  const read = <T>(work: () => Promise<Result<T>>): Promise<Result<T>> => answer(0, work);

  return {
    addOutboxRow: (row) => write(() => disk.addOutboxRow({ ...row, sealed: row.sealed.slice() })),
    outboxRows: () => read(() => disk.outboxRows()),
    removeOutboxRow: (requestId, entry) => write(() => disk.removeOutboxRow(requestId, entry)),
    raiseSettings: (...of) => write(() => disk.raiseSettings(...of)),
    lastAccepted: () => read(() => disk.lastAccepted()),
    readSettings: () => read(() => disk.readSettings()),
    rememberNonce: (...of) => write(() => disk.rememberNonce(...of)),
    firstBrokenAuditEntry: () => read(() => disk.firstBrokenAuditEntry()),
    close: async () => {},
  };
};
