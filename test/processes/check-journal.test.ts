import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { agentConfigSchema } from '../../src/processes/agent-config.ts';
import { watchJournal } from '../../src/processes/check-journal.ts';
import { journalOf } from '../../src/processes/open-journal.ts';
import { isKnownWhole, noteClosed, noteOpened } from '../../src/storage/known-whole.ts';
import { Unopened } from '../../src/storage/sqlite-engine.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-look-'));
  path = join(folder, 'journal.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (): Journal => new Journal(path, { checks: true });
const fill = (journal: Journal): void =>
  journal.atOnce(() => {
    for (let number = 0; number < 300; number += 1)
      journal.audit.append({ atMs: number, event: 'request-accepted', subject: `request-${number}` });
  });
const closed = (): void => {
  const journal = open();
  fill(journal);
  journal.close();
};
/** A page of the chain, by another hand; `isSeen`: its date says so, else the record is made to know the file as it is now. */
const breakPage = (isSeen: boolean): void => {
  const whole = new DatabaseSync(path, { readOnly: true });
  const [, , leaf] = whole.prepare(`SELECT pageno FROM dbstat WHERE name = 'audit' AND pagetype = 'leaf'`).all();
  whole.close();
  for (const part of ['-wal', '-shm']) rmSync(`${path}${part}`, { force: true });
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(512, 0xff), 0, 512, (Number(leaf?.pageno) - 1) * 512);
  closeSync(file);
  if (isSeen) utimesSync(path, 1, 1);
  else noteClosed(path);
};
const logged: string[] = [];
const log = createEventLog({ format: 'json', write: (line) => logged.push(line) });
/** Resolves once the look has said what it found. */
const look = async (journal: Journal): Promise<{ ended: number }> => {
  let [ended, told] = [0, 0];
  const parts = {
    ...{ journal, log },
    changed: () => {
      told += 1;
    },
    endNow: () => {
      ended += 1;
    },
  };
  const watch = watchJournal({ file: path }, parts, 0);
  await until('a look', () => told > 0);
  watch.close();
  return { ended };
};

test('closed in order: what no start has looked at is found broken while it runs, and mended by the next start', async () => {
  closed();
  breakPage(false);
  const journal = open();
  expect(journal.news).toEqual([]);
  expect(await look(journal)).toMatchObject({ ended: 1 });
  expect(journal.damage).toMatchObject({ code: 'storage.damaged', detail: expect.stringContaining(path) });
  expect(logged.at(-1)).toContain('store.damaged');
  // Ended at once: nobody closes it.
  const next = open();
  expect(next.news).toMatchObject([{ type: 'set-aside', failure: { code: 'storage.damaged' } }]);
  next.close();
  journal.close();
});

test('a chain that was cut is told, and the file stays', async () => {
  closed();
  const journal = open();
  expect(await look(journal)).toMatchObject({ ended: 0 });
  expect([journal.damage, journal.auditFault]).toEqual([null, null]);
  const other = new DatabaseSync(path);
  other.exec('DELETE FROM audit WHERE number = 7');
  other.close();
  expect(await look(journal)).toMatchObject({ ended: 0 });
  expect(journal.auditFault).toMatchObject({ code: 'storage.audit-broken', detail: 'entry 7' });
  journal.close();
});

test('what another hand has written to is looked at before anybody reads it', () => {
  closed();
  breakPage(true);
  const journal = open();
  expect(journal.news).toMatchObject([{ type: 'set-aside' }]);
  journal.close();
});

test('killed on a machine that runs on: looked at afterwards. The power went, or nobody knows: looked at first', () => {
  expect(isKnownWhole(path)).toBe(false);
  const killed = open();
  fill(killed);
  expect(isKnownWhole(path)).toBe(true);
  expect(isKnownWhole(path, 'another start')).toBe(false);
  noteOpened(path, '1000');
  expect([isKnownWhole(path, '1003'), isKnownWhole(path, '1010')]).toEqual([true, false]);
  killed.close();
  expect(isKnownWhole(path, 'another start')).toBe(true);
  const record = readFileSync(`${path}-known`, 'utf8');
  expect(record).toMatch(/^closed/);
  rmSync(`${path}-known`);
  expect(isKnownWhole(path)).toBe(false);
});

test('whoever watches over the agent is told, before its file is opened, how long that may take', () => {
  closed();
  const config = { ...agentConfigSchema.parse({}), journal: path };
  const told: number[] = [];
  const opened = () => journalOf(folder, 'clinic', config, { checks: true, opening: (ms) => told.push(ms) }).close();
  const { size } = statSync(path);
  expect(size).toBeGreaterThan(10_000);
  opened();
  rmSync(path);
  opened();
  // A second for each MB; of what is not there yet, none.
  expect(told).toEqual([Math.ceil(size / 1e3), 0]);
});

test('a place of which nothing can be told does not end the agent: its page says why', () => {
  const told: number[] = [];
  // Longer than any file system takes a name
  const config = { ...agentConfigSchema.parse({}), journal: join(folder, 'x'.repeat(300)) };
  const opened = () => journalOf(folder, 'clinic', config, { checks: true, opening: (ms) => told.push(ms) });
  expect(opened).toThrow(Unopened);
  expect(told).toEqual([0]);
});

test('a record that cannot be written, nor taken away, keeps no journal from being opened and closed', () => {
  mkdirSync(`${path}-known`);
  closed();
  expect(isKnownWhole(path)).toBe(false);
});
