import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { endChild } from './end-child.ts';

/** A new process after this; doubled up to the second while processes keep dying young. */
const restartMs = 100;
const restartMaxMs = 10_000;
/** A process that lived this long was well. */
const livedWellMs = 10_000;

type KeptProcess = {
  /** Of the process now running; undefined between two */
  readonly processId: number | undefined;
  kill(signal?: NodeJS.Signals): void;
  /** Ends it with SIGTERM, and with SIGKILL when it does not go. */
  close(): Promise<void>;
};

/** Does what the service manager does at a counter: begins a process again whenever it has ended. */
export const keepProcess = (
  command: string,
  args: readonly string[],
  options: SpawnOptions & { readonly started?: (child: ChildProcess) => void } = {},
): KeptProcess => {
  const { started, ...how } = options;
  let child: ChildProcess | null = null;
  let pauseMs = restartMs;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  const launch = (): void => {
    const bornMs = performance.now();
    const born = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], ...how });
    child = born;
    started?.(born);
    born.on('error', () => undefined);
    born.once('exit', () => {
      child = null;
      if (closed) return;
      pauseMs = performance.now() - bornMs >= livedWellMs ? restartMs : Math.min(restartMaxMs, pauseMs * 2);
      timer = setTimeout(launch, pauseMs);
    });
  };
  launch();
  const killNow = (): void => void child?.kill('SIGKILL');
  // Also when whoever keeps it dies of an error.
  process.once('exit', killNow);
  return {
    get processId() {
      return child?.pid;
    },
    kill: (signal = 'SIGKILL') => void child?.kill(signal),
    close: async () => {
      closed = true;
      process.off('exit', killNow);
      if (timer !== null) clearTimeout(timer);
      await endChild(child, 'SIGTERM', 3_000);
    },
  };
};
