import { chownSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { JournalKey } from '../../drivers/journal/journal-key.ts';
import { openPostgres } from '../../drivers/journal/postgres-engine.ts';
import { Postgres, postgresMissing } from '../../scripts/beds/postgres.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { journalKind } from '../../src/agent/journal/journal-kind.ts';
import { journalTables, moveJournal } from '../../src/agent/journal/move-journal.ts';
import { personalTables } from '../../src/agent/journal/personal-columns.ts';
import type { SqlEngine } from '../../src/storage/sql-engine.ts';
import { openSqlite } from '../../src/storage/sqlite-engine.ts';
import { at, journalContract, request } from './journal.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), 'uketsuke-journals-'));
let places = 0;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

journalContract('SQLite', () => {
  const path = join(folder, `${++places}.sqlite`);
  return { open: (steadyMs) => new Journal(path, steadyMs && { steadyMs }) };
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('skipped: a key that root steps on: only root gives files away');
test.skipIf(!isRoot)("a key that root makes or steps on stays the agent's to read", () => {
  const directory = mkdtempSync(join(folder, 'agent-'));
  chownSync(directory, 65_534, 65_534);
  const path = join(directory, 'journal-key.json');
  const key = new JournalKey(path, true);
  expect(statSync(path)).toMatchObject({ uid: 65_534, gid: 65_534 });
  key.stepTo(3);
  expect(statSync(path)).toMatchObject({ uid: 65_534, gid: 65_534 });
});

if (postgresMissing !== null) console.warn(`skipped: the journal in PostgreSQL: ${postgresMissing}`);

describe.skipIf(postgresMissing !== null)('in a database', () => {
  let server: Postgres;
  beforeAll(async () => {
    server = await Postgres.start();
  });
  afterAll(() => server?.remove());

  /** `agent`: each has its own key file; the first one's is copied to the others */
  const openAt = (address: string, keyPath: string, steadyMs = () => 0): Journal =>
    new Journal(openPostgres({ address, facility: 'clinic', kind: journalKind, keyPath, personal: personalTables }), {
      steadyMs,
    });
  const newDatabase = (): { address: string; name: string; keyPath: string } => {
    const name = `j${++places}`;
    mkdirSync(join(folder, name));
    return { address: server.address(name), name, keyPath: join(folder, name, 'journal-key.json') };
  };

  journalContract(
    'PostgreSQL',
    () => {
      const { address, keyPath } = newDatabase();
      return { open: (steadyMs) => openAt(address, keyPath, steadyMs) };
    },
    5,
  );

  test('an agent that stood still, and whose work another has taken: what it has to say afterwards is not written, counted or called its own', () => {
    const { address, keyPath } = newDatabase();
    const [one, other] = [openAt(address, keyPath), openAt(address, keyPath)];
    one.addChallenges('front-1', [{ nonce: 'c1', issuedAt: at, expiresAt: at + 1_000 }], 48);
    one.record(request());
    const stale = one.leases.take('r1', 'agent-1');
    const now = other.leases.take('r1', 'agent-2');
    if (stale === null || now === null) throw new Error('no lease');
    expect(one.finish('r1', { outcome: 'failed', code: 'eligibility.unavailable', at }, stale)).toBeNull();
    expect(one.finish('r1', { outcome: 'not-eligible', qualificationValidity: 2, at }, stale)).toBeNull();
    expect(other.visit('r1')).toMatchObject({ outcome: null, code: null });
    expect(other.usage()).toEqual([]);
    expect(other.finish('r1', { outcome: 'eligible', qualificationValidity: 1, at }, now)).toEqual({
      ...{ failedBefore: false, isAnsweredOtherwise: false },
      visit: other.visit('r1'),
    });
    expect(one.visit('r1')).toMatchObject({ outcome: 'eligible' });
    one.close();
    other.close();
  });

  test('two agents: one document, one row, one answer', () => {
    const { address, keyPath } = newDatabase();
    const [one, other] = [openAt(address, keyPath), openAt(address, keyPath)];
    one.addChallenges('front-1', [{ nonce: 'c1', issuedAt: at, expiresAt: at + 1_000 }], 48);
    expect(other.record(request())).toMatchObject({ kind: 'recorded', visit: { verdict: 'accepted' } });
    expect(one.record(request())).toMatchObject({ kind: 'repeated', visit: { verdict: 'accepted' } });
    expect(one.record(request({ documentHash: 'h2' }))).toEqual({ kind: 'other-document' });
    one.handOver('r1', at);
    expect(other.audit.verify()).toEqual({ entries: 2, brokenAt: null });
    one.close();
    other.close();
  });

  test('a database that goes away takes nothing acknowledged along, holds nobody up, and is found again', async () => {
    const { address, keyPath } = newDatabase();
    const journal = openAt(address, keyPath);
    journal.addChallenges('front-1', [{ nonce: 'c1', issuedAt: at, expiresAt: at + 1_000 }], 48);
    journal.record(request());
    // Nobody calls void what was handed out: this agent lives on.
    journal.addChallenges('front-1', [{ nonce: 'c2', issuedAt: at, expiresAt: at + 1_000 }], 48);
    await server.end('SIGQUIT');
    const beganMs = performance.now();
    for (let times = 0; times < 20; times += 1)
      expect(() => journal.record(request({ requestId: `away-${times}` }))).toThrow(/database/);
    expect(() => journal.tryWrite()).toThrow(expect.objectContaining({ code: 'EDATABASE' }));
    // Refused at once, but for the one that finds it out; a thread that sleeps for each of them would sleep for a minute.
    expect(performance.now() - beganMs).toBeLessThan(30_000);
    await server.run();
    await vi.waitFor(() => journal.tryWrite(), { timeout: 60_000 });
    expect(journal.record(request())).toMatchObject({ kind: 'repeated', visit: { verdict: 'accepted' } });
    expect(journal.visits().map(({ requestId }) => requestId)).toEqual(['r1']);
    expect(journal.record(request({ requestId: 'r2', challenge: 'c2' }))).toMatchObject({
      visit: { verdict: 'accepted' },
    });
    expect(journal.audit.verify().brokenAt).toBe(null);
    journal.close();
  });

  test('who is let in: this facility, with its key, nobody while it is moved', () => {
    const { address, keyPath, name } = newDatabase();
    const open = (more: object) => {
      const start = { address, facility: 'clinic', kind: journalKind, keyPath, personal: personalTables };
      return new Journal(openPostgres({ ...start, ...more }));
    };
    const [journal, other] = [open({ as: 'running' }), open({ as: 'running' })];
    expect(() => open({ as: 'alone' })).toThrow('an agent has this journal open');
    open({}).close();
    journal.close();
    other.close();
    expect(() => open({ facility: 'elsewhere' })).toThrow('storage.not-ours');
    expect(() => open({ keyPath: `${keyPath}.none` })).toThrow('copy it from another agent');
    server.sql(name, 'UPDATE uketsuke.journal_place SET version = 999');
    expect(() => open({})).toThrow('storage.newer');
    expect(() => open({ address: 'postgres://uketsuke@127.0.0.1:1/none' })).toThrow('storage.unwritable');
  });

  test('nothing of a person is in any file of the database; what was deleted is read by nobody once the key has stepped on', () => {
    const { address, keyPath, name } = newDatabase();
    const journal = openAt(address, keyPath);
    const other = `${keyPath}.other`;
    copyFileSync(keyPath, other);
    const fill = (id: string, mark: string): void => {
      journal.addChallenges('front-1', [{ nonce: id, issuedAt: at, expiresAt: at + 1_000 }], 48);
      const personal = { ...request().personal, certificateSerial: `${mark}-serial` };
      journal.record(request({ requestId: id, session: id, challenge: id, personal }));
      journal.rememberToday(id, { referenceNumber: `${mark}-number`, notices: [`${mark}-notice`] }, at);
      journal.names.keep(`${mark}-number`, { Name: `${mark}-name` });
      journal.certificateEnds.see(`${mark}-number`, at, at);
      journal.receiveBulk({ receptionNumber: id, source: id, questions: `${mark}-question` }, 1e9);
    };
    fill('living', 'LIVES');
    fill('gone', 'DELETED');
    const many = Array.from({ length: 300 }, (_, number) => `LIVES-${number}`);
    journal.atOnce(() => {
      for (const each of many) journal.names.keep(each, { Name: each });
    });
    // As whoever stole the files keeps them: cells, and the key of that hour.
    const stolen = server.sql(name, 'SELECT content FROM uketsuke.personal ORDER BY request_id').stdout.split('\n');
    const key = new JournalKey(other, false);
    expect(key.cells.open('personal.content gone', stolen[0] ?? '')).toContain('DELETED-serial');
    expect(() => key.cells.open('personal.content living', stolen[0] ?? '')).toThrow();
    journal.handOver('gone', at);
    journal.names.forget('DELETED-number');
    server.sql(name, "UPDATE uketsuke.journal_place SET stepped_at = now() - interval '2 hours'");
    journal.forgetDeleted();
    server.sql(name, 'CHECKPOINT');
    const files = readdirSync(server.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(100);
    const texts = ['LIVES-', 'DELETED-'];
    for (const { parentPath, name: file } of files) {
      const bytes = readFileSync(join(parentPath, file));
      expect(texts.filter((text) => bytes.includes(text))).toEqual([]);
    }
    // What lives is read as before, also by an agent that was away while the key stepped on.
    const second = openAt(address, other);
    for (const each of [journal, second]) {
      expect(each.personal('living')).toMatchObject({ certificateSerial: 'LIVES-serial' });
      expect(each.names.of('LIVES-number')).toEqual({ Name: 'LIVES-name' });
      expect(many.map((name) => each.names.of(name).Name)).toEqual(many);
      expect(each.todayNotes(['living']).get('living')?.referenceNumber).toBe('LIVES-number');
      expect(each.certificateEnds.since(0).map(({ referenceNumber }) => referenceNumber)).toContain('LIVES-number');
      expect(each.bulkInquiries().map(({ questions }) => questions)).toContain('LIVES-question');
      expect(each.cardSeen('LIVES-number', at)).toBe(true);
    }
    // An hour later: what an agent that is there no more has deleted is nobody's to forget but ours.
    server.sql(name, "UPDATE uketsuke.journal_place SET stepped_at = now() - interval '2 hours'");
    const nowMs = performance.now();
    const later = vi.spyOn(performance, 'now').mockImplementation(() => nowMs + 120_000);
    journal.forgetDeleted();
    later.mockRestore();
    expect(server.sql(name, 'SELECT epoch FROM uketsuke.journal_place').stdout).toBe('3');
    for (const path of [keyPath, other])
      expect(new JournalKey(path, false).cells.open('personal.content gone', stolen[0] ?? '')).toBe(null);
    journal.close();
    second.close();
  });

  test('what is written without waiting is there for whatever follows; what of it fails takes the whole transaction with it', () => {
    const { address, keyPath, name } = newDatabase();
    const place = { address, facility: 'clinic', kind: journalKind, keyPath, personal: personalTables };
    for (const engine of [openPostgres(place), openSqlite(join(folder, `${name}.sqlite`), journalKind)]) {
      const away = (device: string): void =>
        engine.write('INSERT INTO put_away (device, since) VALUES (?, ?)', device, 1);
      const count = () => Number(engine.get('SELECT count(*) AS times FROM put_away')?.times);
      const seen = engine.transaction('now', () => {
        away('front-1');
        away('front-2');
        const between = count();
        away('front-3');
        return between;
      });
      expect([seen, count()]).toEqual([2, 3]);
      // Nothing is asked between the write that fails and the end.
      expect(() =>
        engine.transaction('now', () => {
          away('front-4');
          away('front-1');
          away('front-5');
        }),
      ).toThrow();
      expect(count()).toBe(3);
      engine.transaction('now', () => away('front-6'));
      away('front-7');
      expect(count()).toBe(5);
      engine.close();
    }
  });

  test('an agent that stands still in the midst of a write holds up nobody, and has written nothing when it comes back', async () => {
    const { address, keyPath } = newDatabase();
    const [paused, other] = [openAt(address, keyPath), openAt(address, keyPath)];
    const stand = new Int32Array(new SharedArrayBuffer(4));
    expect(() =>
      paused.atOnce(() => {
        paused.audit.append({ atMs: at, event: 'e', subject: 'paused' });
        Atomics.wait(stand, 0, 0, 3_000);
        paused.audit.append({ atMs: at, event: 'e', subject: 'paused' });
      }),
    ).toThrow();
    other.addChallenges('front-1', [{ nonce: 'c1', issuedAt: at, expiresAt: at + 1_000 }], 48);
    expect(other.record(request())).toMatchObject({ visit: { verdict: 'accepted' } });
    expect([...other.audit.lines()].map(({ subject }) => subject)).toEqual(['r1']);
    await vi.waitFor(() => paused.tryWrite(), { timeout: 60_000 });
    expect(paused.record(request())).toMatchObject({ kind: 'repeated' });
    paused.close();
    other.close();
  });

  test('moved there and back: every row as it was, the chain goes on; nothing is moved onto a journal that is there', () => {
    const { address, keyPath, name } = newDatabase();
    const path = join(folder, `${name}.sqlite`);
    const journal = new Journal(path, { steadyMs: () => 0 });
    journal.addChallenges('front-1', [{ nonce: 'c1', issuedAt: at, expiresAt: at + 1_000 }], 48);
    journal.record(request());
    journal.rememberToday('r1', { referenceNumber: '4711', notices: [] }, at);
    journal.names.keep('4711', { Name: '髙﨑' });
    journal.certificateEnds.see('4711', at, at);
    journal.close();
    const file = openSqlite(path, journalKind);
    const place = { address, facility: 'clinic', kind: journalKind, keyPath, personal: personalTables };
    const database = openPostgres(place);
    const contents = (engine: SqlEngine): unknown =>
      journalTables
        .filter((table) => !table.startsWith('audit'))
        .map((table) => [table, engine.all(`SELECT * FROM ${table}`).map(({ rowid: _, ...row }) => row)]);
    const before = contents(file);
    const moved = moveJournal(file, database, { atMs: at, name: 'database' });
    expect(moved).toMatchObject({ unreadable: 0, chainHolds: true });
    expect(() => moveJournal(file, database, { atMs: at, name: 'database' })).toThrow('a journal lies there already');
    const cell = String(database.get('SELECT content FROM personal')?.content);
    expect(cell).not.toContain('consentTimes');
    expect(new JournalKey(keyPath, false).cells.open('personal.content r1', cell)).toContain('consentTimes');
    const back = openSqlite(join(folder, `${name}-back.sqlite`), journalKind);
    expect(moveJournal(database, back, { atMs: at, name: 'file' })).toEqual({ ...moved, rows: moved.rows + 1 });
    expect(contents(back)).toEqual(before);
    database.leave('a file');
    expect(new JournalKey(keyPath, false).cells.open('personal.content r1', cell)).toBe(null);
    database.close();
    expect(() => openPostgres(place)).toThrow('the journal was moved to a file');
    const again = new Journal(back, { steadyMs: () => 0 });
    expect(again.audit.verify()).toEqual({ entries: 3, brokenAt: null });
    expect(again.names.of('4711')).toEqual({ Name: '髙﨑' });
    expect(again.cardSeen('4711', at)).toBe(true);
    again.close();
    file.close();
  });
});
