import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Journal } from '../../../src/agent/journal/journal.ts';
import { journalKind } from '../../../src/agent/journal/journal-kind.ts';
import { openSqlite } from '../../../src/storage/sqlite-engine.ts';
import { at, request } from '../../contract/journal.ts';

/** In which no time passes: a challenge of a second must not run out because the machine is busy. */
const openJournal = (path: string): Journal => new Journal(path, { steadyMs: () => 0 });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-journal-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('what was recorded when the process was killed is there: nothing acknowledged is lost', async () => {
  const writer = `
    import { Journal } from '${new URL('../../../src/agent/journal/journal.ts', import.meta.url).pathname}';
    const journal = new Journal(process.argv[1], { steadyMs: () => 0 });
    for (let number = 0; ; number += 1) {
      journal.addChallenges('front-1', [{ nonce: 'c' + number, issuedAt: ${at}, expiresAt: ${at + 1_000} }], 48);
      journal.record({ ...${JSON.stringify(request())}, code: undefined, requestId: 'r' + number, challenge: 'c' + number });
      process.stdout.write(number + '\\n');
    }`;
  const path = join(folder, 'killed.sqlite');
  const child = spawn(process.execPath, ['--input-type=module', '-e', writer, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let acknowledged = -1;
  for await (const line of createInterface(child.stdout)) {
    acknowledged = Number(line);
    if (acknowledged === 100) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  const journal = openJournal(path);
  const ids = new Set(journal.visits().map(({ requestId }) => requestId));
  for (let number = 0; number <= acknowledged; number += 1) expect(ids.has(`r${number}`), `r${number}`).toBe(true);
  expect(acknowledged).toBeGreaterThanOrEqual(100);
  journal.close();
});

test('what was deleted is wiped: by whoever opens the journal next, and again where the disk refused', () => {
  const engine = openSqlite(join(folder, 'wiped.sqlite'), journalKind);
  let wiped = 0;
  const journal = new Journal({
    ...engine,
    transactionForgetting: (work) => {
      engine.transaction('now', work);
      throw new Error('disk I/O error');
    },
    forget: () => {
      wiped += 1;
      return engine.forget();
    },
  });
  for (let round = 0; round < 3; round += 1) journal.forgetDeleted();
  expect(wiped).toBe(1);
  expect(() => journal.handOver('r1', at)).toThrow('disk I/O error');
  for (let round = 0; round < 3; round += 1) journal.forgetDeleted();
  expect(wiped).toBe(2);
  journal.close();
});

describe('settings', () => {
  const issue = (journal: Journal, contentHash: string, nowMs: number, device = 'front-1') =>
    journal.settingsIssue({ facility: 'clinic', device, contentHash }, nowMs);

  test('a lost journal begins above everything that was counted before', () => {
    const path = join(folder, 'a.sqlite');
    let journal = openJournal(path);
    issue(journal, 'a', at);
    const before = issue(journal, 'b', at + 1_000).version;
    journal.close();
    for (const part of ['', '-wal', '-shm']) rmSync(path + part, { force: true });
    journal = openJournal(path);
    expect(issue(journal, 'b', at + 60_000).version).toBeGreaterThan(before);
    journal.close();
  });
});

test('somebody who looks through an export holds up no visit, and what was deleted goes once he has done', () => {
  const path = join(folder, 'a.sqlite');
  const journal = openJournal(path);
  journal.record(request());
  const reader = new Journal(path, { readOnly: true });
  const looking = reader.audit.lines()[Symbol.iterator]();
  looking.next();
  const beganMs = performance.now();
  journal.handOver('r1', at);
  journal.forgetDeleted();
  // It once waited for two seconds at each of these.
  expect(performance.now() - beganMs).toBeLessThan(3_800);
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
  looking.return?.(undefined);
  reader.close();
  journal.forgetDeleted();
  expect(statSync(`${path}-wal`).size).toBe(0);
  journal.close();
});

test('another process reads while this one writes', () => {
  const path = join(folder, 'a.sqlite');
  const journal = openJournal(path);
  const reader = new Journal(path, { readOnly: true });
  journal.addChallenges('front-1', [{ nonce: 'c1', issuedAt: at, expiresAt: at + 1_000 }], 48);
  journal.record(request());
  expect(reader.visits()).toMatchObject([{ requestId: 'r1', verdict: 'accepted', consents: { TKK: true } }]);
  expect(() => reader.reject('front-1', 'message.forged', 1, at)).toThrow();
  reader.close();
  journal.close();
});
