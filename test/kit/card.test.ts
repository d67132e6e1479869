import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isRunning } from '../../scripts/beds/is-running.ts';
import { pcscdMissing } from '../../scripts/beds/pcscd-bed.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { foreignExamples, foreignMissing, isAsPromised, prepareForeign } from '../../scripts/kit/foreign-examples.ts';
import { whatIsMissing } from '../../src/cli/kit-card.ts';

const root = join(import.meta.dirname, '../..');

test('whoever lacks a package is told the command that brings it, and whoever is not root that they must be', () => {
  expect(whatIsMissing(() => true, true)).toBeNull();
  expect(whatIsMissing(() => true, false)).toContain('root');
  expect(whatIsMissing(() => false, true)).toMatch(
    / apt-get install -y --no-install-recommends pcscd vsmartcard-vpcd iproute2$/,
  );
  expect(whatIsMissing((path) => path.startsWith('/usr/'), false)).toMatch(/: sudo apt-get .* vsmartcard-vpcd$/);
});

describe.each(foreignExamples.filter(({ kit }) => kit === 'card'))('a client: $name', (example) => {
  const reason = foreignMissing(example);
  if (reason !== null) console.warn(`skipped: a card client, ${example.name}: ${reason}`);

  test.skipIf(reason !== null)('reads the card in one command, and is judged', { timeout: 240_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'uketsuke-kit-'));
    try {
      const kit = [join(root, 'src/main.ts'), ...prepareForeign(example, folder)];
      const run = spawnSync(process.execPath, kit, { cwd: folder, encoding: 'utf8', timeout: 110_000 });
      expect(run.stdout).toMatch(example.prints);
      expect(isAsPromised(example, run.stdout)).toBe(true);
      expect(run.status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

const noPcscd = pcscdMissing();
if (noPcscd !== null) console.warn(`skipped: what a kit that cannot begin leaves behind: ${noPcscd}`);

const noOpensc = noPcscd ?? (existsSync('/usr/bin/pkcs15-tool') ? null : 'opensc is not installed');
if (noOpensc !== null) console.warn(`skipped: OpenSC in one command: ${noOpensc}`);

const judged = (client: readonly string[]) => {
  const kit = ['--disable-warning=ExperimentalWarning', 'src/main.ts', 'kit', 'card', '--', ...client];
  const { stdout, stderr, status } = spawnSync(process.execPath, kit, {
    ...{ encoding: 'utf8', timeout: 80_000, env: { ...process.env, LC_ALL: 'C' } },
  });
  return { status, stderr, last: stdout.trim().split('\n').at(-1) ?? '' };
};

test.skipIf(noOpensc !== null)('OpenSC lists the certificates in one command, and is told nothing', () => {
  const { status, last } = judged(['pkcs15-tool', '--list-certificates']);
  expect(last).toMatch(/^\{"apdus":\d\d,"findings":\[\]\}$/);
  expect(status).toBe(0);
});

test.skipIf(noPcscd !== null)('a program that is not there is told as that, and judged for nothing', () => {
  const { status, stderr, last } = judged(['no-such-program']);
  expect(stderr).toContain('no-such-program cannot be started: is it installed?');
  expect(last).not.toContain('findings');
  expect(status).toBe(2);
});

test.skipIf(noPcscd !== null)('a program that never spoke to the card is not told that nothing is wrong', () => {
  const { status, last } = judged(['true']);
  expect(last).toContain('never-spoken-to');
  expect(status).toBe(1);
});

test.skipIf(noPcscd !== null)('a kit that cannot begin leaves neither pcscd nor its folder behind', () => {
  const place = mkdtempSync(join(tmpdir(), 'uketsuke-kit-'));
  const kit = ['src/main.ts', 'kit', 'card', '--faults', join(place, 'none.json'), '--', 'true'];
  const env = { ...process.env, TMPDIR: place };
  expect(spawnSync(process.execPath, kit, { env, timeout: 80_000 }).status).toBe(2);
  expect(readdirSync(place)).toEqual([]);
  rmSync(place, { recursive: true });
});

test.skipIf(noPcscd !== null)(
  'a kit that is killed takes pcscd with it, and the next one its folder',
  { timeout: 180_000 },
  async () => {
    const place = mkdtempSync(join(tmpdir(), 'uketsuke-kit-'));
    const env = { ...process.env, TMPDIR: place, LC_ALL: 'C' };
    const kit = spawn(process.execPath, ['src/main.ts', 'kit', 'card'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    for await (const piece of kit.stderr) {
      said += String(piece);
      if (said.includes('PCSCLITE_CSOCK_NAME')) break;
    }
    const started = readFileSync(`/proc/${kit.pid}/task/${kit.pid}/children`, 'utf8').trim().split(' ').map(Number);
    expect(started[0]).toBeGreaterThan(0);
    kit.kill('SIGKILL');
    await until('the end of all that it started', () => !started.some(isRunning));
    expect(readdirSync(place)).toHaveLength(1);
    spawnSync(process.execPath, ['src/main.ts', 'kit', 'card', '--', 'true'], { env, timeout: 80_000 });
    expect(readdirSync(place)).toEqual([]);
    rmSync(place, { recursive: true });
  },
);
