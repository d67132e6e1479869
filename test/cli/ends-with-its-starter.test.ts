import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../../scripts/beds/simulated-clock.ts';

const hasSetpriv = existsSync('/usr/bin/setpriv');
if (!hasSetpriv) console.warn('skipped: a program ends with scripts/uketsuke.mjs by setpriv, of util-linux');

test.skipIf(!hasSetpriv)('when scripts/uketsuke.mjs is killed, the program that it started ends, too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-starter-'));
  try {
    const starter = spawn(process.execPath, ['scripts/uketsuke.mjs', 'kit', 'oqs', '--dir', folder], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    starter.stdout.resume();
    starter.stderr.resume();
    await until('the kit at work', () => existsSync(join(folder, 'face')));
    starter.kill('SIGKILL');
    // Once nobody holds its output any more: the program had inherited it.
    const [, signal] = await once(starter, 'close');
    expect(signal).toBe('SIGKILL');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
