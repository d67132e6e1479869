import { copyFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Lease } from '../../../src/agent/journal/leases.ts';
import { writeOnce } from '../../../src/agent/oqs-folder/write-once.ts';

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
const write = (of: Lease, leases = holding) => writeOnce(folder, 'a.xml', Buffer.from(of.agent), of, leases);
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
