import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal } from '../../../src/agent/journal/journal.ts';
import { dayMs } from '../../../src/core/time-units.ts';

let folder: string;
let path: string;
let steadyMs: number;
let journal: Journal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-sweep-'));
  path = join(folder, 'journal.sqlite');
  steadyMs = 0;
  journal = new Journal(path, { steadyMs: () => steadyMs });
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true, force: true });
});

/** By another hand, as if the agent had been kept from sweeping for long. */
const fill = (sql: string): void => {
  const database = new DatabaseSync(path);
  const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)';
  database.exec(`INSERT ${sql.replace('SELECT', `${numbers} SELECT`)}`);
  database.close();
};
const rows = (table: string): number => {
  const database = new DatabaseSync(path, { readOnly: true });
  const { rows: count } = database.prepare(`SELECT count(*) AS rows FROM ${table}`).get() as { rows: number };
  database.close();
  return count;
};

test('what has had its time in thousands goes a part at a time, and goes whole', () => {
  fill(`INTO challenge SELECT 'c' || i, 'front-1', 0, 1, NULL, 0 FROM n`);
  fill(`INTO personal SELECT 'r' || i, '{}', 1 FROM n`);
  fill(`INTO card_seen SELECT '202601', 'who' || i FROM n`);
  const database = new DatabaseSync(path);
  database.exec(`INSERT INTO month_key VALUES ('202601', x'00', 0)`);
  database.close();
  steadyMs = 40 * dayMs;
  const given: string[] = [];
  const left: number[][] = [];
  for (let round = 0; round < 4; round += 1) {
    given.push(...journal.sweep());
    left.push(['challenge', 'personal', 'card_seen', 'month_key'].map(rows));
  }
  // The key of a month stays until the last mark that it made is gone.
  expect(left).toEqual([
    [1500, 1500, 1500, 1],
    [500, 500, 500, 1],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ]);
  // Each whose personal data went is named, once.
  expect(new Set(given).size).toBe(2500);
  expect(given).toHaveLength(2500);
});
