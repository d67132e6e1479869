import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../drivers/host/run-program.ts';

const collected = (pieces: readonly Buffer[]): string => Buffer.concat(pieces).toString('utf8');

describe('a program that a driver runs', () => {
  it('gives what it writes, its exit status and its last words', async () => {
    const pieces: Buffer[] = [];
    const running = runProgram('sh', ['-c', 'cat; echo no card here >&2; exit 3'], {
      takesInput: true,
      limitMs: 30_000,
      onOutput: (piece) => pieces.push(piece),
    });
    running.input?.end('read aloud');
    expect(await running.ended).toEqual({ how: 'ended', code: 3, signal: null, words: 'no card here' });
    expect(collected(pieces)).toBe('read aloud');
  });

  it.each([
    ['is missing', 'no-such-program', [], 'ENOENT'],
    ['cannot be asked for', 'echo', ['a\0b'], 'null bytes'],
  ])('that %s is an end, not an error', async (_, program, args, words) => {
    const running = runProgram(program, args, { takesInput: true });
    running.input?.write('nobody reads this');
    running.stop();
    const end = await running.ended;
    expect(end).toMatchObject({ how: 'not-started', code: null });
    expect(end.words).toContain(words);
    await running.gone;
  });

  it('that is missing and is stopped at once does not take our process group with it', () => {
    // In a group of its own: where this is not so, it must not be the test that is killed.
    const program = new URL('../../drivers/host/run-program.ts', import.meta.url).href;
    const script = `const { runProgram } = await import('${program}');
      const missing = Array.from({ length: 50 }, () => runProgram('no-such-program', []));
      for (const running of missing) running.stop();
      await Promise.all(missing.map(({ ended }) => ended));
      process.stdout.write('alive');`;
    const args = ['-w', process.execPath, '--input-type=module', '-e', script];
    const { stdout, signal, status } = spawnSync('setsid', args, { encoding: 'utf8', timeout: 30_000 });
    expect({ stdout, signal, status }).toEqual({ stdout: 'alive', signal: null, status: 0 });
  });

  it('is ended by its time limit, and by whoever started it, with what it holds open', async () => {
    // The second sleeper keeps the pipes open when the first is dead.
    const late = runProgram('sh', ['-c', 'sleep 600 & echo waiting >&2; sleep 600'], { limitMs: 300 });
    expect(await late.ended).toMatchObject({ how: 'over-time' });
    const stopped = runProgram('sleep', ['600'], { onOutput: () => {} });
    stopped.stop();
    stopped.stop();
    expect(await stopped.ended).toMatchObject({ how: 'stopped', code: null, signal: 'SIGKILL' });
    await Promise.all([late.gone, stopped.gone]);
  });
});
