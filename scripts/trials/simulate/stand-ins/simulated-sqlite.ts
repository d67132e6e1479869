import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { Killed } from './kernel.ts';
import { diskNow, type SimulatedDisk } from './machine-disk.ts';

/*
 * Stands in for node:sqlite in the simulator: SQLite itself, in memory, with the disk's moods at each commit and sync. A
 * process that dies in a transaction leaves none of it behind.
 */
export * from 'node:sqlite';

const writes = /^\s*(INSERT|UPDATE|DELETE|REPLACE)/i;

/** The end of a write: refused, or synced where it has to be; the process may die at it. */
const commit = (disk: SimulatedDisk, isSynced: boolean, work: () => unknown): unknown => {
  const { kernel } = disk;
  const life = kernel.current;
  if (life?.dead) throw new Killed();
  const last = life === null ? null : kernel.dies(life);
  const undo = (): void => {
    if (disk.database.isTransaction) disk.database.exec('ROLLBACK');
  };
  const refusal = disk.refusal();
  if (last === 'before' || refusal !== null) undo();
  if (last !== 'before' && refusal === null) {
    const done = work();
    if (isSynced) disk.sync();
    if (last === null) return done;
  }
  if (last === null || life === null) throw refusal ?? new Killed();
  kernel.die(life);
  throw new Killed();
};

export class DatabaseSync {
  readonly #disk = diskNow();

  get isTransaction(): boolean {
    return this.#disk.database.isTransaction;
  }

  exec(sql: string): void {
    const disk = this.#disk;
    const synchronous = /^PRAGMA synchronous = (FULL|NORMAL)$/.exec(sql)?.[1];
    if (synchronous !== undefined) disk.synchronous = synchronous as 'FULL' | 'NORMAL';
    else if (/^COMMIT/.test(sql)) commit(disk, disk.synchronous === 'FULL', () => disk.database.exec(sql));
    else disk.database.exec(sql);
  }

  prepare(sql: string): StatementSync {
    const disk = this.#disk;
    const statement = disk.prepare(sql);
    const isFull = (): boolean => disk.synchronous === 'FULL';
    if (sql === 'COMMIT')
      return { run: () => commit(disk, isFull(), () => statement.run()) } as unknown as StatementSync;
    if (sql.startsWith('PRAGMA wal_checkpoint'))
      return { get: () => commit(disk, true, () => statement.get()) } as unknown as StatementSync;
    if (!writes.test(sql)) return statement;
    const run = (...values: SQLInputValue[]): unknown =>
      disk.database.isTransaction ? statement.run(...values) : commit(disk, isFull(), () => statement.run(...values));
    return { run, get: (...values: SQLInputValue[]) => statement.get(...values) } as unknown as StatementSync;
  }

  close(): void {}
}
