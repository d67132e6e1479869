import { createHash } from 'node:crypto';
import type { Sql, SqlRow, SqlValue } from '../../src/storage/sql-engine.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import type { Statement } from './postgres-messages.ts';
import { toPostgres } from './postgres-sql.ts';

/** Rows of a long answer */
const atATime = 2_000;

type Shape = { readonly key: string[]; readonly columns: string[] };

const readShapes = (connection: PostgresConnection): ReadonlyMap<string, Shape> => {
  const shapes = new Map<string, Shape>();
  const { rows } = connection.ask(
    `SELECT c.relname AS name, a.attname AS column, coalesce(a.attnum = ANY (i.indkey), false) AS is_key
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
      WHERE c.relkind = 'r' AND c.relnamespace = 'uketsuke'::regnamespace ORDER BY c.relname, a.attnum`,
  );
  for (const { name, column, is_key: isKey } of rows) {
    const shape = shapes.get(String(name)) ?? { key: [], columns: [] };
    shapes.set(String(name), shape);
    if (isKey) shape.key.push(`"${String(column)}"`);
    if (column !== 'rowid') shape.columns.push(String(column));
  }
  return shapes;
};

/** Statements in SQLite's words, prepared once; whole transactions. Throws what the connection throws. */
export class PostgresRows {
  readonly #connection: PostgresConnection;
  readonly #shapes: ReadonlyMap<string, Shape>;
  readonly #statements = new Map<string, { text: string; name: string }>();
  #cursors = 0;
  /** Written by the open transaction, and not yet on its way: it goes with the next question, so that nobody waits for it. */
  #written: Statement[] = [];
  /** How the open transaction begins, until its first question takes it along */
  #unbegun: { readonly text: string; readonly began: (row: SqlRow) => void } | null = null;
  inTransaction = false;

  constructor(connection: PostgresConnection) {
    this.#connection = connection;
    this.#shapes = readShapes(connection);
  }

  readonly sql: Sql & { iterate(text: string, ...values: SqlValue[]): Iterable<SqlRow> } = {
    get: (text, ...values) => this.#ask(text, values).rows[0],
    all: (text, ...values) => this.#ask(text, values).rows,
    run: (text, ...values) => this.#ask(text, values).changes,
    write: (text, ...values) => {
      if (this.inTransaction) this.#written.push(this.#statement(text, values));
      else this.#ask(text, values);
    },
    iterate: (text, ...values) => (this.inTransaction ? this.#fetched(text, values) : this.#ask(text, values).rows),
  };

  /**
   * `began`: is told what the last statement of `begin` answered, before the first question of `work` returns. Where `work` asks
   * and writes nothing there is no transaction.
   */
  within<T>(begin: string, began: (row: SqlRow) => void, work: () => T): T {
    this.#unbegun = { text: begin, began };
    this.inTransaction = true;
    try {
      const value = work();
      if (this.#unbegun === null || this.#written.length > 0) this.#tell('COMMIT');
      return value;
    } catch (error) {
      try {
        if (this.#unbegun === null && !this.#connection.isAway)
          this.#connection.ask('ROLLBACK', { needsSession: true });
      } catch {
        // The session has gone, and what it had begun with it.
      }
      throw error;
    } finally {
      this.inTransaction = false;
      this.#unbegun = null;
      this.#written = [];
    }
  }

  /** For what has to be known of the open transaction before anything is asked in it */
  begin(): void {
    if (this.#unbegun !== null) this.#tell('SELECT 1');
  }

  #takeWritten(): readonly Statement[] {
    const written = this.#written;
    this.#written = [];
    return written;
  }

  #translated(sql: string): string {
    return toPostgres(sql, (table) => this.#shapes.get(table) ?? { key: [], columns: [] });
  }

  #statement(sql: string, given: readonly SqlValue[]): Statement {
    let known = this.#statements.get(sql);
    if (known === undefined) {
      const text = this.#translated(sql);
      known = { text, name: createHash('sha256').update(text).digest('base64url').slice(0, 40) };
      this.#statements.set(sql, known);
    }
    // SQLite compares whole numbers with any; the columns here take whole ones alone.
    const values = given.map((value) => (typeof value === 'number' ? Math.round(value) : value));
    return { ...known, values };
  }

  #ask(sql: string, given: readonly SqlValue[]) {
    const { text, name, values } = this.#statement(sql, given);
    return this.#tell(text, { name, values });
  }

  /** With it goes what was written before it, and the begin of its transaction. */
  #tell(text: string, named: { readonly name?: string; readonly values?: readonly SqlValue[] } = {}) {
    const first = this.#unbegun;
    this.#unbegun = null;
    const answer = this.#connection.ask(text, {
      ...{ ...named, needsSession: this.inTransaction && first === null },
      ...{ begin: first?.text ?? null, before: this.#takeWritten() },
    });
    if (answer.began !== null) first?.began(answer.began);
    return answer;
  }

  /** However many there are, they are never all here at once. */
  *#fetched(sql: string, values: readonly SqlValue[]): Generator<SqlRow> {
    this.#cursors += 1;
    const cursor = `rows_${this.#cursors}`;
    const ask = (text: string, values: readonly SqlValue[] = []) => this.#tell(text, { values });
    ask(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${this.#translated(sql)}`, values);
    try {
      for (;;) {
        const { rows } = ask(`FETCH ${atATime} FROM ${cursor}`);
        yield* rows;
        if (rows.length < atATime) return;
      }
    } finally {
      ask(`CLOSE ${cursor}`);
    }
  }
}
