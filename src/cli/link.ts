import type { Command } from 'commander';
import { startLink } from '../processes/link.ts';
import { registerProcess } from './until-stopped.ts';

/** `uketsuke link`: the terminal's outbox and its connection to the broker, until SIGTERM. */
export const register = (program: Command): void =>
  registerProcess(program, 'link', "the terminal's outbox and its connection to the broker, until SIGTERM", startLink);
