import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addToday, filledJournal } from '../../scripts/beds/filled-journal.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { dayMs } from '../../src/core/time-units.ts';
import { selfTestSchema } from '../../src/wire/self-test-report.ts';

const nowMs = Date.UTC(2026, 10, 30, 3);
const size = { rows: 4_000, days: 400 };

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-filled-'));
  path = join(folder, 'journal.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Without the order in which its parts were made */
const schemaOf = (file: string): unknown => {
  const database = new DatabaseSync(file, { readOnly: true });
  const pragma = (name: string): unknown => database.prepare(`PRAGMA ${name}`).get();
  const parts = database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name').all();
  const kept = ['page_size', 'auto_vacuum', 'user_version', 'application_id', 'journal_mode'].map(pragma);
  database.close();
  return { parts, kept };
};

test("a journal that is filled quickly is the product's own: its form, whole, read and written as any other", () => {
  filledJournal(path, join(folder, 'kept'), size, nowMs);
  addToday(path, 200, nowMs);
  const made = join(folder, 'made.sqlite');
  new Journal(made, { steadyMs: () => 0 }).close();
  expect(schemaOf(path)).toEqual(schemaOf(made));

  const database = new DatabaseSync(path, { readOnly: true });
  expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
  database.close();

  const journal = new Journal(path, { steadyMs: () => 0 });
  expect(journal.audit.verify()).toEqual({ entries: 8_000, brokenAt: null });
  expect(journal.visits()).toHaveLength(4_200);
  expect(journal.visits(nowMs - dayMs)).toHaveLength(201);
  expect(journal.newestVisits(nowMs - dayMs, 1)).toMatchObject([{ receivedAt: nowMs, outcome: 'eligible' }]);
  expect(journal.todayNotes().size).toBe(200);
  expect(journal.certificateEnds.countSince(0)).toBe(journal.certificateEnds.since(0).length);
  expect(selfTestSchema.parse(journal.selfTests.newest('terminal-1')?.report)).toMatchObject({ byHand: false });
  // Nothing of it has had its time, and what comes now is kept beside it.
  journal.sweep();
  expect(journal.visits()).toHaveLength(4_200);
  journal.addApproval({ session: 's', device: 'front-1', approver: '佐藤', approvedAt: nowMs, expiresAt: nowMs + 1 });
  expect(journal.audit.verify()).toEqual({ entries: 8_001, brokenAt: null });
  journal.close();
});

test('a second one is a copy of the first', () => {
  const kept = join(folder, 'kept');
  expect(filledJournal(path, kept, size, nowMs)).toBe(true);
  const second = join(folder, 'second.sqlite');
  expect(filledJournal(second, kept, size, nowMs)).toBe(false);
  expect(statSync(second).size).toBe(statSync(path).size);
  // Marks of cards seen are a month's: in the next one it is made anew, and what was kept goes.
  const third = join(folder, 'third.sqlite');
  expect(filledJournal(third, kept, size, nowMs + 31 * dayMs)).toBe(true);
  expect(readdirSync(kept)).toHaveLength(1);
  expect(existsSync(third)).toBe(true);
});
