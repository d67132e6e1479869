import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/**
 * How a program ended: by itself, stopped by whoever started it, over its time limit, or never begun. `code`: its exit
 * status, `signal`: what killed it; null when there is none. `words`: the end of what it complained, or why it could not be started.
 */
export type ProgramEnd = {
  readonly how: 'ended' | 'stopped' | 'over-time' | 'not-started';
  readonly code: number | null;
  readonly signal: string | null;
  readonly words: string;
};

export type ProgramOptions = {
  /** It is killed after so long; left out only for what runs as long as we do. ms */
  readonly limitMs?: number;
  /** Its standard output, piece by piece; without it the output goes nowhere. */
  readonly onOutput?: (piece: Buffer) => void;
  /** Its standard input is a pipe (`input`); without it there is none. */
  readonly takesInput?: boolean;
  /** Where it is started */
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
};

export type RunningProgram = {
  /** With `takesInput`. Writing to a program that has gone does nothing. */
  readonly input: Writable | null;
  /** Resolves soon after `stop` or the time limit, even if the system cannot end it yet. Never rejects. */
  readonly ended: Promise<ProgramEnd>;
  /** Resolves when the system has ended it: later than `ended` where it hangs in a device that does not answer. */
  readonly gone: Promise<void>;
  /** Its time limit is so long from now. ms */
  allow(ms: number): void;
  stop(): void;
};

/** A process that waits in a device cannot be killed before the device answers: nobody waits for it longer. ms */
const lastWaitMs = 500;
const wordsKept = 300;

/**
 * The one way in which drivers run programs. Never throws: a missing program is an end. It is killed by its own id and
 * only if it has one: `spawn` with a signal, or `kill` on what was never started, kills by an id that nobody has set
 * (Node 24, libuv), often 0, and that is our own process group and whoever started us.
 */
export const runProgram = (
  program: string,
  args: readonly string[],
  { limitMs, onOutput, takesInput = false, folder, environment }: ProgramOptions = {},
): RunningProgram => {
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      stdio: [takesInput ? 'pipe' : 'ignore', onOutput === undefined ? 'ignore' : 'pipe', 'pipe'],
      windowsHide: true,
      cwd: folder,
      ...(environment === undefined ? {} : { env: environment }),
    });
  } catch (error) {
    // What cannot even be asked for: a NUL byte in an argument, no descriptor left.
    const words = error instanceof Error ? error.message : String(error);
    const ended = Promise.resolve({ how: 'not-started', code: null, signal: null, words } as const);
    return { input: null, ended, gone: Promise.resolve(), allow: () => {}, stop: () => {} };
  }
  let how: ProgramEnd['how'] = child.pid === undefined ? 'not-started' : 'ended';
  let words = '';
  let finished = false;
  let tellEnd: (end: ProgramEnd) => void = () => {};
  const ended = new Promise<ProgramEnd>((resolve) => {
    tellEnd = resolve;
  });
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  let lastWait: NodeJS.Timeout | undefined;
  const end = (why: 'stopped' | 'over-time'): void => {
    if (child.pid === undefined || how !== 'ended' || finished) return;
    if (child.exitCode === null && child.signalCode === null) {
      how = why;
      child.kill('SIGKILL');
    }
    lastWait = setTimeout(() => {
      // Its own children may hold the pipes open for ever.
      for (const stream of child.stdio) stream?.destroy();
      child.unref();
      tellEnd({ how, code: child.exitCode, signal: child.signalCode, words: words.trim() });
    }, lastWaitMs);
  };
  let limit: NodeJS.Timeout | undefined;
  const allow = (ms: number): void => {
    clearTimeout(limit);
    if (!finished) limit = setTimeout(() => end('over-time'), ms);
  };
  if (limitMs !== undefined) allow(limitMs);
  const finish = (code: number | null): void => {
    finished = true;
    clearTimeout(limit);
    clearTimeout(lastWait);
    tellEnd({ how, code, signal: child.signalCode, words: words.trim() });
  };
  child.on('error', (error) => {
    words = error.message;
    finish(null);
  });
  child.once('close', finish);
  child.stdin?.on('error', () => {});
  child.stderr?.on('data', (piece: Buffer) => {
    words = (words + piece.toString('latin1')).slice(-wordsKept);
  });
  if (onOutput !== undefined) child.stdout?.on('data', onOutput);
  return { input: child.stdin, ended, gone, allow, stop: () => end('stopped') };
};
