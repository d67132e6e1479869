import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { renameDurably } from './rename-durably.ts';

/** Moves a file and what SQLite keeps beside it; answers the new path. A name that is taken gets a number. */
export const setAside = (path: string): string => {
  let number = 1;
  while (existsSync(`${path}.damaged-${number}`)) number += 1;
  const aside = `${path}.damaged-${number}`;
  for (const part of ['-wal', '-shm', '']) if (existsSync(path + part)) renameDurably(path + part, aside + part);
  return aside;
};

type Row = Record<string, null | number | bigint | string | Uint8Array>;

/** Rows until the first that cannot be read; from either end, so that one broken page costs what lies on it alone. */
const readable = (damaged: DatabaseSync, table: string, order: string): Row[] => {
  const rows: Row[] = [];
  try {
    for (const row of damaged.prepare(`SELECT * FROM "${table}" ${order}`).iterate()) rows.push(row as Row);
  } catch {
    // What lies behind is reached from the other end, or not at all.
  }
  return rows;
};

const columnsOf = (database: DatabaseSync, table: string): readonly { name: string; key: number }[] =>
  database
    .prepare('SELECT name, pk AS key FROM pragma_table_info(?)')
    .all(table)
    .map(({ name, key }) => ({ name: String(name), key: Number(key) }));

const recoverTable = (damaged: DatabaseSync, into: DatabaseSync, table: string): number => {
  const columns = columnsOf(into, table);
  const key = columns
    .filter((column) => column.key > 0)
    .sort((a, b) => a.key - b.key)
    .map(({ name }) => `"${name}"`);
  const backwards = key.length > 0 ? `ORDER BY ${key.map((name) => `${name} DESC`).join(', ')}` : '';
  let taken = 0;
  for (const order of ['', 'ORDER BY rowid DESC', backwards]) {
    for (const row of readable(damaged, table, order)) {
      const names = columns.map(({ name }) => name).filter((name) => name in row);
      if (names.length === 0) continue;
      const marks = names.map(() => '?').join(', ');
      const quoted = names.map((name) => `"${name}"`).join(', ');
      try {
        const { changes } = into
          .prepare(`INSERT OR REPLACE INTO "${table}" (${quoted}) VALUES (${marks})`)
          .run(...names.map((name) => row[name] ?? null));
        taken += Number(changes);
      } catch {
        // A row that breaks the table's own rules was not written by us.
      }
    }
  }
  return taken === 0 ? 0 : Number(into.prepare(`SELECT count(*) AS rows FROM "${table}"`).get()?.rows);
};

/**
 * Carries over every row that can still be read, table by table (node:sqlite has no `.recover`); answers how many. The
 * damaged file itself is only read.
 */
export const recoverRows = (damagedPath: string, into: DatabaseSync): number => {
  let damaged: DatabaseSync;
  try {
    damaged = new DatabaseSync(damagedPath);
  } catch {
    return 0;
  }
  into.exec('BEGIN IMMEDIATE');
  try {
    const tables = into
      .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
      .all()
      .map(({ name }) => String(name));
    const rows = tables.reduce((sum, table) => sum + recoverTable(damaged, into, table), 0);
    into.exec('COMMIT');
    return rows;
  } finally {
    if (into.isTransaction) into.exec('ROLLBACK');
    damaged.close();
  }
};
