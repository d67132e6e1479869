import { expect, test } from 'vitest';
import { LookupMemory } from '../../../src/agent/intake/lookup-memory.ts';

const quarterMs = 15 * 60_000;

test("a hospital's morning: three thousand lookups later the first visit is still compared with its card", () => {
  const memory = new LookupMemory();
  for (let number = 0; number < 3_000; number += 1)
    memory.noteCertificate(`session-${number}`, `card-${number}`, number);
  expect(memory.certificateOf('session-0', 3_000)).toBe('card-0');
  memory.noteCertificate('session-0', 'another', 3_000);
  expect(memory.certificateOf('session-0', 3_000)).toBe('card-0');
});

test('what has had its quarter of an hour is forgotten; what is told again lasts from then on; there is an end to how much', () => {
  const memory = new LookupMemory();
  memory.noteRevoked('A', 0);
  memory.noteRevoked('B', 1);
  memory.noteRevoked('A', quarterMs / 2);
  memory.noteRevoked('C', quarterMs + 2);
  expect(['A', 'B'].map((serial) => memory.isRevoked(serial, quarterMs + 2))).toEqual([true, false]);
  for (let number = 0; number < 17_000; number += 1) memory.noteRevoked(`${number}`, quarterMs + 3);
  expect(memory.isRevoked('A', quarterMs + 3)).toBe(false);
  expect(memory.isRevoked('16999', quarterMs + 3)).toBe(true);
});

test('where there are too many the one that was told longest ago is forgotten, whenever it was first told', () => {
  const most = 16_384;
  const memory = new LookupMemory();
  const isKnown = (number: number) => memory.isRevoked(String(number), 0);
  for (const number of [0, 1, 0]) memory.noteRevoked(String(number), 0);
  for (let number = 2; number < most; number += 1) memory.noteRevoked(String(number), 0);
  expect([0, 1].map(isKnown)).toEqual([true, true]);
  memory.noteRevoked('one more', 0);
  expect([0, 1, 2].map(isKnown)).toEqual([true, false, true]);
});
