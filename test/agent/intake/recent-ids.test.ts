import { describe, expect, test } from 'vitest';
import { freshNonce } from '../../../src/agent/intake/answer-challenges.ts';
import { LookupMemory } from '../../../src/agent/intake/lookup-memory.ts';
import { RecentIds } from '../../../src/agent/intake/recent-ids.ts';

test('an id is new once, until as many others have come as are kept', () => {
  const ids = new RecentIds(3);
  expect(['a', 'b', 'c'].map((id) => ids.add(id))).toEqual([true, true, true]);
  expect(['a', 'b', 'c'].map((id) => ids.add(id))).toEqual([false, false, false]);
  expect(ids.add('d')).toBe(true);
  expect(['b', 'c', 'd'].map((id) => ids.add(id))).toEqual([false, false, false]);
  expect(ids.add('a')).toBe(true);
});

test('a replay among thousands is told from what is new', () => {
  const ids = new RecentIds();
  for (let number = 0; number < 10_000; number += 1) expect(ids.add(`${number}`)).toBe(true);
  expect(ids.add('0')).toBe(false);
  ids.add('one more');
  expect(ids.add('0')).toBe(true);
});

test('a nonce has 32 bytes, those of one second stand side by side, no two are the same', () => {
  const nowMs = Date.UTC(2026, 10, 18, 1);
  const bytes = (atMs: number): Buffer => Buffer.from(freshNonce(atMs), 'base64url');
  expect(bytes(nowMs)).toHaveLength(32);
  expect(bytes(nowMs).readUInt32BE()).toBe(nowMs / 1000);
  expect(bytes(nowMs + 999).readUInt32BE()).toBe(nowMs / 1000);
  expect(bytes(nowMs + 1_000).readUInt32BE()).toBe(nowMs / 1000 + 1);
  expect(new Set(Array.from({ length: 100 }, () => freshNonce(nowMs))).size).toBe(100);
  // Beyond the seconds that four bytes hold, and before they begin: still a nonce.
  for (const atMs of [Date.UTC(2107, 0, 1), -1_000]) expect(bytes(atMs)).toHaveLength(32);
});

describe('what the lookups of the last minutes told', () => {
  const quarterMs = 15 * 60_000;
  const offered = { id: 'pre-check-in', consents: [{ code: 'TKK', given: true }] };

  test('serves for a quarter of an hour to the millisecond, each for its own card or visit', () => {
    const memory = new LookupMemory();
    memory.noteRevoked('A', 0);
    memory.notePerson('A', { birthdate: '19800217', sex: '2' }, 0);
    memory.noteCertificate('visit', 'hash', 0);
    memory.notePreCheckIn('visit', offered, 0);
    const all = (at: number) => [
      ...[memory.isRevoked('A', at), memory.personOf('A', at), memory.certificateOf('visit', at)],
      memory.preCheckInOf('visit', at),
    ];
    expect(all(quarterMs)).toEqual([true, { birthdate: '19800217', sex: '2' }, 'hash', offered]);
    expect(all(quarterMs + 1)).toEqual([false, undefined, undefined, undefined]);
    expect([memory.isRevoked('B', 0), memory.personOf('B', 0), memory.certificateOf('A', 0)]).toEqual([
      false,
      undefined,
      undefined,
    ]);
    memory.noteCertificate('visit', 'another', quarterMs + 1);
    expect(memory.certificateOf('visit', quarterMs + 1)).toBe('another');
  });

  test('of what was answered beforehand keeps id and answers alone, the newest, and after the request no answer', () => {
    const memory = new LookupMemory();
    memory.notePreCheckIn('visit', { ...offered, lastsMs: 7 } as typeof offered, 0);
    expect(memory.preCheckInOf('visit', 0)).toEqual(offered);
    const other = { id: 'another', consents: [] };
    memory.notePreCheckIn('visit', other, 1);
    expect(memory.preCheckInOf('visit', 1)).toEqual(other);
    memory.notePreCheckIn('visit', offered, 2);
    memory.forgetAnswersBefore('visit', 3);
    expect(memory.preCheckInOf('visit', 3)).toEqual({ ...offered, consents: [] });
    memory.forgetAnswersBefore('nobody', 3);
    expect(memory.preCheckInOf('nobody', 3)).toBeUndefined();
  });
});
