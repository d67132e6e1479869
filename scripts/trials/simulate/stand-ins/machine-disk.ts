import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Kernel } from './kernel.ts';

/** What a disk says that takes no more: as the system calls it, and as SQLite does */
type Refusal = 'ENOSPC' | 'EIO';
const sqliteCodes: Readonly<Record<Refusal, number>> = { ENOSPC: 13, EIO: 10 };

export const systemError = (code: string, syscall: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: simulated, ${syscall}`), { code, syscall });

/** A file as it is now, and as it would be found after a power cut; `synced` null: nothing of it */
export type SimulatedFile = { readonly number: bigint; now: Uint8Array; synced: Uint8Array | null };
type Entries = Map<string, SimulatedFile>;
export type Folder = { readonly number: bigint; now: Entries; synced: Entries };

/** A database with its prepared statements. `empty` makes it as it was at first and tells whether it is; null: of this world alone. */
type Opened = {
  readonly database: DatabaseSync;
  readonly statements: Map<string, StatementSync>;
  readonly empty: (() => boolean) | null;
};

/** Whatever tells one world of another beside the rows: the form of its tables, what was set, what is for a connection alone. */
const formOf = `SELECT * FROM pragma_schema_version, pragma_user_version, pragma_application_id, pragma_foreign_keys,
  pragma_query_only, (SELECT count(*) FROM sqlite_temp_schema)`;

/** Every table without its rows, then with those that it begins with. */
const emptier = (database: DatabaseSync): (() => boolean) => {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const steps = tables.map(({ name }) => {
    const rows = database.prepare(`SELECT * FROM ${name}`).all();
    const clear = database.prepare(`DELETE FROM ${name}`);
    const places = Object.keys(rows[0] ?? {}).map(() => '?');
    const insert = rows.length === 0 ? null : database.prepare(`INSERT INTO ${name} VALUES (${places})`);
    return (): void => {
      clear.run();
      for (const row of rows) insert?.run(...Object.values(row));
    };
  });
  const read = database.prepare(formOf);
  const form = (): string => String(Object.values(read.get() ?? {}));
  const atFirst = form();
  return () => {
    if (database.isTransaction) database.exec('ROLLBACK');
    if (form() !== atFirst) return false;
    database.exec('BEGIN');
    for (const step of steps) step();
    database.exec('COMMIT');
    return true;
  };
};

const openDatabase = (content: Uint8Array | null, isForNext = false): Opened => {
  const database = new DatabaseSync(':memory:');
  if (content !== null) database.deserialize(content);
  return { database, statements: new Map(), empty: isForNext ? emptier(database) : null };
};

/** Of a world that is over, for the next one: whatever is prepared anew costs more than all that is emptied. */
const spare = new WeakMap<Uint8Array, Opened>();
const openOrTakeOver = (journal: Uint8Array): Opened => {
  const known = spare.get(journal);
  spare.delete(journal);
  return known ?? openDatabase(journal, true);
};

/**
 * The disk of the agent's machine: its journal and the folder for the レセコン. What a process wrote is there when the
 * process is gone; what it did not sync is not there, or in pieces, when the power was.
 */
export class SimulatedDisk {
  readonly kernel: Kernel;
  /** Every write is refused */
  refuses: Refusal | null = null;
  /** The shared folder refuses alone: full, read-only, held by another program */
  folderRefuses: string | null = null;
  /** The next sync takes so long, ms */
  stallsMs = 0;
  /** Its power may go soon: only then is what would be left of the journal kept up, for each sync is a copy of it all */
  tracks = false;
  readonly #journal: Uint8Array | null;
  #opened: Opened | null;
  #synced: Uint8Array | null = null;
  synchronous: 'FULL' | 'NORMAL' = 'FULL';
  readonly folders = new Map<string, Folder>();
  #numbers = 1n;

  constructor(kernel: Kernel, journal: Uint8Array | null) {
    this.kernel = kernel;
    this.#journal = journal;
    this.#opened = journal === null ? openDatabase(null) : openOrTakeOver(journal);
  }

  get #current(): Opened {
    if (this.#opened === null) throw new Error('the world of this disk is over');
    return this.#opened;
  }

  get database(): DatabaseSync {
    return this.#current.database;
  }

  /** Once for all runs of a process, and for who judges beside them */
  prepare(sql: string): StatementSync {
    const { database, statements } = this.#current;
    const known = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, known);
    return known;
  }

  nextNumber(): bigint {
    this.#numbers += 1n;
    return this.#numbers;
  }

  folder(path: string): Folder | undefined {
    return this.folders.get(path);
  }

  makeFolder(path: string): void {
    this.folders.set(path, { number: this.nextNumber(), now: new Map(), synced: new Map() });
  }

  /** SQLite's own error for what the disk says now; null: it takes the write */
  refusal(): Error | null {
    if (this.refuses === null) return null;
    const errcode = sqliteCodes[this.refuses];
    return Object.assign(new Error(`simulated ${this.refuses}`), { code: 'ERR_SQLITE_ERROR', errcode });
  }

  /** A write of the running process is being synced: it waits while the disk hangs. */
  sync(): void {
    const { current, nowMs } = this.kernel;
    if (this.stallsMs > 0 && current !== null) {
      current.pausedUntilMs = Math.max(current.pausedUntilMs, nowMs + this.stallsMs);
      this.stallsMs = 0;
    }
    if (this.tracks) this.#synced = this.database.serialize();
  }

  /** The machine's power goes. What was not synced is lost, or in part there: the coin of the world says. */
  cutPower(): void {
    const { rng } = this.kernel;
    this.tracks = false;
    if (this.#synced !== null && rng.chance(0.7)) {
      this.database.close();
      this.#opened = openDatabase(this.#synced);
    }
    this.#synced = null;
    for (const folder of this.folders.values()) {
      const found: Entries = new Map();
      const names = new Set([...folder.synced.keys(), ...folder.now.keys()]);
      for (const name of [...names].sort()) {
        // Either the entry of before, or the newer one that nobody had synced.
        const file = (rng.chance(0.5) ? folder.now : folder.synced).get(name);
        if (file === undefined) continue;
        const left = file.synced ?? file.now.slice(0, rng.between(0, file.now.length));
        file.now = left;
        file.synced = left;
        found.set(name, file);
      }
      folder.now = found;
      folder.synced = new Map(found);
    }
  }

  /** What of this world still runs meets an error here, never the next world's rows. */
  close(): void {
    const opened = this.#current;
    this.#opened = null;
    if (this.#journal !== null && opened.empty?.() === true) spare.set(this.#journal, opened);
    else opened.database.close();
  }
}

let mounted: SimulatedDisk | null = null;
export const mount = (disk: SimulatedDisk | null): void => {
  mounted = disk;
};
export const diskNow = (): SimulatedDisk => {
  if (mounted === null) throw new Error('no simulated disk is mounted');
  return mounted;
};
