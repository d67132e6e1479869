import type { Command } from 'commander';
import { type AdjustableLog, createEventLog, describeError } from '../log/event-log.ts';
import { type Config, defaultConfigPath } from '../processes/terminal-config.ts';
import { readConfigOrExit } from './config.ts';
import { endProcess } from './end-process.ts';
import { processLogOption } from './typed-values.ts';

/**
 * Runs one process of a device until SIGTERM: status 0 (or that signal) after that, 1 with one line when it cannot run with what it was
 * given, 70 after an error that nobody expected. The service manager begins a new one.
 */
export const untilStopped = async (
  command: string,
  config: Config,
  format: 'json' | 'pretty',
  start: (log: AdjustableLog) => Promise<{ close(): Promise<void> }>,
): Promise<void> => {
  const log = createEventLog({ format, level: config.log.level });
  // Node would print the error's message, which may quote what was being worked on.
  process.on('uncaughtException', (error) => {
    log.event('process.error', describeError(error));
    endProcess(70);
  });
  const started = start(log).catch((error: unknown) => {
    // What is wrong with keys or files is the technician's to mend: one line, no stack.
    process.stderr.write(`uketsuke ${command}: ${error instanceof Error ? error.message : String(error)}\n`);
    endProcess(1);
  });
  let stopping = false;
  // Also while it starts: an order that comes then is obeyed as soon as there is something to close.
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.event('process.stopping', { reason: 'signal' });
    const running = await started;
    await running.close().catch(() => endProcess(1));
    endProcess(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
  await started;
};

export type ProcessOptions = { readonly config: string; readonly log: 'json' | 'pretty' };

/** The command that is one process of a device, by its configuration. */
export const registerProcess = (
  program: Command,
  name: string,
  about: string,
  start: (config: Config, log: AdjustableLog) => Promise<{ close(): Promise<void> }>,
): void => {
  program
    .command(name)
    .description(about)
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .addOption(processLogOption())
    .action((options: ProcessOptions) => {
      const config = readConfigOrExit(options.config);
      return untilStopped(name, config, options.log, (log) => start(config, log));
    });
};
