import { execFileSync } from 'node:child_process';
import { afterEach, expect, test, vi } from 'vitest';
import { SimulatedClock } from '../../scripts/beds/simulated-clock.ts';
import { nodeFlags } from '../../src/processes/face-start.ts';
import { collectNowAndThen } from '../../src/processes/rounds.ts';

afterEach(() => vi.unstubAllGlobals());

test('garbage is collected every two minutes until the end', async () => {
  const gc = vi.fn();
  vi.stubGlobal('gc', gc);
  const clock = new SimulatedClock();
  const end = collectNowAndThen(clock);
  await clock.advance(119_999);
  expect(gc).not.toHaveBeenCalled();
  await clock.advance(600_001);
  expect(gc).toHaveBeenCalledTimes(6);
  end();
  await clock.advance(600_000);
  expect(gc).toHaveBeenCalledTimes(6);
});

test('a process that was started without the means collects nothing and wakes for nothing', async () => {
  vi.stubGlobal('gc', undefined);
  const clock = new SimulatedClock();
  const wakeAt = vi.spyOn(clock, 'wakeAt');
  collectNowAndThen(clock)();
  expect(wakeAt).not.toHaveBeenCalled();
});

test.each(['link', 'agent'] as const)('a program that is started as the %s is has them', (name) => {
  const printed = execFileSync(process.execPath, [...nodeFlags[name], '--print', 'typeof gc'], { encoding: 'utf8' });
  expect(printed).toBe('function\n');
});
