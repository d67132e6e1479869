import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Journal } from '../../src/agent/journal/journal.ts';
import { journalKind } from '../../src/agent/journal/journal-kind.ts';
import { monthOf } from '../../src/agent/journal/today-notes.ts';
import { japanDate, startOfJapanDay } from '../../src/core/japan-time.ts';
import { dayMs, hourMs } from '../../src/core/time-units.ts';
import { AuditChain } from '../../src/storage/audit-chain.ts';
import { sqlOf } from '../../src/storage/sqlite-engine.ts';
import { type SelfTest, testedParts } from '../../src/wire/self-test-report.ts';

/**
 * A facility of twenty lanes that was open for so long: `rows` requests before today, evenly over `days`; what goes with them is
 * 30 days of challenges, a month of cards seen, the counts, the newest 150,000 entries of the chain; of 400 days a self-test of
 * each lane a day and, assumed, of a hundred visits two that were left, one call for help, one approval of staff, one name with
 * ●; of 62 days five certificates near their end of a hundred.
 */
type JournalSize = { readonly rows: number; readonly days: number };

const lanes = 20;
/** Of the agent's own rotation */
const keptEntries = 150_000;
/** Retention's, by the journal's age: the oldest requests are about to go */
const age = 400 * dayMs;

const uuid = `lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2))
  || '-' || hex(randomblob(6)))`;
