import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { unhurriedStore } from '../../scripts/beds/unhurried-store.ts';
import { Journal } from '../../src/agent/journal/journal.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-deleted-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** How often a text stands in any file of the folder: tables, freed pages, write-ahead log. */
const hits = (text: string): number =>
  readdirSync(folder)
    .map((name) => readFileSync(join(folder, name)))
    .reduce((sum, bytes) => sum + bytes.toString('latin1').split(text).length - 1, 0);

/** Longer than a page, so that parts of it lie on pages of their own, which are freed. */
const canary = (number: number): string => `CANARY-${String(number).padStart(3, '0')}-`.repeat(200);
const parts = Array.from({ length: 40 }, (_, number) => number);

test("the agent's files hold nothing of a person after hand-over, be it in freed pages or in the log", () => {
  let steadyMs = 0;
  const journal = new Journal(join(folder, 'journal.sqlite'), { steadyMs: () => steadyMs });
  const record = (number: number): void => {
    journal.addChallenges('front-1', [{ nonce: `c${number}`, issuedAt: 1, expiresAt: 900_000 }], 48);
    journal.record({
      ...{ requestId: `r${number}`, device: 'front-1', lane: 1, session: 's', kind: 'eligibility', method: 'pin' },
      ...{ documentHash: 'h', consents: {}, challenge: `c${number}`, certificate: '', code: undefined },
      ...{ issuedAt: 1, receivedAt: 2, expiresAt: 3, personalLifeMs: 1_000 },
      personal: {
        ...{ authCertificate: canary(number), limitApplication: false, approvedDocuments: [], consentTimes: [] },
      },
    });
  };
  for (const number of parts) record(number);
  expect(hits('CANARY-')).toBeGreaterThan(parts.length * 150);
  for (const number of parts.slice(0, 20)) journal.handOver(`r${number}`, 3);
  for (const number of parts.slice(20, 30)) journal.giveUp(`r${number}`, 3);
  steadyMs = 5_000;
  expect(journal.sweep()).toHaveLength(10);
  journal.forgetDeleted();
  expect(hits('CANARY-')).toBe(0);
  journal.close();
  expect(hits('CANARY-')).toBe(0);
});

test("the terminal's files hold nothing of a sealed request once it has left", async () => {
  const store = unhurriedStore(join(folder, 'link.sqlite'));
  const sealed = (number: number) => new TextEncoder().encode(canary(number));
  for (const number of parts)
    await store.addOutboxRow({
      ...{ requestId: `r${number}`, session: 's', documentHash: 'h', sealed: sealed(number) },
      ...{ visitMark: null, createdAtMs: number, expiresAtMs: 9 },
    });
  expect(hits('CANARY-')).toBeGreaterThan(parts.length * 150);
  for (const number of parts)
    await store.removeOutboxRow(`r${number}`, { atMs: 5, event: 'receipt-accepted', subject: `r${number}` });
  // Within a second or two of the last row.
  await until('the files without them', () => hits('CANARY-') === 0);
  await store.close();
  expect(hits('CANARY-')).toBe(0);
});
