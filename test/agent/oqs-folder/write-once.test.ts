import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Lease } from '../../../src/agent/journal/leases.ts';
import { removeReady, writeOnce } from '../../../src/agent/oqs-folder/write-once.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-once-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lease = (fence: number, more: Partial<Lease> = {}): Lease => ({
  ...{ requestId: 'r1', agent: `agent-${fence}`, fence, marked: null, file: null },
  ...more,
});
const holding = { holds: () => true, mark: () => true };
const write = (of: Lease, leases = holding, tries = { isReady: false }) =>
  writeOnce(folder, 'a.xml', Buffer.from(of.agent), of, Object.assign(tries, leases));
const there = (): string[] => readdirSync(folder).sort();

/** What the first agent had ready when it stood still, said to be about to take its name or not. */
const stoodStill = async (): Promise<string> => {
  let ready = '';
  const keep = join(folder, '..', `kept-${process.pid}`);
  const stops = {
    holds: () => false,
    mark: () => {
      ready = there()[0] ?? '';
      copyFileSync(join(folder, ready), keep);
      return false;
    },
  };
  expect(await write(lease(1), stops)).toEqual({ ok: true, value: 'lost' });
  expect(there()).toEqual([]);
  renameSync(keep, join(folder, ready));
  return ready;
};

test('one agent: the file is there, whole, and nothing beside it', async () => {
  expect(await write(lease(1))).toEqual({ ok: true, value: 'written' });
  expect(there()).toEqual(['a.xml']);
});

test.each([2, 3])(
  'taken over (fence %d) before the first one said that it was about to: what it had ready is gone, and it finds nothing to name',
  async (fence) => {
    const ready = await stoodStill();
    expect(await write(lease(fence))).toEqual({ ok: true, value: 'written' });
    expect(there()).toEqual(['a.xml']);
    expect(readFileSync(join(folder, 'a.xml'), 'utf8')).toBe(`agent-${fence}`);
    expect(() => renameSync(join(folder, ready), join(folder, 'a.xml'))).toThrow('ENOENT');
  },
);

test('taken over after that: its own rename is made for it, and succeeds once', async () => {
  const ready = await stoodStill();
  expect(await write(lease(2, { marked: 1, file: 'a.xml' }))).toEqual({ ok: true, value: 'written' });
  expect(readFileSync(join(folder, 'a.xml'), 'utf8')).toBe('agent-1');
  expect(() => renameSync(join(folder, ready), join(folder, 'a.xml'))).toThrow('ENOENT');
});

test('taken over after the file took its name, and the レセコン took it away: it is not written a second time', async () => {
  expect(await write(lease(3, { marked: 1, file: 'a.xml' }))).toEqual({ ok: true, value: 'written' });
  expect(there()).toEqual([]);
});

const failing = (): boolean => {
  throw Object.assign(new Error('commit unknown'), { code: 'EDATABASE' });
};

const hindrances: readonly [string, () => unknown, () => boolean][] = [
  ['its name could not be taken', () => mkdirSync(join(folder, 'a.xml')), () => true],
  ['nobody knows whether the journal has it', () => {}, failing],
];
test.each(hindrances)(
  'said to be about to take its name, and then %s: whoever takes over writes it',
  async (_, hinder, mark) => {
    hinder();
    expect((await write(lease(1), { ...holding, mark })).ok).toBe(false);
    rmSync(join(folder, 'a.xml'), { recursive: true, force: true });
    expect(await write(lease(2, { marked: 1, file: 'a.xml' }))).toEqual({ ok: true, value: 'written' });
    expect(there()).toEqual(['a.xml']);
  },
);

test('the same agent tries again: once, whole; also where its name had been taken without its knowing', async () => {
  const tries = { isReady: false };
  const again = (leases: typeof holding = holding): ReturnType<typeof write> => write(lease(1), leases, tries);
  expect((await again({ ...holding, mark: failing })).ok).toBe(false);
  expect(await again()).toEqual({ ok: true, value: 'written' });
  expect(there()).toEqual(['a.xml']);
  rmSync(join(folder, 'a.xml'));
  expect(await again()).toEqual({ ok: true, value: 'written' });
  expect(there()).toEqual([]);
});

test('a folder that is not there has given no file its name', async () => {
  rmSync(folder, { recursive: true });
  expect((await write(lease(2, { marked: 1, file: 'a.xml' }))).ok).toBe(false);
});

test('of what will not be written nothing stays', async () => {
  expect((await write(lease(1), { ...holding, mark: failing })).ok).toBe(false);
  expect(there()).toHaveLength(1);
  await removeReady(folder, lease(1));
  expect(there()).toEqual([]);
});
