import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { heedAudit, rotateAudit } from '../../src/agent/journal/heed-audit.ts';
import { Journal, type NewRequest } from '../../src/agent/journal/journal.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { type ExportedLine, verifyExport } from '../../src/storage/audit-chain.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-audit-'));
  path = join(folder, 'journal.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const fill = (journal: Journal, count: number): void => {
  for (let number = 1; number <= count; number += 1)
    journal.atOnce(() => journal.audit.append({ atMs: number, event: 'handed-over', subject: `request-${number}` }));
};
const change = (sql: string): void => {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
};

test('what the journal does stands in the chain, in order', () => {
  const journal = new Journal(path);
  journal.addChallenges('front-1', [{ nonce: 'c1', issuedAt: 1, expiresAt: 900_000 }], 48);
  const request: NewRequest = {
    requestId: 'r1',
    device: 'front-1',
    lane: 1,
    session: 's1',
    kind: 'eligibility',
    method: 'pin',
    documentHash: 'h',
    consents: {},
    challenge: 'c1',
    certificate: '',
    code: undefined,
    issuedAt: 1,
    receivedAt: 2,
    expiresAt: 3,
    personalLifeMs: 1_000,
    personal: { limitApplication: false, approvedDocuments: [], consentTimes: [] },
  };
  journal.record(request);
  journal.record({ ...request, requestId: 'r2' });
  journal.handOver('r1', 4);
  journal.addApproval({ session: 's3', device: 'front-1', approver: 'nurse-1', approvedAt: 5, expiresAt: 9 });
  const told = [...journal.audit.lines()].map(({ event, subject, code }) => [event, subject, code]);
  expect(told).toEqual([
    ['request-accepted', 'r1', undefined],
    ['request-refused', 'r2', 'message.stale'],
    ['handed-over', 'r1', undefined],
    ['approved-by nurse-1', 's3', undefined],
  ]);
  expect(journal.audit.verify()).toEqual({ entries: 4, brokenAt: null });
  journal.close();
});

test('a transaction that was rolled back leaves the chain whole', () => {
  const journal = new Journal(path);
  fill(journal, 2);
  expect(() =>
    journal.atOnce(() => {
      journal.audit.append({ atMs: 9, event: 'handed-over', subject: 'never' });
      throw new Error('the disk is full');
    }),
  ).toThrow('the disk is full');
  fill(journal, 2);
  expect(journal.audit.verify()).toEqual({ entries: 4, brokenAt: null });
  journal.close();
});

test.each([
  ['a changed entry', `UPDATE audit SET subject = 'another' WHERE number = 3`, 3],
  ['a missing entry', 'DELETE FROM audit WHERE number = 2', 2],
  ['the end cut off', 'DELETE FROM audit WHERE number = 5', 5],
  ['the beginning cut off', 'DELETE FROM audit WHERE number = 1', 1],
])('%s is found at its place, told, and left as it is', (_what, sql, place) => {
  const journal = new Journal(path);
  fill(journal, 5);
  change(sql);
  expect(journal.audit.verify().brokenAt).toBe(place);
  const logged: string[] = [];
  const log = createEventLog({ format: 'json', write: (line) => logged.push(line) });
  expect(heedAudit(journal, log, journal.audit.verify())).toBe(false);
  expect(journal.auditFault).toMatchObject({
    code: 'storage.audit-broken',
    actor: 'technician',
    detail: `entry ${place}`,
  });
  expect(logged.map((line) => JSON.parse(line))).toMatchObject([{ event: 'audit.broken', number: place }]);
  journal.close();
});

test('old entries go by count; what is left is a whole chain, and an export still fits to the one before', () => {
  const journal = new Journal(path);
  fill(journal, 30);
  const before = [...journal.audit.lines()];
  rotateAudit(journal, 10);
  fill(journal, 5);
  expect(journal.audit.verify()).toEqual({ entries: 15, brokenAt: null });
  const after = [...journal.audit.lines()];
  expect(after[0]?.number).toBe(21);
  const joined: ExportedLine[] = [...before.filter(({ number }) => number <= 20), ...after];
  expect(verifyExport(joined)).toEqual({ entries: 35, brokenAt: null });
  expect(verifyExport(joined.with(7, { ...(joined[7] as ExportedLine), atMs: 0 })).brokenAt).toBe(8);
  journal.close();
});

test('uketsuke agent audit verify and export, while the agent writes', () => {
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  // What tells a directory of an agent from any other
  writeFileSync(join(folder, 'facility-keys.json'), '{}');
  const journal = new Journal(path);
  fill(journal, 3);
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [main, 'agent', 'audit', ...args], { encoding: 'utf8' });
  expect(run('verify', '--dir', folder)).toMatchObject({ status: 0, stdout: 'whole: 3 entries\n' });
  const exported = join(folder, 'audit.jsonl');
  writeFileSync(exported, execFileSync(process.execPath, [main, 'agent', 'audit', 'export', '--dir', folder]));
  expect(run('verify', '--file', exported)).toMatchObject({ status: 0, stdout: 'whole: 3 entries\n' });
  change('UPDATE audit SET at_ms = 7 WHERE number = 2');
  expect(run('verify', '--dir', folder)).toMatchObject({ status: 1, stdout: 'broken at entry 2, after 1 that fit\n' });
  mkdirSync(join(folder, 'empty'));
  expect(run('verify', '--dir', join(folder, 'empty'))).toMatchObject({ status: 2 });
  journal.close();
});
