import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Journal, type NewRequest } from '../../../src/agent/journal/journal.ts';

/** In which no time passes: a challenge of a second must not run out because the machine is busy. */
const openJournal = (path: string): Journal => new Journal(path, { steadyMs: () => 0 });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-journal-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = Date.UTC(2026, 10, 21, 3);
const request = (more: Partial<NewRequest> = {}): NewRequest => ({
  requestId: 'r1',
  device: 'front-1',
  lane: 1,
  session: 's1',
  kind: 'eligibility',
  documentHash: 'h1',
  method: 'pin',
  consents: { TKK: true },
  challenge: 'c1',
  certificate: '',
  code: undefined,
  issuedAt: at,
  receivedAt: at,
  expiresAt: at + 1_000,
  personal: { limitApplication: false, approvedDocuments: [], consentTimes: [] },
  personalLifeMs: 10_000,
  ...more,
});

test('whatever comes in whatever order, with restarts between: one document an id, one request a challenge', () => {
  const step = fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    hash: fc.constantFrom('1', '2'),
    device: fc.constantFrom('front-1', 'front-2'),
    challenge: fc.constantFrom('x', 'y', 'z', 'unknown'),
    late: fc.boolean(),
    restart: fc.boolean(),
  });
  let run = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      run += 1;
      const path = join(folder, `${run}.sqlite`);
      let journal = openJournal(path);
      journal.addChallenges(
        'front-1',
        ['x', 'y'].map((nonce) => ({ nonce, issuedAt: at, expiresAt: at + 1_000 })),
        48,
      );
      journal.addChallenges('front-2', [{ nonce: 'z', issuedAt: at, expiresAt: at + 1_000 }], 48);
      const owners = { x: 'front-1', y: 'front-1', z: 'front-2' } as Record<string, string>;
      const used = new Set<string>();
      const known = new Map<string, { hash: string; device: string; verdict: string }>();
      for (const { id, hash, device, challenge, late, restart } of steps) {
        if (restart) {
          journal.close();
          journal = openJournal(path);
        }
        const receivedAt = late ? at + 1_001 : at;
        const recorded = journal.record(
          request({ requestId: id, documentHash: hash, device, challenge, receivedAt, expiresAt: at + 1_000 }),
        );
        const first = known.get(id);
        if (first !== undefined) {
          expect(recorded.kind).toBe(first.hash === hash && first.device === device ? 'repeated' : 'other-document');
          continue;
        }
        const good = owners[challenge] === device && !late && !used.has(challenge);
        if (good) used.add(challenge);
        expect(recorded).toMatchObject({
          kind: 'recorded',
          visit: { verdict: good ? 'accepted' : 'refused', code: good ? null : 'message.stale' },
        });
        // What is told about the new row is what stands there.
        expect(recorded.kind === 'recorded' && recorded.visit).toEqual(journal.visit(id));
        known.set(id, { hash, device, verdict: good ? 'accepted' : 'refused' });
      }
      const rows = Object.fromEntries(journal.visits().map((visit) => [visit.requestId, visit.verdict]));
      expect(rows).toEqual(Object.fromEntries([...known].map(([id, { verdict }]) => [id, verdict])));
      expect(
        journal
          .unfinished()
          .map(({ visit }) => visit.requestId)
          .sort(),
      ).toEqual(
        [...known]
          .filter(([, { verdict }]) => verdict === 'accepted')
          .map(([id]) => id)
          .sort(),
      );
      journal.close();
    }),
    { numRuns: 25 },
  );
});

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

test('the oldest open challenges give way, used ones never', () => {
  const journal = openJournal(join(folder, 'a.sqlite'));
  const add = (nonce: string): void =>
    journal.addChallenges('front-1', [{ nonce, issuedAt: at, expiresAt: at + 1_000 }], 2);
  add('used');
  expect(journal.record(request({ challenge: 'used' }))).toMatchObject({ visit: { verdict: 'accepted' } });
  // A few more than may stay go together.
  for (const nonce of ['oldest', 'older', 'middle', 'newest']) add(nonce);
  const outcomes = ['used', 'oldest', 'older', 'middle', 'newest'].map((challenge, number) => {
    const recorded = journal.record(request({ requestId: `again-${number}`, challenge }));
    return recorded.kind === 'recorded' ? recorded.visit.verdict : recorded.kind;
  });
  expect(outcomes).toEqual(['refused', 'refused', 'refused', 'accepted', 'accepted']);
  journal.close();
});

test('counts: a use is counted once, whatever is told again; a month has its own', () => {
  const journal = openJournal(join(folder, 'a.sqlite'));
  const add = (id: string, receivedAt: number): void => {
    journal.addChallenges('front-1', [{ nonce: id, issuedAt: receivedAt, expiresAt: receivedAt + 1_000 }], 48);
    journal.record(
      request({ requestId: id, challenge: id, receivedAt, issuedAt: receivedAt, expiresAt: receivedAt + 1_000 }),
    );
  };
  const nextMonth = Date.UTC(2026, 10, 30, 15); // 1 December, 00:00 JST
  add('one', at);
  add('two', nextMonth);
  for (let times = 0; times < 3; times += 1) {
    journal.finish('one', { outcome: 'eligible', qualificationValidity: 1, at });
    journal.finish('two', { outcome: 'failed', code: 'eligibility.unavailable', at: nextMonth });
  }
  expect(journal.cardUses(at)).toBe(1);
  expect(journal.cardUses(nextMonth)).toBe(0);
  expect(journal.usage()).toMatchObject([
    { month: '202611', outcome: 'eligible', code: '', times: 1 },
    { month: '202612', outcome: 'failed', code: 'eligibility.unavailable', times: 1 },
  ]);
  journal.close();
});

describe('settings', () => {
  const issue = (journal: Journal, contentHash: string, nowMs: number, device = 'front-1') =>
    journal.settingsIssue({ facility: 'clinic', device, contentHash }, nowMs);

  test('the version rises with the content and never goes back; the same content is the same issue', () => {
    const path = join(folder, 'a.sqlite');
    let journal = openJournal(path);
    const first = issue(journal, 'a', at);
    expect(issue(journal, 'a', at + 5_000)).toEqual(first);
    expect(issue(journal, 'b', at + 6_000)).toEqual({ version: first.version + 1, validFrom: at + 6_000 });
    journal.close();
    journal = openJournal(path);
    expect(issue(journal, 'a', at + 7_000).version).toBe(first.version + 2);
    journal.close();
  });

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

  test('a journal whose clock was wrong learns from the terminal what it holds, and goes beyond', () => {
    const journal = openJournal(join(folder, 'a.sqlite'));
    const tooLow = issue(journal, 'a', Date.UTC(2001, 0, 1)).version;
    expect(journal.learnSettingsFloor('front-1', tooLow)).toBe(false);
    expect(journal.learnSettingsFloor('front-1', 2_000_000_000)).toBe(true);
    expect(issue(journal, 'a', at).version).toBe(2_000_000_001);
    expect(journal.learnSettingsFloor('front-1', 2_000_000_001)).toBe(false);
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
  // One second is what the agent is asked again after; it once waited for two at each of these.
  expect(performance.now() - beganMs).toBeLessThan(1_000);
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
