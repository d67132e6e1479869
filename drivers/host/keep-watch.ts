import { type ChildProcess, spawn } from 'node:child_process';
import { z } from 'zod';
import { describeError, type EventLog } from '../../src/log/event-log.ts';

/* Where no systemd watches (Windows, a clinic's own service program), one process watches the other. */

const question = 'are-you-there';
const answer = 'i-am';

type WatchDelays = {
  /** The process that is watched is asked whether it lives this often; an answer costs it nothing */
  readonly askEveryMs: number;
  /** A process that has not answered for so long hangs */
  readonly silentMs: number;
  /** Before the next start, so that one that ends at once does not take the whole processor */
  readonly restartMs: number;
  /** The first start on a slow machine takes 9 s */
  readonly startMs: number;
};
const watchDelays: WatchDelays = { askEveryMs: 2_000, silentMs: 10_000, restartMs: 1_000, startMs: 60_000 };

/** How the agent's unit starts node: no systemd bounds its memory here. */
const nodeFlags = ['--max-semi-space-size=2', '--max-old-space-size=256', '--optimize-for-size', '--expose-gc'];

/** In the process that is watched: answers as long as `work` can be done (the journal read), and ends with its watcher. */
export const answerWatch = (work: () => void, stop: () => void): void => {
  if (process.send === undefined) return;
  process.on('message', (message) => {
    if (message !== question) return;
    work();
    process.send?.(answer);
  });
  process.on('disconnect', stop);
  // Told to stop before it had begun to listen.
  if (!process.connected) stop();
};

const busySchema = z.strictObject({ busyMs: z.number().nonnegative() });

/** In the process that is watched, before a work during which it answers nothing. ms */
export const sayBusy = (ms: number): void => void process.send?.({ busyMs: ms } satisfies z.infer<typeof busySchema>);

/** A child that was told to stop and has not is killed after this. ms */
const lastWordsMs = 10_000;

type Watch = {
  /** Told to stop by the end of its channel, which Windows knows, too; it closes in order. Resolves when it has gone. */
  readonly stop: () => Promise<void>;
};

/** Kills a child that has not answered for too long. Returns how to end it. */
const askAgainAndAgain = (
  child: ChildProcess,
  log: EventLog,
  { askEveryMs, silentMs, startMs }: WatchDelays,
  isStopping: () => boolean,
): (() => void) => {
  let heardAtMs = performance.now() + startMs - silentMs;
  child.on('message', (message) => {
    if (message === answer) heardAtMs = performance.now();
    const busy = busySchema.safeParse(message);
    if (busy.success) heardAtMs = Math.max(heardAtMs, performance.now() + busy.data.busyMs);
  });
  const round = setInterval(() => {
    const sinceMs = performance.now() - heardAtMs;
    if (isStopping()) return;
    if (sinceMs < silentMs) return void child.send(question, () => {});
    log.event('watchdog.withheld', { part: 'agent', silentMs: Math.round(sinceMs) });
    if (child.pid !== undefined) child.kill('SIGKILL');
  }, askEveryMs);
  return () => clearInterval(round);
};

/**
 * Runs a program of ours again and again until told to stop: after an end, and after it has hung. Only that child is ever
 * killed. Its output is ours, or goes to the open file `output`.
 */
export const keepWatch = (
  args: readonly string[],
  log: EventLog,
  output: number | 'inherit' = 'inherit',
  delays: WatchDelays = watchDelays,
): Watch => {
  let stopping = false;
  let child: ChildProcess | null = null;
  let pause: NodeJS.Timeout | null = null;

  const startAgain = (): void => {
    if (!stopping) pause = setTimeout(start, delays.restartMs);
  };
  const start = (): void => {
    const started = spawn(process.execPath, [...process.execArgv, ...nodeFlags, ...args], {
      stdio: ['ignore', output, output, 'ipc'],
      windowsHide: true,
    });
    child = started;
    const endQuestions = askAgainAndAgain(started, log, delays, () => stopping);
    const over = (): void => {
      endQuestions();
      child = null;
    };
    started.on('error', (error) => {
      log.event('process.error', describeError(error));
      if (started.pid !== undefined) return;
      // It never began, so no end will be told (an update has taken the program away for a moment).
      over();
      startAgain();
    });
    started.once('exit', (code) => {
      over();
      if (stopping) return gone(code ?? 0);
      // 2: what it was started with is wrong; nobody can mend that but a technician.
      if (code === 2) process.exit(2);
      startAgain();
    });
  };
  let gone = (_code: number): void => {};
  const ended = new Promise<number>((resolve) => {
    gone = resolve;
  });
  const stop = async (): Promise<number> => {
    stopping = true;
    if (pause !== null) clearTimeout(pause);
    if (child?.pid === undefined) return 0;
    const { pid } = child;
    if (child.connected) child.disconnect();
    const force = setTimeout(() => {
      if (child?.pid === pid) child.kill('SIGKILL');
    }, lastWordsMs);
    const code = await ended;
    clearTimeout(force);
    return code;
  };
  const endAll = (): void => void stop().then((code) => process.exit(code));
  process.on('SIGTERM', endAll);
  process.on('SIGINT', endAll);
  start();
  return { stop: async () => void (await stop()) };
};
