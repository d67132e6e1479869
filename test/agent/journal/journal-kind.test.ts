import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { layDown, storedReleases } from '../../../scripts/beds/stored-releases.ts';
import { Journal } from '../../../src/agent/journal/journal.ts';
import { deletionsAt } from '../../../src/agent/journal/retention.ts';

/* What a file of before is taken for. test/storage holds each release's stores whole. */

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-journal-kind-'));
  path = join(folder, 'journal.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const inFile = <T>(work: (database: DatabaseSync) => T): T => {
  const database = new DatabaseSync(path);
  try {
    return work(database);
  } finally {
    database.close();
  }
};

test('the first release’s journal said nowhere what it is, and is known by its tables; why an outcome failed is kept', () => {
  const [release = ''] = storedReleases();
  layDown(release, 'journal', path);
  const failed = "UPDATE request SET outcome = 'failed', outcome_code = 'eligibility.unavailable'";
  inFile((database) => database.exec(`${failed} WHERE request_id = 'request-2'`));
  const journal = new Journal(path);
  expect(journal.visits().map(({ outcome, code }) => [outcome, code])).toEqual([
    ['eligible', null],
    ['failed', 'eligibility.unavailable'],
    [null, 'card.certificate-revoked'],
  ]);
  journal.close();
});

test.each(['challenge', 'request', 'personal'])('one that lacks its table %s is another program’s file', (table) => {
  const [release = ''] = storedReleases();
  layDown(release, 'journal', path);
  inFile((database) => database.exec(`DROP TABLE ${table}`));
  expect(() => new Journal(path)).toThrow(`${path}: no journal of this product`);
});

test.each(['abandoned', 'help_call', 'self_test', 'kept_name', 'certificate_end'])(
  '%s is kept for weeks and years: a sweep finds by an index what has had its time',
  (table) => {
    new Journal(path).close();
    const [sql = ''] = deletionsAt(0, 'rowid').find(([each]) => each.includes(` ${table} `)) ?? [];
    const plan = inFile((database) => database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()).map(({ detail }) => detail);
    expect(plan).toContainEqual(expect.stringMatching(new RegExp(`^SEARCH ${table} USING .*INDEX`)));
    expect(plan).not.toContainEqual(expect.stringContaining(`SCAN ${table}`));
  },
);
