import type { Command } from 'commander';
import { counterDrivers, startTerminal } from '../processes/terminal.ts';
import { registerProcess } from './until-stopped.ts';

/** `uketsuke run`: the terminal, until SIGTERM. Link and face process are started beside it. */
export const register = (program: Command): void =>
  registerProcess(program, 'run', 'the terminal at the counter, until SIGTERM', async (config, log) =>
    startTerminal(config, await counterDrivers(config, log), log),
  );
