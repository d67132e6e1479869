import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { planted } from '../../scripts/bench/soak/bounded.ts';

// A bound for a machine that does ten other things: alone it takes five seconds.
const limitMs = 240_000;
vi.setConfig({ testTimeout: limitMs + 10_000 });

const program = fileURLToPath(new URL('../../scripts/bench/soak/kept.ts', import.meta.url));
const run = (...words: readonly string[]) =>
  new Promise<{ status: number; growing: readonly string[]; accepted: number; told: string }>((resolve) => {
    execFile(process.execPath, [program, ...words], { timeout: limitMs }, (error, stdout, stderr) => {
      const status = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
      resolve({ status, told: stderr, ...JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') });
    });
  });

test('of 400 visits one after the other neither end keeps anything for ever', async () => {
  const { status, growing, accepted, told } = await run();
  expect({ status, growing }, told).toEqual({ status: 0, growing: [] });
  expect(accepted).toBeGreaterThan(300);
});

test('without a line that lets go it is named what grows', async () => {
  const { status, growing, told } = await run('--plant');
  expect(status, told).toBe(1);
  for (const { grows } of planted) expect(growing.filter((place) => place.startsWith(grows))).toHaveLength(1);
});
