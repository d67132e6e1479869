import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { isRunning } from '../../scripts/beds/is-running.ts';
import { descendantsOf } from '../../scripts/house/hang-watch.ts';

const isLinux = process.platform === 'linux';
if (!isLinux) console.warn('skipped: ends of hanging programs are seen in /proc (Linux)');

/** One file of tests in a run of its own. What it printed, and the counts it left. */
const runOf = async (text: string, env: Record<string, string>): Promise<{ printed: string; counts: string }> => {
  // Inside of the project, where `vitest` is found.
  const folder = mkdtempSync(resolve('.cache/hangs-'));
  try {
    writeFileSync(join(folder, 'one.test.ts'), text);
    const counts = join(folder, 'counts');
    const printed = await new Promise<string>((done) => {
      execFile(
        process.execPath,
        [
          'node_modules/vitest/vitest.mjs',
          'run',
          '--root',
          folder,
          '--reporter=default',
          `--reporter=${resolve('scripts/house/test-counts.ts')}`,
        ],
        { env: { ...process.env, ...env, UKETSUKE_TEST_COUNTS: counts }, timeout: 60_000 },
        (_error, stdout, stderr) => done(stdout + stderr),
      );
    });
    return { printed, counts: readFileSync(counts, 'utf8').trim() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

// At once, each in a run of its own: they wait for what does not end.
describe.concurrent('a hang', () => {
  test.skipIf(!isLinux)(
    'of a program that a test waits for ends the run, by the names of test file and program',
    async () => {
      const { printed, counts } = await runOf(
        `import { execFileSync } from 'node:child_process';
       import { test } from 'vitest';
       test('ends', () => {});
       test('waits for ever', () => void execFileSync('sleep', ['54321']));`,
        { UKETSUKE_TEST_SILENCE_SECONDS: '8' },
      );
      expect(printed).toMatch(/^hang: no test has ended for 8 s; not ended:$/m);
      expect(printed).toMatch(/^hang: {3}one\.test\.ts/m);
      const [, id] = /^hang: {3}(\d+) sleep 54321$/m.exec(printed) ?? [];
      expect(Number(id)).toBeGreaterThan(0);
      // Killed, it is there until the machine has come to it.
      await vi.waitUntil(() => !isRunning(Number(id)), 60_000);
      expect(Number(counts.split(' ')[1])).toBeGreaterThanOrEqual(1);
    },
  );

  test.skipIf(!isLinux)('of the whole run is one too', async () => {
    const { printed, counts } = await runOf(
      `import { test } from 'vitest';
       for (let i = 0; i < 1_000; i++) test('a short one ' + i, () => new Promise((done) => setTimeout(done, 100)));`,
      // Longer than a busy machine takes to begin.
      { UKETSUKE_TEST_SECONDS: '12' },
    );
    expect(printed).toMatch(/^hang: the run has taken 12 s; not ended:$/m);
    const [passed, failed] = counts.split(' ').map(Number);
    expect(passed).toBeGreaterThan(0);
    expect(failed).toBeGreaterThanOrEqual(1);
  });

  test('a run that ends by itself is counted, each failed and skipped test told with its reason; one skipped without fails', async () => {
    const { counts, printed } = await runOf(
      `import { expect, test } from 'vitest';
       test('good', () => {});
       test('bad', () => expect(1).toBe(2));
       test('left out', (context) => context.skip('on purpose'));
       test.skip('left out without a word', () => {});`,
      {},
    );
    expect(counts).toBe('1 2 2');
    expect(printed).toMatch(/^skipped: one\.test\.ts > left out \(on purpose\)$/m);
    expect(printed).toMatch(/^failed: one\.test\.ts > left out without a word \(it is skipped and does not say why/m);
    expect(printed).toMatch(/^failed: one\.test\.ts > bad \(expected 1 to be 2/m);
  });

  test('a file that cannot be loaded is told by name with its error', async () => {
    const { counts, printed } = await runOf("import './nowhere.ts';", {});
    expect(counts).toBe('0 1 0');
    expect(printed).toMatch(/^failed: one\.test\.ts \(.*nowhere/m);
  });

  test('a file whose process dies while it is loaded is told by name, though others were to follow in the process', async () => {
    const { counts, printed } = await runOf("process.kill(process.pid, 'SIGKILL');", {});
    expect(counts).toBe('0 1 0');
    expect(printed).toMatch(/^failed: an error outside of a test/m);
    expect(printed).toMatch(/^failed: one\.test\.ts \(begun, and did not end\)$/m);
  });

  test.skipIf(!isLinux)('of a file that is loaded for ever is told by its name', async () => {
    const { printed } = await runOf('for (;;);', { UKETSUKE_TEST_SILENCE_SECONDS: '12' });
    expect(printed).toMatch(/^hang: {3}one\.test\.ts$/m);
  });

  test('nobody but the descendants of the run is ended', () => {
    const parents = new Map([
      [2, 1],
      [3, 2],
      [4, 3],
      [5, 1],
    ]);
    expect(descendantsOf(2, parents)).toEqual([3, 4]);
  });
});

describe('a program that a test waits for', () => {
  const endless = 'process.stderr.write("what it said"); setInterval(() => {}, 1000)';

  test('keeps a limit that the test gives itself', () => {
    expect(spawnSync(process.execPath, ['-e', endless], { timeout: 1_000 }).signal).toBe('SIGTERM');
    expect(() => execFileSync(process.execPath, ['-e', endless], { timeout: 1_000, stdio: 'pipe' })).toThrow(
      'ETIMEDOUT',
    );
  });

  test('has one when the test gives none, and its words are in the failure', async () => {
    const { printed } = await runOf(
      `import '${resolve('scripts/house/bounded-programs.ts')}';
       import { execFileSync, spawnSync } from 'node:child_process';
       import { test } from 'vitest';
       // A shell: it has spoken long before the limit, also on a busy machine.
       const endless = ['-c', 'printf "what it said" >&2; exec sleep 600'];
       test('by execFileSync', () => void execFileSync('sh', endless, { stdio: 'pipe' }));
       test('by spawnSync', () => void spawnSync('sh', endless));`,
      { UKETSUKE_TEST_PROGRAM_SECONDS: '3' },
    );
    expect(
      printed.match(/did not end within 3 s and was killed; its words: +what it said/g)?.length,
    ).toBeGreaterThanOrEqual(2);
  });
});