/** As long as a SHA-256 in base64url */
const hash = 'substr(hex(randomblob(22)), 1, 43)';
const numbers = (count: number): string =>
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${Math.round(count)})`;

/** `received`, `lived`: expressions over n.i */
const requests = (count: number, received: string, lived: string): string => `${numbers(count)}
  INSERT INTO request (request_id, device, lane, session, kind, document_hash, method, consents, verdict,
      issued_at, received_at, expires_at, outcome, qualification_validity, finished_at, file, handed_over_at, lived_at)
    SELECT ${uuid}, 'terminal-' || (i % ${lanes}), 1 + i % ${lanes}, ${uuid}, 'eligibility', ${hash}, 'face',
      '{"TKK":true,"YZK":true,"SRJ":true,"SHJ":true,"TSR":false}', 'accepted', ${received}, ${received}, ${received} + 600000,
      'eligible', 1, ${received} + 300, 'OQSsiquc01res_face_' || i || '.xml', ${received} + 400, ${lived}
    FROM n;`;

const report = JSON.stringify({
  ...{ byHand: false, tookMs: 8_000 },
  parts: testedParts.map((part) => ({ part, outcome: 'good' })),
} satisfies SelfTest);

/** What does not come with each visit. */
const seldom = ({ rows, days }: JournalSize, nowMs: number): string => {
  const perDay = rows / days;
  const ago = (count: number): string => `${nowMs} - ${dayMs} - CAST((${count} - i) * ${age / count} AS INTEGER)`;
  const lived = (count: number): string => `CAST(i * ${age / count} AS INTEGER)`;
  const tests = 400 * lanes;
  const left = Math.ceil(perDay * 400 * 0.02);
  const hundredth = Math.ceil(perDay * 400 * 0.01);
  return `${numbers(tests)} INSERT INTO self_test SELECT 'terminal-' || (i % ${lanes}), ${ago(tests)} + i, 1 + i % ${lanes}, '${report}',
      ${lived(tests)} FROM n;
    ${numbers(left)} INSERT INTO abandoned SELECT ${uuid}, 'terminal-' || (i % ${lanes}), 1 + i % ${lanes}, ${ago(left)}, 'card.removed',
      ${lived(left)} FROM n;
    ${numbers(hundredth)} INSERT INTO help_call SELECT 'terminal-' || (i % ${lanes}), ${ago(hundredth)} + i, 1 + i % ${lanes},
      ${ago(hundredth)} + i + 60000, ${lived(hundredth)} FROM n;
    ${numbers(hundredth)} INSERT INTO approval SELECT ${uuid}, 'terminal-' || (i % ${lanes}), '佐藤', ${ago(hundredth)},
      ${ago(hundredth)} + 600000 FROM n;
    ${numbers(hundredth)} INSERT INTO kept_name SELECT CAST(100000 + i AS TEXT), '{"Name":"髙橋"}', ${age} + ${lived(hundredth)} + ${dayMs},
      CAST(100000 + i AS TEXT) FROM n;
    ${numbers(Math.ceil(perDay * 62 * 0.05))} INSERT INTO certificate_end SELECT CAST(100000 + i AS TEXT), ${nowMs} + ${30 * dayMs},
      ${nowMs} - i * 1000, ${age} + ${30 * dayMs}, CAST(100000 + i AS TEXT) FROM n;`;
};

/** Of before today. Without an index but the keys' own, which SQLite makes with the table. */
const insertRows = (database: DatabaseSync, { rows, days }: JournalSize, nowMs: number): void => {
  const received = `${nowMs} - ${dayMs} - CAST((${rows} - i) * ${(days * dayMs) / rows} AS INTEGER)`;
  database.exec('BEGIN');
  database.exec(`INSERT OR REPLACE INTO age VALUES (1, ${age}, NULL, 0);
    INSERT INTO month_key (month, key, lived_at) VALUES ('${monthOf(nowMs)}', randomblob(32), ${age});`);
  if (rows > 0)
    database.exec(`${requests(rows, received, `CAST(i * ${age / rows} AS INTEGER)`)}
      ${numbers((rows * 30) / days)} INSERT INTO challenge (nonce, device, issued_at, expires_at, request_id, lived_at)
        SELECT ${hash}, 'terminal-' || (i % ${lanes}), ${nowMs}, ${nowMs} + 600000, ${uuid}, ${age} FROM n;
      ${numbers((rows * 31) / days)} INSERT INTO card_seen SELECT '${monthOf(nowMs)}', ${hash} FROM n;
      ${numbers((days / 30) * lanes * 5)} INSERT INTO usage
        SELECT (202100 + 1 + i / ${lanes * 5}), 1 + i % ${lanes}, 'eligibility', 'face', 'outcome-' || (i / ${lanes} % 5), '', 100
          FROM n;
      ${seldom({ rows, days }, nowMs)}`);
  const chain = new AuditChain({ ...sqlOf(() => database), snapshot: (work) => work() });
  for (let entry = 0; entry < Math.min(keptEntries, 2 * rows); entry += 1)
    chain.append({ atMs: nowMs, event: 'request-accepted', subject: crypto.randomUUID() });
  database.exec('COMMIT');
};

/**
 * The product's own tables, filled in one pass; their indexes are dropped before and made after it by the words in which
 * the file has them: 3.6 million requests at random ids would else read and write each index a page of 512 bytes at a time.
 * Nothing is synced meanwhile: whoever cuts the power makes the file anew.
 */
const fillJournal = (path: string, size: JournalSize, nowMs: number): void => {
  new Journal(path, { steadyMs: () => 0 }).close();
  const database = new DatabaseSync(path);
  try {
    // No journal at all is refused by a database that Node opens.
    database.exec(`PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA secure_delete = OFF;
      PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1200000;`);
    const indexes = database
      .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid")
      .all();
    for (const { name } of indexes) database.exec(`DROP INDEX ${String(name)}`);
    insertRows(database, size, nowMs);
    for (const { sql } of indexes) database.exec(String(sql));
    database.exec('PRAGMA journal_mode = WAL');
  } finally {
    database.close();
  }
};

/** The visits of today until now, the last of them a moment ago, and what staff are shown of them. */
export const addToday = (path: string, visits: number, nowMs: number): void => {
  const database = new DatabaseSync(path);
  const sinceMs = Math.max(startOfJapanDay(japanDate(nowMs)), nowMs - 8 * hourMs);
  const received = `${nowMs} - CAST((${visits} - i) * ${(nowMs - sinceMs) / visits} AS INTEGER)`;
  database.exec(`BEGIN;
    ${requests(visits, received, String(age))}
    INSERT INTO today (request_id, reference_number, notices, delete_at, open_names)
      SELECT request_id, CAST(rowid AS TEXT), '[]', ${age + dayMs}, '[]' FROM request ORDER BY rowid DESC LIMIT ${visits};
    COMMIT;`);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
};

/** Of this form of the journal, by this file, in this month: of what a month needs the key is new. */
const kept = (nowMs: number): string =>
  createHash('sha256')
    .update(JSON.stringify([journalKind.migrations, monthOf(nowMs)]))
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .digest('hex')
    .slice(0, 12);

/** A copy at `path`; filled once for each form of the journal and month, and kept in `folder`. true: it was filled now */
export const filledJournal = (path: string, folder: string, size: JournalSize, nowMs: number): boolean => {
  const version = kept(nowMs);
  const cached = join(folder, `journal-${size.rows}-${version}.sqlite`);
  if (existsSync(cached)) {
    copyFileSync(cached, path);
    return false;
  }
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder).filter((each) => !each.includes(version)))
    rmSync(join(folder, name), { force: true });
  fillJournal(path, size, nowMs);
  copyFileSync(path, `${cached}.part`);
  renameSync(`${cached}.part`, cached);
  return true;
};
