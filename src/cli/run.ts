import type { Command } from 'commander';
import { createEventLog, describeError } from '../log/event-log.ts';
import { counterDrivers, startTerminal, type Terminal } from '../processes/terminal.ts';
import { defaultConfigPath } from '../processes/terminal-config.ts';
import { readConfigOrExit } from './config.ts';

type RunOptions = { readonly config: string; readonly log: 'json' | 'pretty' };

const run = async (options: RunOptions): Promise<void> => {
  const config = readConfigOrExit(options.config);
  const log = createEventLog({ format: options.log, level: config.log.level });
  // An error that nobody expected ends the process, and the service manager begins a new one. Node would print its
  // message, which may quote what was being worked on.
  process.on('uncaughtException', (error) => {
    log.event('process.error', describeError(error));
    process.exit(70);
  });
  let terminal: Terminal;
  try {
    terminal = await startTerminal(config, await counterDrivers(config), log);
  } catch (error) {
    // What is wrong with keys or files is the technician's to mend: one line, no stack.
    process.stderr.write(`uketsuke run: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    log.event('process.stopping', { reason: 'signal' });
    terminal.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
};

/** `uketsuke run`: the terminal, until SIGTERM. */
export const register = (program: Command): void => {
  program
    .command('run')
    .description('the terminal at the counter, until SIGTERM')
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .option('--log <format>', 'json or pretty, on standard error', process.stderr.isTTY ? 'pretty' : 'json')
    .action((options: RunOptions) => run(options));
};
