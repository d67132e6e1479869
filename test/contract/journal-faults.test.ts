import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { connectPostgres } from '../../drivers/journal/postgres-connection.ts';
import { openPostgres } from '../../drivers/journal/postgres-engine.ts';
import { Postgres, postgresMissing } from '../../scripts/beds/postgres.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { journalKind } from '../../src/agent/journal/journal-kind.ts';
import { personalTables } from '../../src/agent/journal/personal-columns.ts';
import type { SqlEngine } from '../../src/storage/sql-engine.ts';
import { openSqlite } from '../../src/storage/sqlite-engine.ts';
import { at, request } from './journal.ts';

/** What goes wrong while several visits share one commit: nobody hears that it is done of what is not kept, nobody waits for ever. */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), 'uketsuke-faults-'));
let places = 0;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open = (engine: SqlEngine): Journal => new Journal(engine, { steadyMs: () => 0 });
const give = (journal: Journal, nonces: readonly string[]): void =>
  journal.addChallenges(
    'front-1',
    nonces.map((nonce) => ({ nonce, issuedAt: at, expiresAt: at + 1_000 })),
    48,
  );
const record = (journal: Journal, id: string, more: object = {}) =>
  journal.together('now', () => journal.record(request({ requestId: id, session: id, challenge: id, ...more })));
const settled = async (all: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(all)).map(({ status }) => status);
const ids = (journal: Journal): string[] => journal.visits().map(({ requestId }) => requestId);

test('SQLite: a visit for which the disk has no room is told so, and takes nobody along', async () => {
  const engine = openSqlite(join(folder, 'full.sqlite'), journalKind);
  const journal = open(engine);
  give(journal, ['a', 'b', 'c', 'd']);
  const pages = Number(engine.get('PRAGMA page_count')?.page_count);
  engine.get(`PRAGMA max_page_count = ${pages + 4}`);
  const personal = { ...request().personal, authCertificate: 'x'.repeat(200_000) };
  expect(await settled([record(journal, 'a'), record(journal, 'b', { personal }), record(journal, 'c')])).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
  expect(ids(journal)).toEqual(['a', 'c']);
  expect(await record(journal, 'd')).toMatchObject({ kind: 'recorded' });
  expect(journal.audit.verify()).toEqual({ entries: 3, brokenAt: null });
  journal.close();
  await expect(record(journal, 'late')).rejects.toThrow();
});

if (postgresMissing !== null) console.warn(`skipped: faults of a journal in PostgreSQL: ${postgresMissing}`);

/**
 * Between an agent and its database, on a thread of its own, for the agent's own stands still while it asks. Once told so it lets
 * the next COMMIT through, waits for what the database says to it, and cuts the line instead of handing that on.
 */
const lossy = `
  const { workerData: { port }, parentPort } = require('node:worker_threads');
  const { createServer, connect } = require('node:net');
  let armed = false;
  createServer((near) => {
    const far = connect(port, '127.0.0.1');
    let isCut = false;
    for (const each of [near, far]) each.on('error', () => {}).on('close', () => { near.destroy(); far.destroy(); });
    near.on('data', (bytes) => {
      if (armed && bytes.includes('COMMIT')) { armed = false; isCut = true; }
      far.write(bytes);
    });
    far.on('data', (bytes) => {
      if (!isCut) return void near.write(bytes);
      if (bytes.includes('COMMIT')) near.destroy();
    });
  }).listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address().port); });
  parentPort.on('message', () => { armed = true; parentPort.postMessage('armed'); });`;

