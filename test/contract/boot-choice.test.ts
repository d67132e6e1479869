import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeAutoboot, parseAutoboot } from '../../src/protocol/autoboot.ts';

const script = fileURLToPath(new URL('../../systemd/device/boot-choice', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'uketsuke-boot-choice-'));
const file = join(folder, 'autoboot.txt');
const cmdline = join(folder, 'cmdline');
const environment = { PATH: process.env.PATH, UKETSUKE_AUTOBOOT: file, UKETSUKE_CMDLINE: cmdline };
afterAll(() => rmSync(folder, { recursive: true }));

const ask = (...args: string[]): { readonly said: string; readonly ok: boolean } => {
  const { status, stdout } = spawnSync(script, args, { encoding: 'utf8', env: environment, timeout: 10_000 });
  return { said: stdout.trim(), ok: status === 0 };
};
const runs = (partition: number): void =>
  writeFileSync(cmdline, `quiet uketsuke.partition=${partition} uketsuke.tryboot=1\n`);

beforeEach(() => {
  writeFileSync(file, encodeAutoboot({ standard: 2, trial: 2 }));
  runs(2);
});

/** What RAUC asks for during an update, from the first mark to the last. */
describe('boot-choice, as RAUC calls it', () => {
  it('keeps the standard until the new slot runs and is called good', () => {
    expect(ask('get-current').said).toBe('a');
    expect(ask('set-state', 'b', 'bad').ok).toBe(true);
    expect([ask('get-state', 'a').said, ask('get-state', 'b').said]).toEqual(['good', 'bad']);
    expect(ask('set-primary', 'b').ok).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe(encodeAutoboot({ standard: 2, trial: 3 }));
    expect([ask('get-primary').said, ask('get-state', 'b').said]).toEqual(['b', 'good']);
    runs(3);
    expect(ask('get-current').said).toBe('b');
    expect(ask('set-state', 'b', 'good').ok).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe(encodeAutoboot({ standard: 3, trial: 3 }));
  });

  it.each([
    ['a slot that does not run is called good', ['set-state', 'b', 'good']],
    ['the standard is called bad', ['set-state', 'a', 'bad']],
    ['there is no such slot', ['set-primary', 'c']],
    ['nothing is asked', []],
  ])('changes nothing when %s', (_what, args) => {
    expect(ask(...args).ok).toBe(false);
    expect(parseAutoboot(readFileSync(file, 'utf8'))).toEqual({ standard: 2, trial: 2 });
  });

  it('says so when the file leads nowhere', () => {
    writeFileSync(file, '');
    expect(ask('get-primary')).toEqual({ said: '', ok: false });
  });

  it('writes one sector once, in its place: the file is never empty, renamed or longer', () => {
    const trace = join(folder, 'trace');
    const calls = 'trace=openat,creat,write,rename,renameat,renameat2,truncate,ftruncate,unlink,unlinkat';
    execFileSync('strace', ['-f', '-y', '-o', trace, '-e', calls, script, 'set-primary', 'b'], {
      env: environment,
      timeout: 20_000,
    });
    const touching = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => line.includes('autoboot.txt') && !line.includes('ENOENT') && !/execve|O_RDONLY/.test(line));
    expect(touching.filter((line) => /O_TRUNC|rename|truncate|unlink|creat\(/.test(line))).toEqual([]);
    const writes = touching.filter((line) => /\bwrite\(/.test(line));
    // What it asked for: where two processes are watched the answer may stand in a line of its own.
    expect(writes.map((line) => /, (\d+)(?:\)| <unfinished)/.exec(line)?.[1])).toEqual(['256']);
  });
});
