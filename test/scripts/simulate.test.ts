import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { mustFit } from '../../scripts/trials/simulate/hooks.ts';
import { planted } from '../../scripts/trials/simulate/planted.ts';
import { clinicDefences } from '../../scripts/trials/threats/clinic-defences.ts';
import { terminalDefences } from '../../scripts/trials/threats/terminal-defences.ts';

// A bound for a machine that does ten other things: alone it takes a few seconds.
const limitMs = 240_000;
vi.setConfig({ testTimeout: limitMs + 10_000 });

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = (script: string, words: readonly string[]) =>
  new Promise<{ status: number; last: Record<string, unknown>; told: string }>((resolve) => {
    execFile(process.execPath, [`${root}${script}`, ...words], { timeout: limitMs }, (error, stdout, stderr) => {
      const last = stdout.trim().split('\n').at(-1) ?? '';
      const status = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
      resolve({ status, last: last.startsWith('{') ? JSON.parse(last) : {}, told: stderr });
    });
  });
const simulate = (...words: string[]) => run('scripts/trials/simulate/simulate.ts', ['--json', ...words]);

const defences = [...terminalDefences, ...clinicDefences];
test.each([
  ...planted,
  ...defences.map(({ row, test: [file, names], without }) => ({
    name: `row ${row}: ${file} ${names}`,
    changes: without,
  })),
])('the code is still what is planted into, or taken out of: $name', ({ changes }) => {
  expect(() => mustFit(changes)).not.toThrow();
});

test('a change that leaves no code behind is none', () => {
  const half = [
    'src/agent/oqs-folder/answer-inquiries.ts',
    '        else this.#odd.add(request.name);',
    '        else',
  ] as const;
  expect(() => mustFit([half])).toThrow(/Expression expected|Expected/);
});

test('visits of a seed that nobody has seen before break no promise', async () => {
  const sessions = 4_000;
  const { status, last, told } = await simulate('--sessions', `${sessions}`);
  // Printed with every run: what fails can be run again.
  process.stderr.write(`${told.split('\n')[0]}\n`);
  expect({ status, ...last }, told).toMatchObject({
    status: 0,
    sessions,
    violations: 0,
    lost: 0,
    twice: 0,
    mixed: 0,
  });
});

test('the same seed is the same story, by one process or by two', async () => {
  const words = ['--sessions', '120', '--seed', 'again'];
  const [one, two, other] = await Promise.all([
    simulate(...words, '--processes', '1'),
    simulate(...words, '--processes', '2'),
    simulate('--sessions', '120', '--seed', 'another'),
  ]);
  expect(one.last.hash).toMatch(/^[0-9a-f]{32}$/);
  expect(two.last.hash).toBe(one.last.hash);
  expect(other.last.hash).not.toBe(one.last.hash);
});

test('a fault in the outbox is found, made small, and told as a visit that can be replayed', async () => {
  const found = await simulate('--sessions', '800', '--seed', '7', '--plant', 'expiry not told');
  expect(found.status).toBe(1);
  expect(found.last.lost).toBeGreaterThan(0);
  const tape = /visit replay (\S+)/.exec(found.told)?.[1];
  const replayed = await run('src/main.ts', ['visit', 'replay', tape ?? '', '--json']);
  expect(replayed).toMatchObject({ status: 0, last: { sameStates: true, sameScreens: true } });
});
