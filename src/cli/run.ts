import type { Command } from 'commander';
import { counterDrivers, startTerminal } from '../processes/terminal.ts';
import { defaultConfigPath } from '../processes/terminal-config.ts';
import { readConfigOrExit } from './config.ts';
import { type ProcessOptions, untilStopped } from './until-stopped.ts';

const run = async (options: ProcessOptions): Promise<void> => {
  const config = readConfigOrExit(options.config);
  await untilStopped('run', config, options.log, async (log) =>
    startTerminal(config, await counterDrivers(config, log), log),
  );
};

/** `uketsuke run`: the terminal, until SIGTERM. Link and face process are started beside it. */
export const register = (program: Command): void => {
  program
    .command('run')
    .description('the terminal at the counter, until SIGTERM')
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .option('--log <format>', 'json or pretty, on standard error', process.stderr.isTTY ? 'pretty' : 'json')
    .action((options: ProcessOptions) => run(options));
};
