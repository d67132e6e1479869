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

const stepRow = (
  sql: Sql,
  key: JournalKey,
  next: Next,
  { table, key: column, cells, index }: PersonalTable,
  row: SqlRow,
) => {
  const at = String(row[column]);
  const plain = index && row.who !== null ? key.cells.open(`${table}.who ${at}`, String(row.who)) : null;
  const newAt = plain === null ? at : next.index(table, plain);
  const values = cells.map((name) => rewrapped(row[name], next, `${table}.${name} ${at}`, `${table}.${name} ${newAt}`));
  const set = [column, ...cells].map((name) => `${name} = ?`).join(', ');
  sql.run(`UPDATE ${table} SET ${set} WHERE ${column} = ?`, newAt, ...values, at);
};

/** Within a transaction: what lives is wrapped by the next key, what was deleted stays behind with this one. */
export const stepKey = (sql: Sql, key: JournalKey, personal: readonly PersonalTable[]): void => {
  const next = key.next();
  for (const table of personal)
    for (const row of sql.all(`SELECT * FROM ${table.table}`)) stepRow(sql, key, next, table, row);
  sql.run('UPDATE journal_place SET epoch = ?, stepped_at = now()', next.epoch);
};
