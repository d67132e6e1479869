import type { Command } from 'commander';
import { startLink } from '../processes/link.ts';
import { defaultConfigPath } from '../processes/terminal-config.ts';
import { readConfigOrExit } from './config.ts';
import { type ProcessOptions, untilStopped } from './until-stopped.ts';

/** `uketsuke link`: the terminal's outbox and its connection to the broker, until SIGTERM. */
export const register = (program: Command): void => {
  program
    .command('link')
    .description("the terminal's outbox and its connection to the broker, until SIGTERM")
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .option('--log <format>', 'json or pretty, on standard error', process.stderr.isTTY ? 'pretty' : 'json')
    .action((options: ProcessOptions) => {
      const config = readConfigOrExit(options.config);
      return untilStopped('link', config, options.log, (log) => startLink(config, log));
    });
};
