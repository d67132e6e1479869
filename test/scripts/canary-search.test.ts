import { describe, expect, test } from 'vitest';
import { needlesOf, searchContent, searchFor } from '../../scripts/beds/canary-search.ts';
import { changedRuns } from '../../scripts/beds/process-memory.ts';
import { anyPicture } from '../../scripts/trials/leaks/any-picture.ts';
import { isFoundIn, writeCarelessly } from '../../scripts/trials/leaks/careless-writers.ts';

/** Bytes and numbers that no other content has, the same in every run */
const noise = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (Math.imul(at + 1, 0x9e3779b1) >>> 13) & 255);
const canaries = [
  { what: 'name', text: '舞名　花子' },
  { what: 'number', text: '55021720350217' },
  { what: 'photo', bytes: noise(16_000) },
  { what: 'embedding', floats: Float32Array.from(noise(512), (byte, at) => (byte - 127 + at / 1_000) / 997) },
] as const;
const search = searchFor(needlesOf([...canaries, ...anyPicture]));

test('whatever careless code writes of a canary, however it is packed, encoded or printed, is found', async () => {
  // Every writer of each of the four
  const written = await writeCarelessly(canaries, 100);
  expect(written.length).toBe(100);
  const missed = written.filter((each) => !isFoundIn(search, each));
  expect(missed.map(({ what, name }) => `${what} as ${name}`)).toEqual([]);
});

test('two digits a byte, the second one first, is a form of a number', () => {
  const swapped = Buffer.from('55021720350217', 'hex');
  expect(swapped.length).toBe(7);
  const number = searchFor(needlesOf([{ what: 'number', text: '55207102532071' }]));
  expect(number(Buffer.concat([noise(9), swapped])).map(({ encoding }) => encoding)).toEqual(['packed BCD, swapped']);
});

test('what is none of it is not taken for it', () => {
  expect(searchContent(search, Buffer.from('{"name":"舞名","number":"5502172035021"}'))).toEqual([]);
  expect(searchContent(search, noise(40).subarray(0, 15))).toEqual([]);
});

describe('pages that were looked at before', () => {
  const pages = Buffer.concat([noise(4_096), noise(8_192).subarray(4_096), Buffer.alloc(4_096)]);
  test('all that hold something, the first time', () => {
    expect([...changedRuns(pages, undefined)].map(({ length }) => length)).toEqual([8_192 + 512]);
  });
  test('none that is as it was', () => {
    expect([...changedRuns(pages, Buffer.from(pages))]).toEqual([]);
  });
  test('what lies across the seam of a page that changed and one that did not', () => {
    const now = Buffer.from(pages);
    now.write('across', 4_096 - 3);
    const before = Buffer.from(now);
    before.write('zzz', 4_096);
    expect([...changedRuns(now, before)].map((run) => run.includes('across'))).toEqual([true]);
  });
});
