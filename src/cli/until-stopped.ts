import { createEventLog, describeError, type EventLog } from '../log/event-log.ts';
import type { Config } from '../processes/terminal-config.ts';

/**
 * Runs one process of a device until SIGTERM: status 0 after that, 1 with one line when it cannot run with what it was
 * given, 70 after an error that nobody expected. The service manager begins a new one.
 */
export const untilStopped = async (
  command: string,
  config: Config,
  format: 'json' | 'pretty',
  start: (log: EventLog) => Promise<{ close(): Promise<void> }>,
): Promise<void> => {
  const log = createEventLog({ format, level: config.log.level });
  // Node would print the error's message, which may quote what was being worked on.
  process.on('uncaughtException', (error) => {
    log.event('process.error', describeError(error));
    process.exit(70);
  });
  let running: { close(): Promise<void> };
  try {
    running = await start(log);
  } catch (error) {
    // What is wrong with keys or files is the technician's to mend: one line, no stack.
    process.stderr.write(`uketsuke ${command}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    log.event('process.stopping', { reason: 'signal' });
    running.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
};

export type ProcessOptions = { readonly config: string; readonly log: 'json' | 'pretty' };
