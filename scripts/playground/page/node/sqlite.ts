/// <reference path="./sql-js.d.ts" />
import initSqlJs, { type Database, type SqlValue, type Statement } from 'sql.js/dist/sql-asm.js';

/* Of node:sqlite what the product asks for, by SQLite itself compiled to JavaScript (sql.js, without WebAssembly: a strict CSP refuses that). */
type Row = Record<string, SqlValue>;
let open: (new (content?: Uint8Array) => Database) | null = null;

/** Before the first database is opened */
export const loadSqlite = async (): Promise<void> => {
  open = (await initSqlJs()).Database;
};
const opened = (content?: Uint8Array): Database => {
  if (open === null) throw new Error('loadSqlite comes first');
  return new open(content);
};

/** SQLite's own word for whether a transaction is open is not to be had here: it follows from what was said to it. */
const transactionAfter = (sql: string, before: boolean): boolean => {
  const last = sql
    .match(/\b(BEGIN|COMMIT|ROLLBACK)\b/gi)
    ?.at(-1)
    ?.toUpperCase();
  return last === undefined ? before : last === 'BEGIN';
};

export class StatementSync {
  readonly #database: DatabaseSync;
  readonly #sql: string;
  #statement: Statement | null = null;

  constructor(database: DatabaseSync, sql: string) {
    this.#database = database;
    this.#sql = sql;
    // What cannot be read fails now, as in Node.
    this.#statement = database.inner.prepare(sql);
  }

  #rows(values: readonly SqlValue[], limit: number): Row[] {
    const statement = this.#statement ?? this.#database.inner.prepare(this.#sql);
    this.#statement = statement;
    try {
      statement.bind([...values]);
      const rows: Row[] = [];
      while (rows.length < limit && statement.step()) rows.push(statement.getAsObject());
      this.#database.isTransaction = transactionAfter(this.#sql, this.#database.isTransaction);
      return rows;
    } finally {
      statement.reset();
    }
  }

  run(...values: SqlValue[]): { readonly changes: number; readonly lastInsertRowid: number } {
    this.#rows(values, Number.POSITIVE_INFINITY);
    return { changes: this.#database.inner.getRowsModified(), lastInsertRowid: 0 };
  }
  get(...values: SqlValue[]): Row | undefined {
    return this.#rows(values, 1)[0];
  }
  all(...values: SqlValue[]): Row[] {
    return this.#rows(values, Number.POSITIVE_INFINITY);
  }
  iterate(...values: SqlValue[]): Iterable<Row> {
    return this.all(...values);
  }
}

export class DatabaseSync {
  inner: Database = opened();
  isTransaction = false;

  exec(sql: string): void {
    this.inner.exec(sql);
    this.isTransaction = transactionAfter(sql, this.isTransaction);
  }
  prepare(sql: string): StatementSync {
    return new StatementSync(this, sql);
  }
  serialize(): Uint8Array {
    return this.inner.export();
  }
  deserialize(content: Uint8Array): void {
    this.inner.close();
    this.inner = opened(content);
  }
  close(): void {
    this.inner.close();
  }
}
