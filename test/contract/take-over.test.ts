import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../systemd/device/take-over', import.meta.url));
let folder: string;
const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text, { mode: 0o755 });
};
const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
/** Exit status */
const takeOver = (from: string, to: string): number | null => {
  const env = { PATH: `${folder}:${process.env.PATH}`, UKETSUKE_SLOTS: join(folder, 'slots') };
  return spawnSync(script, [from, to], { env, timeout: 10_000 }).status;
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-take-over-'));
  put('systemctl', '#!/bin/sh\n');
  put('slots/a/var/lib/uketsuke-link/link.sqlite', 'outbox of a');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('what the terminal knows, for the slot on trial', () => {
  it('is what the standard slot knows, and nothing of an earlier trial; that one stays', () => {
    put('slots/b/var/lib/uketsuke-link/of-an-earlier-trial', '');
    expect(takeOver('a', 'b')).toBe(0);
    for (const slot of ['a', 'b']) {
      expect(readdirSync(join(folder, `slots/${slot}/var/lib/uketsuke-link`))).toEqual(['link.sqlite']);
      expect(read(`slots/${slot}/var/lib/uketsuke-link/link.sqlite`)).toBe('outbox of a');
    }
  });

  it.each([
    ['a', 'a'],
    ['b', 'a'],
  ])('%s to %s: refused, and nothing is deleted', (from, to) => {
    expect(takeOver(from, to)).not.toBe(0);
    expect(read('slots/a/var/lib/uketsuke-link/link.sqlite')).toBe('outbox of a');
  });
});
