import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { connectPostgres } from '../../../drivers/journal/postgres-connection.ts';
import { openPostgres } from '../../../drivers/journal/postgres-engine.ts';
import { toPostgres } from '../../../drivers/journal/postgres-sql.ts';
import { Postgres, postgresMissing } from '../../../scripts/beds/postgres.ts';
import { Journal } from '../../../src/agent/journal/journal.ts';
import { journalKind } from '../../../src/agent/journal/journal-kind.ts';
import { journalTables } from '../../../src/agent/journal/move-journal.ts';
import { personalTables } from '../../../src/agent/journal/personal-columns.ts';
import { deletionsAt } from '../../../src/agent/journal/retention.ts';
import { at, request } from '../../contract/journal.ts';

/* No statement looks through a table that grows with the visits of years: each finds its rows by an index. */

/** Tables whose rows do not add up over years, and why: these may be looked through. Any other table grows. */
const small: Readonly<Record<string, string>> = {
  age: 'one row',
  audit_head: 'one row',
  audit_start: 'one row',
  disaster_area: 'one row',
  month_key: 'a row for each of two months',
  settings_version: 'a row for each terminal',
  settings_issue: 'a row for each terminal',
  put_away: 'a row for each terminal',
  agent_seen: 'a row for each agent',
  facility_file: 'some files',
  code_guess: 'a row for each approver',
  one_time_code: 'a row for each approver',
  official_usage: 'a row for each month',
  receipt_share: 'a row for each month',
  usage: 'counts by month and lane',
  rejection: 'counts of 30 days by terminal',
  personal: 'what is not handed over',
  lease: 'what is not handed over',
  bulk_inquiry: 'what is not answered',
  today: 'one day',
  approval_use: 'one day',
};

/** Statements that are asked for all there is, and by whom. */
const readsAll: Readonly<Record<string, string>> = {
  'SELECT * FROM audit ORDER BY number': 'the export, and the daily look on a thread of its own',
  'SELECT count(*) AS times FROM kept_name': 'tests',
  'SELECT session, device, approver, approved_at AS approvedAt FROM approval ORDER BY approved_at': 'tests',
  'DELETE FROM challenge WHERE request_id IS NULL': 'a journal that was put in the place of a later one, once',
};

/** Tables to which each visit adds; to the others one visit of many does. */
const ofEachVisit = ['request', 'challenge', 'card_seen', 'audit'];

const inOneLine = (sql: string): string => sql.replace(/\s+/g, ' ').trim();
const isStatement = (sql: string): boolean => /^\s*(SELECT|INSERT|UPDATE|DELETE)\b/.test(sql);

