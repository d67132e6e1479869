import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../../../scripts/beds/free-port.ts';
import { SimulatedClock } from '../../../scripts/beds/simulated-clock.ts';
import { Journal } from '../../../src/agent/journal/journal.ts';
import { awaitJournal } from '../../../src/agent/staff-page/await-journal.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { createEventLog } from '../../../src/log/event-log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-await-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a journal of a later release: staff read why and who mends it, and work begins when the file is put right', async () => {
  const path = join(folder, 'journal.sqlite');
  new Journal(path).close();
  const later = new DatabaseSync(path);
  later.exec('PRAGMA user_version = 999');
  later.close();
  const port = await freePort();
  const clock = new SimulatedClock();
  const logged: string[] = [];
  const waits: string[] = [];
  const opening = awaitJournal({
    open: () => new Journal(path),
    port,
    catalogue: () => catalogueAt(clock.now().wallMs),
    clock,
    log: createEventLog({ format: 'json', write: (line) => logged.push(line) }),
    waiting: (code) => waits.push(code),
  });
  let told: Response | null = null;
  for (let tries = 0; told === null && tries < 200; tries += 1) {
    told = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(told?.status).toBe(503);
  // Told once the page serves, not again and again.
  expect(waits).toEqual(['storage.newer']);
  // In the product's own letters, as the page that staff know.
  expect((await fetch(`http://127.0.0.1:${port}/staff-page.css`)).status).toBe(200);
  const text = (await told?.text()) ?? '';
  expect(text).toContain('storage.newer');
  expect(text).toContain(path);
  expect(text).toContain('保守の担当者に連絡する');
  await clock.advance(20_000, async () => {});
  expect(waits).toEqual(['storage.newer']);
  rmSync(path);
  mkdirSync(path);
  await clock.advance(6_000, async () => {});
  expect(waits).toEqual(['storage.newer', 'storage.unwritable']);
  rmdirSync(path);
  await clock.advance(6_000, async () => {});
  const journal = await opening;
  expect(journal.visits()).toEqual([]);
  expect(logged.map((line) => JSON.parse(line))).toMatchObject([
    { event: 'store.failed', code: 'storage.newer' },
    { event: 'store.failed', code: 'storage.unwritable' },
  ]);
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  journal.close();
});
