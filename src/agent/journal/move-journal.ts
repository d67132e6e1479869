import { AuditChain } from '../../storage/audit-chain.ts';
import type { SqlEngine, SqlRow, SqlValue } from '../../storage/sql-engine.ts';
import { journalKind } from './journal-kind.ts';
import { personalTables } from './personal-columns.ts';

/** Rows of one statement: SQLite takes 32,766 values in one. */
const atATime = 500;

/** Of these every journal has its one row from the beginning. */
const everThere: readonly string[] = ['audit_head', 'audit_start'];

export const journalTables: readonly string[] = [
  ...new Set(
    journalKind.migrations.flatMap(({ sql }) =>
      [...sql.matchAll(/CREATE TABLE (?:IF NOT EXISTS )?(\w+)/g)].map(([, table = '']) => table),
    ),
  ),
];

const countOf = (engine: SqlEngine, table: string): number =>
  Number(engine.get(`SELECT count(*) AS times FROM ${table}`)?.times);

/** A row as it stands at the new place. null: it is about a person, and nobody can read it any more */
const carried = (row: SqlRow, table: string, from: SqlEngine, to: SqlEngine): SqlRow | null => {
  const personal = personalTables.find((each) => each.table === table);
  const { rowid: _, ...plain } = row;
  if (personal === undefined) return plain;
  const key = String(plain[personal.key]);
  const opened: Record<string, string | null> = {};
  for (const column of personal.cells) {
    const cell = plain[column];
    // An index of a release that had none: the number itself is the key.
    if (cell === null) opened[column] = column === 'who' ? key : null;
    else {
      const text = cell instanceof Uint8Array ? Buffer.from(cell).toString('latin1') : String(cell);
      opened[column] = from.cells.open(`${table}.${column} ${key}`, text);
      if (opened[column] === null) return null;
    }
  }
  const newKey = personal.index ? to.cells.index(table, String(opened.who)) : key;
  for (const column of personal.cells) {
    const text = opened[column] ?? null;
    const cell = text === null ? null : to.cells.seal(`${table}.${column} ${newKey}`, text);
    plain[column] = cell !== null && plain[column] instanceof Uint8Array ? Buffer.from(cell, 'latin1') : cell;
  }
  return { ...plain, [personal.key]: newKey };
};

const write = (to: SqlEngine, table: string, rows: readonly SqlRow[]): void => {
  const columns = Object.keys(rows[0] ?? {});
  if (columns.length === 0) return;
  const marks = `(${columns.map(() => '?').join(', ')})`;
  to.run(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${rows.map(() => marks).join(', ')}`,
    ...rows.flatMap((row) => columns.map((column) => row[column] as SqlValue)),
  );
};

/** Answers how many rows were left behind: about persons, and readable by nobody. */
const copyTable = (from: SqlEngine, to: SqlEngine, table: string): number => {
  if (everThere.includes(table)) to.run(`DELETE FROM ${table}`);
  else if (countOf(to, table) > 0) throw new Error(`a journal lies there already: ${table} is not empty`);
  let waiting: SqlRow[] = [];
  let unreadable = 0;
  for (const row of from.iterate(`SELECT * FROM ${table} ORDER BY rowid`)) {
    const moved = carried(row, table, from, to);
    if (moved === null) unreadable += 1;
    else waiting.push(moved);
    if (waiting.length < atATime) continue;
    write(to, table, waiting);
    waiting = [];
  }
  write(to, table, waiting);
  return unreadable;
};

/**
 * A facility's journal, whole, to another place that holds none: nobody writes into either meanwhile, all of it is on the disk
 * there when this returns, or nothing is. Every table is counted at both ends, and the chain verified where it lies now. Throws.
 */
export const moveJournal = (
  from: SqlEngine,
  to: SqlEngine,
  { atMs, name }: { readonly atMs: number; readonly name: string },
): { readonly rows: number; readonly unreadable: number; readonly chainHolds: boolean } =>
  from.transaction('now', () =>
    to.transaction('now', () => {
      let rows = 0;
      let unreadable = 0;
      for (const table of journalTables) {
        const left = copyTable(from, to, table);
        const [there, here] = [countOf(from, table), countOf(to, table)];
        if (there !== here + left) throw new Error(`${table}: ${there} rows there, ${here} of them here`);
        rows += here;
        unreadable += left;
      }
      const [before, after] = [new AuditChain(from), new AuditChain(to)];
      const whole = before.verify();
      const moved = after.verify();
      // A chain that was broken before is moved as it is: whoever looks must find what was done to it.
      const isSame =
        moved.entries === whole.entries && moved.brokenAt === whole.brokenAt && after.end().hash === before.end().hash;
      if (!isSame) throw new Error('the chain of what was done does not hold at the new place: nothing was moved');
      after.append({ atMs, event: 'journal-moved', subject: name });
      return { rows, unreadable, chainHolds: moved.brokenAt === null };
    }),
  );
