import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { linkBed } from '../../scripts/beds/link-bed.ts';
import { MemoryBroker } from '../../scripts/beds/memory-bus.ts';
import { MemoryStore } from '../../scripts/beds/memory-store.ts';
import { unhurriedStore } from '../../scripts/beds/unhurried-store.ts';
import { openSimulatedStore, StoredRows } from '../../scripts/trials/simulate/simulated-store.ts';
import { Kernel } from '../../scripts/trials/simulate/stand-ins/kernel.ts';
import type { StoreNews } from '../../src/storage/open-store.ts';
import { storeContract } from './store.ts';

// Bounds for a machine that does ten other things; none of these waits when all is well.
vi.setConfig({ testTimeout: 120_000 });

const directory = mkdtempSync(join(tmpdir(), 'uketsuke-store-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;
const newPath = (): string => join(directory, `store-${++files}.db`);

/** A store whose answers are waited for as long as a busy machine needs. */

storeContract('SQLite', async () => {
  const path = newPath();
  const first = unhurriedStore(path);
  return {
    store: first,
    reopen: async () => {
      await first.close();
      return unhurriedStore(path);
    },
  };
});

storeContract('memory, the stand-in of other tests', async () => {
  const store = new MemoryStore();
  return { store, reopen: async () => store };
});

storeContract('the model of the simulator', async () => {
  const [kernel, disk] = [new Kernel('contract', false), new StoredRows()];
  const open = () => openSimulatedStore(kernel, null, disk);
  return { store: open(), reopen: async () => open() };
});

storeContract('SQLite by way of the link', async () => {
  const path = newPath();
  const bus = new MemoryBroker().connect('front-1');
  let sqlite = unhurriedStore(path);
  const bed = linkBed({ bus, store: sqlite });
  const close = async (): Promise<void> => {
    await bed.close();
    await sqlite.close();
  };
  const store = { ...bed.store, close };
  return {
    store,
    reopen: async () => {
      await bed.stop();
      await sqlite.close();
      sqlite = unhurriedStore(path);
      bed.start({ bus, store: sqlite });
      return store;
    },
  };
});

const writer = new URL('../../scripts/beds/store-writer.ts', import.meta.url).pathname;
const linesOf = (child: ChildProcess): AsyncIterable<string> => {
  if (child.stdout === null) throw new Error('no stdout');
  return createInterface({ input: child.stdout });
};

describe('SQLite store under faults', () => {
  test('kill -9 in mid-write: every row that was acknowledged is there, and the audit chain is whole', async () => {
    const path = newPath();
    const acknowledged: string[] = [];
    for (let round = 0; round < 5; round++) {
      const child = spawn(process.execPath, [writer, path], { stdio: ['ignore', 'pipe', 'inherit'] });
      const limit = acknowledged.length + 20 + round * 7;
      for await (const line of linesOf(child)) {
        acknowledged.push(line);
        if (acknowledged.length >= limit) child.kill('SIGKILL');
      }
    }
    const store = unhurriedStore(path);
    const rows = await store.outboxRows();
    const kept = new Set(rows.ok ? rows.value.map(({ requestId }) => requestId) : []);
    expect(acknowledged.length).toBeGreaterThan(100);
    expect(acknowledged.filter((requestId) => !kept.has(requestId))).toEqual([]);
    expect(await store.firstBrokenAuditEntry()).toEqual({ ok: true, value: null });
    await store.close();
  });

  test('killed between a row and its audit entry: the next start writes the entry, and the chain is whole', async () => {
    const path = newPath();
    const store = unhurriedStore(path);
    await store.outboxRows();
    await store.close();
    const database = new DatabaseSync(path);
    database.exec(
      `INSERT INTO outbox (request_id, session, document_hash, sealed, created_at_ms, expires_at_ms) VALUES ('r1', 's1', 'h', x'00', 5, 9)`,
    );
    const next = unhurriedStore(path);
    await next.removeOutboxRow('r1', { atMs: 7, event: 'receipt-accepted', subject: 'r1' });
    expect(await next.firstBrokenAuditEntry()).toEqual({ ok: true, value: null });
    await next.close();
    const entries = database.prepare('SELECT at_ms, event, subject FROM audit ORDER BY number').all();
    database.close();
    expect(entries.map((entry) => ({ ...entry }))).toEqual([
      { at_ms: 5, event: 'request-stored', subject: 'r1' },
      { at_ms: 7, event: 'receipt-accepted', subject: 'r1' },
    ]);
  });

  const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;
  if (!canMount) console.warn('skipped: "a full disk" needs root and unshare -m to mount a small file system');
  test.skipIf(!canMount)(
    'a full disk: the write is refused as such, what was acknowledged stays, and it goes on when there is room',
    () => {
      const mountPoint = join(directory, 'small');
      mkdirSync(mountPoint);
      const script = new URL('../../scripts/beds/store-on-full-disk.ts', import.meta.url).pathname;
      const command = `mount -t tmpfs -o size=600k none ${mountPoint} && exec ${process.execPath} ${script} ${mountPoint}`;
      const run = spawnSync('unshare', ['-m', 'sh', '-c', command], { encoding: 'utf8' });
      expect(run.stderr.replaceAll(/.*ExperimentalWarning.*\n.*\n/g, '')).toBe('');
      expect(JSON.parse(run.stdout)).toEqual({
        refusedWith: 'delivery.store-failed',
        lost: 0,
        writesAgain: true,
        audit: null,
      });
    },
  );

  test.each([
    ['deleted', (path: string) => rmSync(path), 'deleted'],
    ['replaced by an older copy', (path: string) => renameSync(`${path}.copy`, path), 'put-in-place'],
    ['deleted with its folder', (path: string) => rmSync(dirname(path), { recursive: true }), 'deleted'],
  ])(
    'a file that is %s while it is open: told, and every row is there at the next start',
    async (_what, harm, said) => {
      const path = join(directory, `place-${++files}`, 'link.sqlite');
      const heard: StoreNews[] = [];
      const row = (requestId: string) => ({
        ...{ requestId, session: 's', documentHash: 'h', sealed: new Uint8Array([1]), visitMark: null },
        ...{ createdAtMs: 5, expiresAtMs: 9 },
      });
      const store = unhurriedStore(path, (news) => heard.push(news));
      await store.addOutboxRow(row('before'));
      new DatabaseSync(path).prepare('VACUUM INTO ?').run(`${path}.copy`);
      await store.raiseSettings(7, new Uint8Array([7]), 6);
      harm(path);
      // Nobody writes; it is noticed all the same.
      await vi.waitFor(() => expect(heard).toMatchObject([{ failure: { code: 'storage.taken-away' } }]), 20_000);
      expect(heard[0]).toMatchObject({ type: 'put-back', failure: { detail: expect.stringContaining(said) } });
      // The next one is found by the write itself.
      renameSync(path, `${path}.away`);
      await store.addOutboxRow(row('after'));
      // What is written down for good goes on in the file that lies there now.
      expect(await store.raiseSettings(8, new Uint8Array([8]), 7)).toEqual({ ok: true, value: true });
      await store.close();
      const next = unhurriedStore(path);
      expect(await next.outboxRows()).toMatchObject({ value: [{ requestId: 'after' }, { requestId: 'before' }] });
      expect(await next.readSettings()).toMatchObject({ value: { version: 8 } });
      expect(await next.firstBrokenAuditEntry()).toEqual({ ok: true, value: null });
      await next.close();
    },
  );

  test('a file that is no database: every call answers with a failure, none throws', async () => {
    const path = join(directory, 'a-folder');
    mkdirSync(path);
    const store = unhurriedStore(path);
    expect(await store.outboxRows()).toMatchObject({ ok: false, failure: { code: 'storage.unwritable' } });
    expect(await store.readSettings()).toMatchObject({ ok: false, failure: { code: 'storage.unwritable' } });
    await store.close();
  });

  const tampering: readonly [string, string, number][] = [
    ['a changed entry', `UPDATE audit SET subject = 'another' WHERE number = 3`, 3],
    ['a deleted entry', 'DELETE FROM audit WHERE number = 2', 2],
    [
      'two entries swapped',
      'UPDATE audit SET number = -number WHERE number IN (2, 4); UPDATE audit SET number = 6 + number WHERE number < 0',
      2,
    ],
    ['the end cut off', 'DELETE FROM audit WHERE number = 5', 5],
    ['an entry added by hand', `INSERT INTO audit VALUES (6, 1, 'request-expired', 'x', NULL, 'y')`, 6],
  ];
  test.each(tampering)('the audit chain shows %s and where', async (_what, sql, place) => {
    const path = newPath();
    const store = unhurriedStore(path);
    for (const version of [1, 2, 3, 4, 5]) await store.raiseSettings(version, new Uint8Array([version]), version);
    expect(await store.firstBrokenAuditEntry()).toEqual({ ok: true, value: null });
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
    expect(await store.firstBrokenAuditEntry()).toEqual({ ok: true, value: place });
    await store.close();
  });
});
