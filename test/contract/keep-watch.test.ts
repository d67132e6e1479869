import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepWatch } from '../../drivers/host/keep-watch.ts';
import { openLogFile, shortenLog } from '../../drivers/host/log-file.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { createEventLog } from '../../src/log/event-log.ts';

const log = createEventLog({ format: 'silent' });
const delays = { askEveryMs: 50, silentMs: 60_000, restartMs: 200, startMs: 60_000 };

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-watch-'));
  path = join(folder, 'agent.log');
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** A program that leaves a line each time it begins, and ends at once or when its watcher goes. */
const program = (rest: string): readonly string[] => [
  '--eval',
  `require('node:fs').appendFileSync(${JSON.stringify(join(folder, 'starts'))}, '${'x'}'); ${rest}`,
];
const starts = (): number => (existsSync(join(folder, 'starts')) ? statSync(join(folder, 'starts')).size : 0);

/** A watch whose first start fails, as it is in the pause before the next one. */
const pausing = async () => {
  const node = process.execPath;
  let failed = false;
  process.execPath = join(folder, 'not-there-for-a-moment');
  const event = (): void => {
    failed = true;
  };
  const watch = keepWatch(program(''), { ...log, event }, 'inherit', delays);
  await until('the failed start', () => failed);
  process.execPath = node;
  return watch;
};

test('a program that says how long it will be busy is not taken for one that hangs until then', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  const withheld: number[] = [];
  const event: typeof log.event = (name) => {
    if (name === 'watchdog.withheld') withheld.push(performance.now());
  };
  const module = new URL('../../drivers/host/keep-watch.ts', import.meta.url).href;
  const busy = `import(${JSON.stringify(module)}).then(({ sayBusy }) => {
    sayBusy(600_000);
    require('node:fs').writeFileSync(${JSON.stringify(join(folder, 'said'))}, '');
  }); setInterval(() => {}, 1_000)`;
  const watch = keepWatch(program(busy), { ...log, event }, 'inherit', delays);
  await until('its word', () => existsSync(join(folder, 'said')));
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  vi.advanceTimersByTime(600_000);
  expect(withheld).toEqual([]);
  vi.advanceTimersByTime(delays.silentMs + 2 * delays.askEveryMs);
  expect(withheld).not.toEqual([]);
  vi.useRealTimers();
  await watch.stop();
});

test('a program that could not be started, or has ended, begins anew', async () => {
  const watch = await pausing();
  await until('a second start', () => starts() >= 2);
  await watch.stop();
});

test('a watch that is stopped in the pause before the next start starts nothing more', async () => {
  const watch = await pausing();
  await watch.stop();
  expect(starts()).toBe(0);
  // Longer than its pause would have been: another one has begun twice.
  const others = join(folder, 'others');
  const next = keepWatch(
    ['--eval', `require('node:fs').appendFileSync(${JSON.stringify(others)}, 'x')`],
    log,
    'inherit',
    delays,
  );
  await until('two starts', () => existsSync(others) && statSync(others).size >= 2);
  await next.stop();
  expect(starts()).toBe(0);
});

test('what is watched is started as its unit starts it where systemd watches', async () => {
  const flags = join(folder, 'flags');
  const watch = keepWatch(
    ['--eval', `require('node:fs').writeFileSync(${JSON.stringify(flags)}, process.execArgv.join(' '))`],
    log,
    'inherit',
    delays,
  );
  await until('its flags', () => existsSync(flags) && statSync(flags).size > 0);
  await watch.stop();
  const unit = readFileSync(new URL('../../systemd/uketsuke-agent.service', import.meta.url), 'utf8');
  const [, ofUnit = ''] = /^ExecStart=\S+\/node (.*?) \/\S+\/main\.ts /m.exec(unit) ?? [];
  expect(ofUnit).toContain('--max-old-space-size=');
  expect(readFileSync(flags, 'utf8')).toContain(ofUnit);
});

test('a log that is too long leaves its lines beside it, and who has it open goes on at its beginning', () => {
  const { write } = openLogFile(path);
  write('first\n');
  shortenLog(path, 6);
  write('second\n');
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('first\n');
  expect(readFileSync(path, 'utf8')).toBe('second\n');
});

test('a log that cannot be copied, opened or found ends nobody, and does not grow for ever', () => {
  mkdirSync(`${path}.1`);
  writeFileSync(path, 'lines\n');
  shortenLog(path, 6);
  expect(readFileSync(path, 'utf8')).toBe('lines\n');
  appendFileSync(path, 'lines\n');
  shortenLog(path, 6);
  expect(readFileSync(path, 'utf8')).toBe('');
  rmSync(path);
  shortenLog(path, 6);
  mkdirSync(path);
  openLogFile(path).write('nobody keeps this\n');
  expect(statSync(path).isDirectory()).toBe(true);
});
