import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { outboxKind } from '../../drivers/store/outbox-kind.ts';
import { journalKind } from '../../src/agent/journal/journal-kind.ts';
import type { StoreKind } from '../../src/storage/store-kind.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const tablesOf = ({ migrations }: StoreKind): string[] =>
  migrations.flatMap(({ sql }) =>
    [...sql.matchAll(/CREATE TABLE (?:IF NOT EXISTS )?(\w+)/g)].map(([, name]) => name ?? ''),
  );

test.each([
  ['the agent', journalKind],
  ['the terminal', outboxKind],
])('every table of %s stands in docs/privacy.md', (_, kind) => {
  const tables = tablesOf(kind).filter((name) => name !== 'audit_head');
  const document = read('docs/privacy.md');
  expect(tables.length).toBeGreaterThan(3);
  expect(tables.filter((name) => !document.includes(`\`${name}\``))).toEqual([]);
});
