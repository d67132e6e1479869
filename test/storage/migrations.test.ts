import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { outboxKind } from '../../drivers/store/outbox-kind.ts';
import { endChild } from '../../scripts/beds/end-child.ts';
import { missingRelease, releases } from '../../scripts/beds/release-tree.ts';
import { layDown, storedReleases } from '../../scripts/beds/stored-releases.ts';
import { unhurriedStore } from '../../scripts/beds/unhurried-store.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { journalKind } from '../../src/agent/journal/journal-kind.ts';
import { forgetBackups } from '../../src/storage/back-up.ts';
import { openStore, type StoreNews } from '../../src/storage/open-store.ts';
import { newestVersion, type StoreKind } from '../../src/storage/store-kind.ts';

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-migrations-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const kinds = [journalKind, outboxKind];
const withStep = (kind: StoreKind, sql: string): StoreKind => ({
  ...kind,
  migrations: [...kind.migrations, { version: newestVersion(kind) + 1, name: 'planted', sql }],
});
const open = (path: string, kind: StoreKind): DatabaseSync => {
  const opened = openStore(path, kind);
  if (!opened.ok) throw new Error(opened.failure.detail);
  return opened.value.database;
};
const contentOf = (path: string): Record<string, unknown[]> => {
  const database = new DatabaseSync(path, { readOnly: true });
  const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`).all();
  const content = tables.map(({ name }) => [name, database.prepare(`SELECT * FROM "${name}" ORDER BY 1`).all()]);
  database.close();
  return JSON.parse(JSON.stringify(Object.fromEntries(content)));
};
const backupsIn = (): string[] => readdirSync(folder).filter((name) => name.includes('.before-migration-'));

test('of every release a journal and an outbox is kept', () => {
  const wanted = releases().filter((release) => missingRelease(release) === null);
  expect(storedReleases()).toEqual(expect.arrayContaining([...wanted]));
});

describe.each(storedReleases())('stores of release %s', (release) => {
  test('the journal opens, says the same as before, and goes on', () => {
    const path = join(folder, 'journal.sqlite');
    layDown(release, 'journal', path);
    const journal = new Journal(path);
    expect(journal.visits().map(({ requestId, verdict, outcome }) => [requestId, verdict, outcome])).toEqual([
      ['request-1', 'accepted', 'eligible'],
      ['request-2', 'accepted', null],
      ['request-3', 'refused', null],
    ]);
    expect(journal.unfinished().map(({ visit, personal }) => [visit.requestId, personal.certificateSerial])).toEqual([
      ['request-2', '5E570002'],
    ]);
    expect(journal.todayNotes().get('request-1')?.referenceNumber).toBe('100001');
    expect(journal.cardSeen('100001', Date.UTC(2026, 10, 20, 3))).toBe(true);
    expect(journal.cardUses(Date.UTC(2026, 10, 20, 3))).toBe(1);
    expect(journal.bulkInquiries()).toHaveLength(1);
    journal.finish('request-2', { outcome: 'eligible', at: 1 });
    journal.handOver('request-2', 2);
    expect(journal.unfinished()).toEqual([]);
    journal.close();
    expect(backupsIn()).toHaveLength(1);
    expect(statSync(join(folder, backupsIn()[0] ?? '')).mode & 0o777).toBe(0o600);
  });

  test('why the service’s answer failed stands where a refusal says why', () => {
    const path = join(folder, 'journal.sqlite');
    layDown(release, 'journal', path);
    const before = new DatabaseSync(path);
    before.exec(
      "UPDATE request SET outcome = 'failed', outcome_code = 'eligibility.unavailable' WHERE request_id = 'request-2'",
    );
    before.close();
    const journal = new Journal(path);
    expect(journal.visits().map(({ verdict, outcome, code }) => [verdict, outcome, code])).toEqual([
      ['accepted', 'eligible', null],
      ['accepted', 'failed', 'eligibility.unavailable'],
      ['refused', null, 'card.certificate-revoked'],
    ]);
    journal.close();
  });

  test('the outbox opens: what waits is sent, settings floor and nonces hold, the audit chain is whole', async () => {
    const path = join(folder, 'outbox.sqlite');
    layDown(release, 'outbox', path);
    const store = unhurriedStore(path);
    const rows = await store.outboxRows();
    expect(rows.ok && rows.value.map(({ requestId, sealed }) => [requestId, [...sealed]])).toEqual([
      ['request-2', [2, 2, 3]],
      ['request-3', [3, 2, 3]],
    ]);
    expect(await store.raiseSettings(2, new Uint8Array([1]), 1)).toEqual({ ok: true, value: false });
    expect(await store.rememberNonce('nonce-1', 5, 1)).toEqual({ ok: true, value: false });
    expect(await store.firstBrokenAuditEntry()).toEqual({ ok: true, value: null });
    await store.close();
  });

  test('a column of tomorrow in either store costs no visit of today', async () => {
    const journalPath = join(folder, 'journal.sqlite');
    const outboxPath = join(folder, 'outbox.sqlite');
    layDown(release, 'journal', journalPath);
    layDown(release, 'outbox', outboxPath);
    const planted = (table: string) => `ALTER TABLE ${table} ADD COLUMN planted TEXT NOT NULL DEFAULT 'x'`;
    open(journalPath, withStep(journalKind, planted('request'))).exec(
      `PRAGMA user_version = ${newestVersion(journalKind)}`,
    );
    open(outboxPath, withStep(outboxKind, planted('outbox'))).exec(
      `PRAGMA user_version = ${newestVersion(outboxKind)}`,
    );
    const journal = new Journal(journalPath);
    journal.addChallenges('front-1', [{ nonce: 'n', issuedAt: 1, expiresAt: 900_000 }], 48);
    const [known] = journal.visits();
    if (known === undefined) throw new Error('no visit');
    const recorded = journal.record({
      ...{
        ...known,
        requestId: 'new',
        challenge: 'n',
        certificate: '',
        code: undefined,
        receivedAt: 2,
        expiresAt: 3,
        personalLifeMs: 9,
      },
      personal: { limitApplication: false, approvedDocuments: [], consentTimes: [] },
    });
    expect(recorded).toMatchObject({ kind: 'recorded', visit: { verdict: 'accepted' } });
    journal.close();
    const store = unhurriedStore(outboxPath);
    const row = {
      requestId: 'new',
      session: 's',
      documentHash: 'h',
      sealed: new Uint8Array([1]),
      createdAtMs: 1,
      visitMark: null,
      expiresAtMs: 2,
    };
    expect(await store.addOutboxRow(row)).toMatchObject({ ok: true });
    await store.close();
  });
});

describe.each(kinds)('$name', (kind) => {
  const path = () => join(folder, 'store.sqlite');

  test('its steps are numbered without a gap', () => {
    expect(kind.migrations.map(({ version }) => version)).toEqual(kind.migrations.map((_, index) => index + 1));
  });

  test('a file of a later release is refused by name and left as it is', () => {
    open(path(), withStep(kind, 'CREATE TABLE planted (a)')).close();
    const before = readFileSync(path());
    const opened = openStore(path(), kind);
    expect(opened).toMatchObject({ ok: false, failure: { code: 'storage.newer', actor: 'technician' } });
    expect(!opened.ok && opened.failure.detail).toContain(path());
    expect(readFileSync(path())).toEqual(before);
  });

  test("a file of somebody else's is refused and left as it is", () => {
    const other = new DatabaseSync(path());
    other.exec('CREATE TABLE theirs (a)');
    other.close();
    const before = readFileSync(path());
    expect(openStore(path(), kind)).toMatchObject({ ok: false, failure: { code: 'storage.not-ours' } });
    expect(readFileSync(path())).toEqual(before);
    const sister = kinds.find((each) => each !== kind) ?? kind;
    rmSync(path());
    open(path(), sister).close();
    expect(openStore(path(), kind)).toMatchObject({ ok: false, failure: { code: 'storage.not-ours' } });
  });

  test('a step that fails leaves the file in its old form, with all its content', () => {
    open(path(), kind).close();
    const before = contentOf(path());
    const failing = withStep(kind, 'CREATE TABLE planted (a); DROP TABLE nowhere');
    expect(openStore(path(), failing)).toMatchObject({ ok: false, failure: { code: 'storage.migration-failed' } });
    expect(contentOf(path())).toEqual(before);
    open(path(), kind).close();
  });

  test('copies from before a migration go after their day, the store stays', () => {
    open(path(), kind).close();
    open(path(), withStep(kind, 'CREATE TABLE planted (a)')).close();
    const [backup = ''] = backupsIn();
    const now = Date.now();
    expect(forgetBackups(path(), now, 86_400_000)).toEqual([]);
    utimesSync(join(folder, backup), now / 1000 - 86_401, now / 1000 - 86_401);
    expect(forgetBackups(path(), now, 86_400_000)).toEqual([join(folder, backup)]);
    expect(existsSync(path())).toBe(true);
  });
});

test('killed in mid-migration: the old file is whole, and the next start takes the step', async () => {
  const path = join(folder, 'journal.sqlite');
  const [release = ''] = storedReleases();
  layDown(release, 'journal', path);
  const before = contentOf(path);
  // The step writes much, tells us, and then does not end.
  const script = `
    import { DatabaseSync } from 'node:sqlite';
    const exec = DatabaseSync.prototype.exec;
    DatabaseSync.prototype.exec = function (sql) {
      exec.call(this, sql);
      if (!sql.includes('challenge_expires_at')) return;
      exec.call(this, 'PRAGMA cache_spill = 1; PRAGMA cache_size = 5; CREATE TABLE big AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT i, randomblob(100) AS b FROM n');
      process.stdout.write('in the middle\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    };
    const { Journal } = await import('${new URL('../../src/agent/journal/journal.ts', import.meta.url).href}');
    new Journal(process.argv[1]);`;
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout === null) throw new Error('no standard output');
  await once(createInterface({ input: child.stdout }), 'line');
  await endChild(child, 'SIGKILL');
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(1_000_000);
  expect(contentOf(path)).toEqual(before);
  const journal = new Journal(path);
  expect(journal.visits()).toHaveLength(3);
  expect(journal.news).toMatchObject([{ type: 'migrated', to: newestVersion(journalKind) }]);
  journal.close();
});

describe('a damaged file', () => {
  const pageBytes = 512;
  const scratch = (path: string, offset: number, length: number): void => {
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(length, 0xa5), 0, length, offset);
    closeSync(file);
  };
  const manyRows = async (path: string): Promise<void> => {
    const store = unhurriedStore(path);
    for (let number = 0; number < 40; number++)
      await store.addOutboxRow({
        ...{ requestId: `request-${String(number).padStart(2, '0')}`, session: 's', documentHash: 'h' },
        ...{ sealed: new Uint8Array(3_000).fill(number), createdAtMs: number, visitMark: null, expiresAtMs: 9e12 },
      });
    await store.raiseSettings(9, new Uint8Array([9]), 1);
    await store.close();
  };

  test('a broken page costs the rows on it; the file lies aside, all else is in the new one', async () => {
    const path = join(folder, 'outbox.sqlite');
    await manyRows(path);
    const whole = new DatabaseSync(path, { readOnly: true });
    const pages = whole.prepare(`SELECT name, pageno FROM dbstat WHERE pagetype = 'leaf' ORDER BY pageno`).all();
    whole.close();
    const leaves = pages.filter(({ name }) => name === 'outbox');
    const leaf = leaves[Math.floor(leaves.length / 2)];
    if (leaf === undefined) throw new Error('no leaf');
    scratch(path, (Number(leaf.pageno) - 1) * pageBytes, pageBytes);
    const heard: StoreNews[] = [];
    const store = unhurriedStore(path, (news) => heard.push(news));
    const rows = await store.outboxRows();
    expect(rows.ok && rows.value.length).toBeGreaterThanOrEqual(30);
    expect(rows.ok && rows.value.length).toBeLessThan(40);
    const settings = await store.readSettings();
    expect(settings.ok && settings.value?.version).toBe(9);
    expect(heard).toMatchObject([
      { type: 'set-aside', failure: { code: 'storage.damaged' }, aside: `${path}.damaged-1` },
    ]);
    expect(existsSync(`${path}.damaged-1`)).toBe(true);
    await store.close();
  });

  test.each([
    ['whose head is gone', 0, 100],
    ['that is something else altogether', 0, 20_000],
  ])('a file %s: a new one begins, the old lies aside', async (_what, offset, length) => {
    const path = join(folder, 'outbox.sqlite');
    await manyRows(path);
    scratch(path, offset, length);
    const heard: StoreNews[] = [];
    const store = unhurriedStore(path, (news) => heard.push(news));
    expect(await store.outboxRows()).toMatchObject({ ok: true });
    expect(heard).toMatchObject([{ type: 'set-aside', failure: { code: 'storage.damaged' } }]);
    expect(statSync(`${path}.damaged-1`).size).toBeGreaterThan(100_000);
    await store.close();
  });

  test('a damaged journal: the agent goes on with what could be read', () => {
    const path = join(folder, 'journal.sqlite');
    const [release = ''] = storedReleases();
    layDown(release, 'journal', path);
    const whole = new DatabaseSync(path, { readOnly: true });
    const page = whole.prepare(`SELECT pageno FROM dbstat WHERE name = 'usage'`).get();
    whole.close();
    scratch(path, (Number(page?.pageno) - 1) * 4096, 4_096);
    const journal = new Journal(path);
    expect(journal.news).toMatchObject([{ type: 'set-aside' }]);
    expect(journal.visits()).toHaveLength(3);
    expect(journal.unfinished()).toHaveLength(1);
    journal.close();
  });
});

test('a directory that is none: named as what it is, with its path', () => {
  const path = join(folder, 'nowhere', 'journal.sqlite');
  const opened = openStore(path, journalKind);
  expect(opened).toMatchObject({ ok: false, failure: { code: 'storage.unwritable', actor: 'technician' } });
  expect(!opened.ok && opened.failure.detail).toContain(path);
});