const folder = mkdtempSync(join(tmpdir(), 'uketsuke-plans-'));
const path = join(folder, 'journal.sqlite');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every statement in the sources; `move-journal.ts` reads everything, once in a journal's life. */
const written = ((): readonly string[] => {
  const root = new URL('../../../src/', import.meta.url);
  const names = readdirSync(new URL('agent/journal/', root)).filter(
    (name) => !['move-journal.ts', 'journal-kind.ts'].includes(name),
  );
  const text = ['storage/audit-chain.ts', ...names.map((name) => `agent/journal/${name}`)]
    .map((name) => readFileSync(new URL(name, root), 'utf8'))
    .join('\n');
  const literals = text.matchAll(/(['"`])(\s*(?:SELECT|INSERT|UPDATE|DELETE)\b(?:(?!\1)[\s\S])*)\1/g);
  return [...literals].map(([, , sql = '']) => inOneLine(sql));
})();
const isWhole = (sql: string): boolean => !sql.includes('${');

/** As they reach the database of a journal in which these things happen: those that are put together, too. */
const asked = ((): readonly string[] => {
  const seen = new Set<string>();
  const { prepare } = DatabaseSync.prototype;
  const spy = vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementation(function (this: DatabaseSync, sql) {
    if (isStatement(sql)) seen.add(inOneLine(sql));
    return prepare.call(this, sql);
  });
  const journal = new Journal(path, { steadyMs: () => 0 });
  journal.addChallenges('front-1', [{ nonce: 'c1', issuedAt: at, expiresAt: at + 1_000 }], 48);
  journal.record(request());
  journal.finish('r1', { outcome: 'eligible', qualificationValidity: 1, at });
  journal.unfinished();
  journal.visits();
  journal.newestVisits(at, 10);
  journal.carriedOver(at, 10);
  journal.selfTests.newest('front-1');
  journal.selfTests.since('front-1', at);
  journal.sweep();
  journal.close();
  spy.mockRestore();
  return [...seen].filter((sql) => !/sqlite_schema/.test(sql));
})();

const statements = [...new Set([...written.filter(isWhole), ...asked])];
const toJudge = statements.filter((sql) => readsAll[sql] === undefined);

test('every statement is looked at, also those that are put together', () => {
  expect(written.length).toBeGreaterThan(80);
  const shape = (sql: string): RegExp =>
    new RegExp(
      `^${sql
        .split(/\$\{[^}]*\}/)
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('[\\s\\S]*')}$`,
    );
  const parts = written.filter((sql) => !isWhole(sql)).map(shape);
  expect(parts.filter((part) => !asked.some((sql) => part.test(sql)))).toEqual([]);
  expect(asked.filter((sql) => /^DELETE FROM \w+ WHERE rowid IN/.test(sql))).toHaveLength(
    deletionsAt(0, 'rowid').length,
  );
  // What is said here of tables and statements is said of ones that exist.
  expect(Object.keys(small).filter((table) => !journalTables.includes(table))).toEqual([]);
  expect(Object.keys(readsAll).filter((sql) => !statements.includes(sql))).toEqual([]);
});

test('in a file none looks through a table that grows', () => {
  const database = new DatabaseSync(path, { readOnly: true });
  const scans = toJudge.flatMap((sql) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => /^SCAN (\w+)/.exec(String(detail))?.[1])
      .filter((table) => table !== undefined && journalTables.includes(table) && small[table] === undefined)
      .map((table) => `${table}: ${sql}`),
  );
  database.close();
  expect(scans).toEqual([]);
});

test('and every index that a visit may have to write is read by one', () => {
  const database = new DatabaseSync(path, { readOnly: true });
  const read = statements.flatMap((sql) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .flatMap(({ detail }) => /INDEX (\w+)/.exec(String(detail))?.[1] ?? []),
  );
  const made = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").all();
  database.close();
  expect(made.length).toBeGreaterThan(7);
  expect(made.map(({ name }) => name).filter((name) => !read.includes(String(name)))).toEqual([]);
});

type Plan = {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Recheck Cond'?: string;
  readonly 'TID Cond'?: string;
  readonly Plans?: readonly Plan[];
};
const nodesOf = (plan: Plan): readonly Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
/** Reads its table from one end to the other, whether by an index or without */
const readsWhole = (node: Plan): boolean =>
  /Scan$/.test(node['Node Type']) && (node['Index Cond'] ?? node['Recheck Cond'] ?? node['TID Cond']) === undefined;

if (postgresMissing !== null) console.warn(`skipped: plans of statements in PostgreSQL: ${postgresMissing}`);
describe.skipIf(postgresMissing !== null)('in a database', () => {
  let server: Postgres;
  beforeAll(async () => {
    server = await Postgres.start();
  });
  afterAll(() => server?.remove());

  test('none looks through a table that grows, where an index is to be had', () => {
    const address = server.address('plans');
    const keyPath = join(folder, 'journal-key.json');
    openPostgres({ address, facility: 'clinic', kind: journalKind, keyPath, personal: personalTables }).close();
    // An index is taken wherever there is one: what a statement asks for is not known to a plan that is made once.
    const connection = connectPostgres(
      address,
      'SET search_path TO uketsuke; SET enable_seqscan TO off; SET plan_cache_mode TO force_generic_plan;',
    );
    const shapes = new DatabaseSync(path, { readOnly: true });
    const columnsOf = (table: string) => shapes.prepare('SELECT name, type, pk FROM pragma_table_info(?)').all(table);
    const shapeOf = (table: string) => {
      const columns = columnsOf(table);
      const key = columns.filter(({ pk }) => Number(pk) > 0).map(({ name }) => `"${String(name)}"`);
      return { key, columns: columns.map(({ name }) => String(name)) };
    };
    for (const table of journalTables.filter((each) => small[each] === undefined)) {
      const columns = columnsOf(table);
      const values = columns.map(({ type }) => (type === 'TEXT' ? "'text ' || i" : 'i')).join();
      const names = columns.map(({ name }) => `"${String(name)}"`).join();
      const rows = ofEachVisit.includes(table) ? 20_000 : 50;
      connection.ask(`INSERT INTO ${table} (${names}) SELECT ${values} FROM generate_series(1, ${rows}) AS n (i)`);
    }
    connection.ask('ANALYZE');
    const planOf = (sql: string): Plan => {
      const text = toPostgres(sql.replace(/\browid IN \(SELECT rowid\b/, 'ctid IN (SELECT ctid'), shapeOf);
      const values = [...text.matchAll(/\$\d+/g)].map(() => 'NULL').join();
      connection.ask(`PREPARE asked AS ${text}`);
      const { rows } = connection.ask(`EXPLAIN (FORMAT JSON) EXECUTE asked${values === '' ? '' : ` (${values})`}`);
      connection.ask('DEALLOCATE asked');
      const plan = Object.values(rows[0] ?? {})[0];
      return (typeof plan === 'string' ? JSON.parse(plan) : plan)[0].Plan;
    };
    const scans = toJudge.flatMap((sql) =>
      nodesOf(planOf(sql))
        .filter((node) => readsWhole(node) && small[node['Relation Name'] ?? ''] === undefined)
        .filter((node) => node['Relation Name'] !== undefined)
        .map((node) => `${node['Relation Name']}: ${sql}`),
    );
    shapes.close();
    connection.close();
    expect(scans).toEqual([]);
  });
});
