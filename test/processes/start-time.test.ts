import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SimulatedClock } from '../../scripts/beds/simulated-clock.ts';
import { keepStartTime } from '../../src/processes/start-time.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-start-'));
  path = join(folder, 'last-start.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A machine that was switched on `upMs` ago; `ready`: when, by the same count */
const start = async (boot: string, upMs: number, ready: number): Promise<void> => {
  const clock = new SimulatedClock();
  const begunMs = clock.now().monotonicMs;
  const up = (): number => upMs + clock.now().monotonicMs - begunMs;
  const end = keepStartTime({ clock, path, boot, isReady: () => up() >= ready, upMs: up });
  await clock.advance(400_000);
  end();
};
const kept = (): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
};

test('the time from power-on to the first welcome is kept, once for each start of the machine', async () => {
  await start('first', 9_000, 17_000);
  expect(kept()).toEqual({ boot: 'first', readyMs: 17_000 });
  // The terminal alone begins anew: no start of the machine.
  await start('first', 90_000, 91_000);
  expect(kept()).toEqual({ boot: 'first', readyMs: 17_000 });
  await start('second', 8_000, 15_000);
  expect(kept()).toEqual({ boot: 'second', readyMs: 15_000 });
});

test('a start that waited for a clinic whose PC was off is no measure', async () => {
  await start('first', 9_000, 320_000);
  expect(kept()).toBeNull();
});

test('over at the first look (settings of an earlier run, or a machine that has long run): nothing falls over', async () => {
  await start('first', 9_000, 9_000);
  expect(kept()).toEqual({ boot: 'first', readyMs: 9_000 });
  await start('second', 30_000_000, 30_000_000);
  expect(kept()).toEqual({ boot: 'first', readyMs: 9_000 });
});

/** What the kiosk is given, `upSeconds` after the machine was switched on */
const left = (upSeconds: string): number | null => {
  const uptime = join(folder, 'uptime');
  writeFileSync(uptime, `${upSeconds} 12.5\n`);
  const told = execFileSync('systemd/device/start-left', {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, UKETSUKE_LAST_START: path, UKETSUKE_UPTIME: uptime },
  });
  const [, at] = /^UKETSUKE_READY_AT=(\d+)\n$/.exec(told) ?? [];
  return at === undefined ? null : Number(at) - Number(execFileSync('date', ['+%s'], { encoding: 'utf8' }));
};

test('the screen is told what is left of a start like the last one, and nothing where nobody knows', async () => {
  expect(left('8.31')).toBeNull();
  await start('first', 9_000, 17_000);
  expect([8, 9]).toContain(left('8.31'));
  expect(left('17.02')).toBeNull();
  expect(left('4000.5')).toBeNull();
  writeFileSync(path, '{"readyMs":"seventeen"}');
  expect(left('8.31')).toBeNull();
});

/** The page's own script on a page that is only what it touches. Answers the Japanese line at each second. */
const countdown = (ready: string, seconds: number): readonly string[] => {
  const script = /<script>(.*)<\/script>/s.exec(readFileSync('src/screens/waiting.html', 'utf8'))?.[1] ?? '';
  const elements = { 'left-ja': { textContent: '' }, 'left-en': { textContent: '' } };
  let nowMs = 1_764_459_000_000;
  const waiting: (() => void)[] = [];
  runInNewContext(script, {
    ...{ URLSearchParams, Number, Math },
    location: { hash: '', search: `?ready=${ready}`, replace: () => {} },
    document: { getElementById: (id: keyof typeof elements) => elements[id] },
    Date: { now: () => nowMs },
    fetch: () => new Promise(() => {}),
    setTimeout: (work: () => void) => waiting.push(work),
  });
  const seen = [elements['left-ja'].textContent];
  for (let second = 1; second <= seconds; second += 1) {
    nowMs += 1_000;
    for (const work of waiting.splice(0)) work();
    seen.push(elements['left-ja'].textContent);
  }
  return seen;
};

test('the page counts down to the end and then says no number; where none was given it says none', () => {
  const seen = countdown('1764459012', 20);
  expect(seen[0]).toBe('あと約15秒です。');
  expect(seen[5]).toBe('あと約10秒です。');
  expect(seen.slice(12)).toEqual(seen.slice(12).map(() => ''));
  expect(countdown('', 3)).toEqual(['', '', '', '']);
  // A clock that was an hour off at power-on.
  expect(countdown('1764462600', 3)).toEqual(['', '', '', '']);
});
