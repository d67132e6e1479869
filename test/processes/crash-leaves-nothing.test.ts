import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/**
 * Threat 22: the process dies while a PIN is being entered. Under the limit that its unit sets, no signal leaves a file
 * with what was in its memory: no core, no Node report, no heap snapshot.
 */
const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;
if (!hasPrlimit) console.warn('skipped: dying under the limits of the unit needs prlimit (Debian package util-linux)');
const root = new URL('../../', import.meta.url).pathname;
const limit = /^LimitCORE=(\S+)$/m.exec(readFileSync(join(root, 'systemd/uketsuke.service'), 'utf8'))?.[1];
const options = /^ExecStart=\S+((?: --\S+)*) /m.exec(readFileSync(join(root, 'systemd/uketsuke.service'), 'utf8'))?.[1];

const enteringPin = `
  import { PinEntry } from '${root}src/terminal/visit/pin-entry.ts';
  const entry = new PinEntry();
  for (const key of [0x31, 0x32, 0x33]) entry.press(key, 'card-1');
  const photo = Buffer.alloc(1 << 20, 'a canary in memory ');
  setInterval(() => photo.length + entry.entered, 1_000);
  process.stdout.write('entering');
`;

test.skipIf(!hasPrlimit).each(['SIGSEGV', 'SIGABRT', 'SIGQUIT', 'SIGUSR2', 'SIGKILL', 'SIGTERM'] as const)(
  'killed by %s during PIN entry: no file is left',
  async (signal) => {
    expect(limit).toBe('0');
    const folder = mkdtempSync(join(tmpdir(), 'uketsuke-crash-'));
    const node = [process.execPath, ...(options?.trim().split(' ').filter(Boolean) ?? [])];
    const args = [`--core=${limit}`, ...node, '--input-type=module', '-e', enteringPin];
    const child: ChildProcess = spawn('prlimit', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = once(child, 'exit');
    if (child.stdout === null) throw new Error('no output');
    await once(child.stdout, 'data');
    child.kill(signal);
    expect((await ended)[1]).toBe(signal);
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  },
);
