import { afterEach, expect, test, vi } from 'vitest';
import { steadyMs } from '../../drivers/host/steady-time.ts';

const machine = vi.hoisted(() => ({ upSeconds: 100, asked: 0 }));
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  uptime: () => {
    machine.asked += 1;
    return machine.upSeconds;
  },
}));
afterEach(() => vi.restoreAllMocks());

test('a visit that asks a hundred times within 10 ms has the file read once, and hears of a machine that slept', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(1_000_000);
  for (let time = 0; time < 100; time++) expect(steadyMs()).toBe(100_000);
  expect(machine.asked).toBe(1);
  machine.upSeconds = 4_000;
  now.mockReturnValue(1_000_009.9);
  expect(steadyMs()).toBe(100_000);
  now.mockReturnValue(1_000_010);
  expect(steadyMs()).toBe(4_000_000);
  expect(machine.asked).toBe(2);
});
