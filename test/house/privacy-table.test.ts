import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { journalTables } from '../../src/agent/journal/journal-schema.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const tablesOf = (sql: string): string[] =>
  [...sql.matchAll(/CREATE TABLE IF NOT EXISTS (\w+)/g)].map(([, name]) => name ?? '');

test.each([
  ['the agent', journalTables],
  ['the terminal', read('drivers/store/sqlite-store-worker.ts')],
])('every table of %s stands in docs/privacy.md', (_, sql) => {
  const tables = tablesOf(sql).filter((name) => name !== 'audit_head');
  const document = read('docs/privacy.md');
  expect(tables.length).toBeGreaterThan(3);
  expect(tables.filter((name) => !document.includes(`\`${name}\``))).toEqual([]);
});