describe.skipIf(postgresMissing !== null)('PostgreSQL', () => {
  let server: Postgres;
  beforeAll(async () => {
    server = await Postgres.start();
  });
  afterAll(() => server?.remove());

  const newDatabase = (): { address: string; name: string; keyPath: string } => {
    const name = `f${++places}`;
    mkdirSync(join(folder, name));
    return { address: server.address(name), name, keyPath: join(folder, name, 'journal-key.json') };
  };
  const engineAt = ({ address, keyPath }: { address: string; keyPath: string }): SqlEngine =>
    openPostgres({ address, facility: 'clinic', kind: journalKind, keyPath, personal: personalTables });

  test('a row that the database refuses takes nobody along', async () => {
    const journal = open(engineAt(newDatabase()));
    give(journal, ['a', 'b', 'c']);
    const bad = { session: 'no\0text' };
    expect(await settled([record(journal, 'a'), record(journal, 'b', bad), record(journal, 'c')])).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(ids(journal)).toEqual(['a', 'c']);
    expect(journal.audit.verify()).toEqual({ entries: 2, brokenAt: null });
    journal.close();
  });

  test('a session that the database ends in the midst of a shared commit: all are told, nothing is kept, and the next ones are served', async () => {
    const place = newDatabase();
    const journal = open(engineAt(place));
    give(journal, ['a', 'b', 'c']);
    const end = () =>
      journal.together('now', () => {
        const others = `pid <> pg_backend_pid() AND datname = '${place.name}'`;
        server.sql(place.name, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${others}`);
        return journal.visit('a');
      });
    expect(await settled([record(journal, 'a'), end(), record(journal, 'b')])).toEqual(Array(3).fill('rejected'));
    await vi.waitFor(() => journal.tryWrite(), { timeout: 60_000 });
    expect(ids(journal)).toEqual([]);
    expect(await settled([record(journal, 'a'), record(journal, 'c')])).toEqual(['fulfilled', 'fulfilled']);
    expect(ids(journal)).toEqual(['a', 'c']);
    expect(journal.audit.verify()).toEqual({ entries: 2, brokenAt: null });
    journal.close();
  });

  test('a commit whose answer is lost: nobody is told that it is done; who asks again finds what was kept, once', async () => {
    const place = newDatabase();
    const line = new Worker(lossy, { eval: true, workerData: { port: server.port } });
    const told = (): Promise<unknown> => new Promise((resolve) => line.once('message', resolve));
    const port = await told();
    const journal = open(engineAt({ ...place, address: `postgres://uketsuke@127.0.0.1:${port}/${place.name}` }));
    give(journal, ['a', 'b']);
    line.postMessage('lose');
    await told();
    const both = () => [record(journal, 'a'), record(journal, 'b')];
    expect(await settled(both())).toEqual(['rejected', 'rejected']);
    await vi.waitFor(() => journal.tryWrite(), { timeout: 60_000 });
    expect(ids(journal)).toEqual(['a', 'b']);
    for (const again of await Promise.all(both()))
      expect(again).toMatchObject({ kind: 'repeated', visit: { verdict: 'accepted' } });
    expect(journal.audit.verify()).toEqual({ entries: 2, brokenAt: null });
    journal.close();
    await line.terminate();
  });

  test('a statement that failed and of which nobody took notice: the transaction is not called committed', () => {
    const engine = engineAt(newDatabase());
    const away = 'INSERT INTO put_away (device, since) VALUES (?, ?)';
    expect(() =>
      engine.transaction('now', () => {
        engine.write(away, 'front-1', 1);
        expect(() => engine.get('SELECT 1 / 0')).toThrow();
      }),
    ).toThrow(expect.objectContaining({ code: 'EDATABASE' }));
    expect(engine.all('SELECT * FROM put_away')).toEqual([]);
    engine.transaction('now', () => engine.write(away, 'front-2', 1));
    expect(engine.all('SELECT device FROM put_away')).toEqual([{ device: 'front-2' }]);
    engine.close();
  });

  test('a session that comes up after its question was given up carries nothing of it out, and holds nothing open', async () => {
    const { address, name } = newDatabase();
    server.sql(name, 'CREATE TABLE t (v BIGINT PRIMARY KEY)');
    const holder = connectPostgres(address, '');
    holder.ask('SELECT pg_advisory_lock(7)');
    const late = connectPostgres(address, 'SELECT pg_advisory_lock(7); SELECT pg_advisory_unlock(7)', 500);
    const insert = (v: number) => ({ name: `t${v}`, text: `INSERT INTO t VALUES (${v})`, values: [] });
    expect(() => late.ask('SELECT 1', { begin: 'BEGIN; SELECT 1', before: [insert(1)] })).toThrow('no answer in time');
    holder.ask('SELECT pg_advisory_unlock(7)');
    await vi.waitFor(() => late.ask('INSERT INTO t VALUES (2) ON CONFLICT DO NOTHING'), { timeout: 60_000 });
    // What another sees of it: it is committed, and what was given up is not.
    expect(holder.ask('SELECT v FROM t').rows).toEqual([{ v: 2 }]);
    await vi.waitFor(
      () =>
        expect(
          holder.ask("SELECT count(*) AS open FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'").rows,
        ).toEqual([{ open: 0 }]),
      { timeout: 60_000 },
    );
    late.close();
    holder.close();
    // Nobody waits for a thread that is there no more.
    expect(() => late.ask('SELECT 1')).toThrow('closed');
  });
});
