/**
 * Loaded before every test file: a program that a test starts and waits for with execFileSync, execSync or spawnSync has
 * a time limit, whoever wrote the test. Without one, a program that hangs blocks its worker, and with it the whole run.
 */
import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

/** The slowest that a test waits for in one call takes 8 s on a quiet machine. */
const limitMs = Number(process.env.UKETSUKE_TEST_PROGRAM_SECONDS ?? 80) * 1_000;

const wordsOf = (value: unknown): string =>
  String(value ?? '')
    .slice(-2_000)
    .trim();

for (const name of ['execFileSync', 'spawnSync', 'execSync'] as const) {
  const original = childProcess[name] as (...values: unknown[]) => unknown;
  const bounded = (...values: unknown[]): unknown => {
    const last = values.at(-1);
    const hasOptions = values.length > 1 && typeof last === 'object' && last !== null && !Array.isArray(last);
    const own = hasOptions ? (last as { timeout?: number }) : {};
    const isOurs = own.timeout === undefined;
    const options = isOurs ? { ...own, timeout: limitMs, killSignal: 'SIGKILL' } : own;
    const call = [...(hasOptions ? values.slice(0, -1) : values), options];
    const tooLong = (stdout: unknown, stderr: unknown): Error =>
      new Error(
        `${[values[0], values[1]]
          .flat()
          .filter((each) => typeof each === 'string')
          .join(' ')} did not end within ` +
          `${limitMs / 1_000} s and was killed; its words: ${wordsOf(stdout)} ${wordsOf(stderr)}`,
      );
    let result: unknown;
    try {
      result = original(...call);
    } catch (error) {
      const { code, stdout, stderr } = error as { code?: unknown; stdout?: unknown; stderr?: unknown };
      throw code === 'ETIMEDOUT' && isOurs ? tooLong(stdout, stderr) : error;
    }
    if (name === 'spawnSync' && isOurs) {
      const { error, stdout, stderr } = result as ReturnType<typeof childProcess.spawnSync>;
      if ((error as { code?: unknown } | undefined)?.code === 'ETIMEDOUT') throw tooLong(stdout, stderr);
    }
    return result;
  };
  Object.assign(childProcess, { [name]: bounded });
}
syncBuiltinESMExports();
