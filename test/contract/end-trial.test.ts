import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { roles } from '../../scripts/package/roles.ts';
import { updateDelays } from '../../src/core/update/update-delays.ts';
import { configSchema } from '../../src/processes/terminal-config.ts';

const device = fileURLToPath(new URL('../../systemd/device/', import.meta.url));
const script = join(device, 'end-trial');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-end-trial-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The script with waits that pass at once. `short`, `long`: what happens during a short and the long wait (shell) */
const pass = (short: string, long: string) => {
  const stand = (name: string, text: string): void =>
    writeFileSync(join(folder, name), `#!/bin/sh\ncd '${folder}'\n${text}\n`, { mode: 0o755 });
  stand('sleep', `echo $1 >>waits\nif [ $1 -lt 10 ]; then ${short}; else ${long}; fi`);
  stand('systemctl', 'echo "$*" >>orders');
  const env = { PATH: `${folder}:${process.env.PATH}`, UKETSUKE_UPDATE: folder };
  expect(spawnSync(script, [], { env, timeout: 10_000 }).status).toBe(0);
  const lines = (name: string): string[] => {
    try {
      return readFileSync(join(folder, name), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  };
  return { seconds: lines('waits').map(Number), orders: lines('orders') };
};

describe('a release on trial whose own update program does not work', () => {
  beforeEach(() => writeFileSync(join(folder, 'trial'), ''));

  it('never began: back to the standard slot at once; a restart that asks for nothing', () => {
    expect(pass(':', ':')).toEqual({ seconds: Array(9).fill(5), orders: ['--force reboot'] });
  });

  it('began, and hangs or starts over and over: back when all its own times have passed', () => {
    const { seconds, orders } = pass('echo {} >status.json', ':');
    expect(orders).toEqual(['--force reboot']);
    const { takeOverMs, proveMs, commitMs } = updateDelays;
    expect((seconds.at(-1) ?? 0) * 1_000).toBeGreaterThan(takeOverMs + proveMs + commitMs);
  });

  it('proved itself, early or late: nothing', () => {
    expect(pass('rm -f trial', ':').orders).toEqual([]);
    writeFileSync(join(folder, 'trial'), '');
    expect(pass('echo {} >status.json', 'rm -f trial').orders).toEqual([]);
  });
});

it('is on the device, begun whenever the update program is, looks where both others do', () => {
  const unit = readFileSync(join(device, 'uketsuke-trial.service'), 'utf8');
  expect(readFileSync(join(device, 'uketsuke-update.service'), 'utf8')).toMatch(/^Wants=uketsuke-trial\.service$/m);
  expect(Object.keys(roles[0]?.files ?? {})).toContain('systemd/device/uketsuke-trial.service');
  const { trialMark, status } = configSchema.shape.updates.parse({});
  expect(unit).toContain(`ConditionPathExists=${trialMark}\n`);
  expect(unit).toContain('ExecStart=/usr/lib/uketsuke/systemd/device/end-trial\n');
  const text = readFileSync(script, 'utf8');
  expect([trialMark, status].map((path) => path.replace('/run/uketsuke-update/', ''))).toEqual([
    'trial',
    'status.json',
  ]);
  expect(text).toContain('/run/uketsuke-update}');
});
