import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('the states in README and docs are those of the machine', () => {
  const check = spawnSync(process.execPath, ['scripts/generate/state-diagram.ts', '--check'], { encoding: 'utf8' });
  expect(check.status, check.stderr).toBe(0);
});
