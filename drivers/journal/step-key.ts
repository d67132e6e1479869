import type { PersonalTable, Sql, SqlRow } from '../../src/storage/sql-engine.ts';
import type { JournalKey } from './journal-key.ts';

type Next = ReturnType<JournalKey['next']>;

/** null stays null; what could be read no more stays so. */
const rewrapped = (cell: unknown, next: Next, place: string, newPlace: string): string | Uint8Array | null => {
  if (cell instanceof Uint8Array) {
    const text = next.rewrap(place, Buffer.from(cell).toString('latin1'), newPlace);
    return text === null ? cell : Buffer.from(text, 'latin1');
  }
  return typeof cell === 'string' ? (next.rewrap(place, cell, newPlace) ?? cell) : null;
};

/** Where a row lies now, where it will, and its cells. */
const stepped = (
  key: JournalKey,
  next: Next,
  { table, key: column, cells, index }: PersonalTable,
  row: SqlRow,
): readonly (string | Uint8Array | null)[] => {
  const at = String(row[column]);
  const plain = index && row.who !== null ? key.cells.open(`${table}.who ${at}`, String(row.who)) : null;
  const newAt = plain === null ? at : next.index(table, plain);
  return [
    at,
    newAt,
    ...cells.map((name) => rewrapped(row[name], next, `${table}.${name} ${at}`, `${table}.${name} ${newAt}`)),
  ];
};

/** Rows of one statement: everybody waits for the step, and most of it is the way to the database and back. */
const sizes = [256, 16, 1];

const stepTable = (sql: Sql, key: JournalKey, next: Next, personal: PersonalTable): void => {
  const { table, key: column, cells } = personal;
  const rows = sql.all(`SELECT * FROM ${table}`).map((row) => stepped(key, next, personal, row));
  const columns = [column, ...cells];
  const set = columns.map((name) => `${name} = n.${name}`).join(', ');
  for (let from = 0; from < rows.length; ) {
    const part = rows.slice(from, from + (sizes.find((size) => from + size <= rows.length) ?? 1));
    const marks = part.map((row) => row.map((value) => (value instanceof Uint8Array ? '?::bytea' : '?::text')).join());
    const values = marks.map((each) => `(${each})`).join();
    sql.run(
      `UPDATE ${table} SET ${set} FROM (VALUES ${values}) AS n (at, ${columns.join()}) WHERE ${table}.${column} = n.at`,
      ...part.flat(),
    );
    from += part.length;
  }
};

/** Within a transaction: what lives is wrapped by the next key, what was deleted stays behind with this one. */
export const stepKey = (sql: Sql, key: JournalKey, personal: readonly PersonalTable[]): void => {
  const next = key.next();
  for (const table of personal) stepTable(sql, key, next, table);
  sql.run('UPDATE journal_place SET epoch = ?, stepped_at = now()', next.epoch);
};
