import { runProgram } from './run-program.ts';

/** Speaks to the service manager (sd_notify(3)); every call does nothing where there is none. */
export interface ServiceNotifier {
  /** Half of the unit's WatchdogSec, ms: how often `alive` is due. null = nobody watches. */
  readonly aliveEveryMs: number | null;
  ready(status: string): void;
  /** It has not started yet, and is not to be taken for one that hangs for so long from now. ms */
  starting(ms: number): void;
  alive(): void;
  stopping(): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Through the program `systemd-notify`: Node has no datagram sockets for paths, and a native add-on for one message in
 * many seconds is not worth its build. The unit needs NotifyAccess=all, since another process sends it.
 * @param environment NOTIFY_SOCKET, WATCHDOG_USEC as systemd sets them
 */
export const createSystemdNotifier = (environment: Environment = process.env): ServiceNotifier => {
  const socket = environment.NOTIFY_SOCKET;
  const watchdogUsec = Number(environment.WATCHDOG_USEC ?? '');
  const send = (...words: readonly string[]): void => {
    if (socket === undefined) return;
    // A message that is lost shows as a watchdog that was not fed, which is what it is.
    runProgram('systemd-notify', words, { limitMs: 5_000, environment: { ...environment, NOTIFY_SOCKET: socket } });
  };
  return {
    aliveEveryMs: socket !== undefined && watchdogUsec > 0 ? Math.floor(watchdogUsec / 2_000) : null,
    starting: (ms) => send(`EXTEND_TIMEOUT_USEC=${Math.round(ms * 1_000)}`),
    ready: (status) => send('--ready', `--status=${status}`),
    alive: () => send('WATCHDOG=1'),
    stopping: () => send('STOPPING=1'),
  };
};
