import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const scripts = new URL('../../../scripts/', import.meta.url);
const container = new URL('trials/container.ts', scripts).href;

const canPart = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
if (!canPart) console.warn('skipped: a process namespace of its own needs root');

test.skipIf(!canPart)('a trial that is killed takes with it what its container began, also apart from it', async () => {
  // As nspawn's machine does, the sleeper leaves the session and the process that began it.
  const inside = 'setsid sleep 300 & echo begun; exec sleep 300';
  const script = `
    const { endingWithUs } = await import('${container}');
    const { spawnSync } = await import('node:child_process');
    const [program, words] = endingWithUs('sh', '-c', '${inside}');
    spawnSync(program, words, { stdio: ['ignore', 'inherit', 'inherit'] });`;
  const options = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
  const trial = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(trial.stdout, 'data');
  trial.kill('SIGKILL');
  // Everybody who began in it holds the other end of its pipe.
  const [, signal] = await once(trial, 'close');
  expect(signal).toBe('SIGKILL');
});

test('no trial starts a container by itself', () => {
  const starters = readdirSync(scripts, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs)$/.test(name) && !name.includes('node_modules'))
    .filter((name) => readFileSync(join(scripts.pathname, name), 'utf8').includes("'systemd-nspawn'"));
  expect(starters).toEqual(['trials/container.ts']);
});
