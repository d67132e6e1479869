import type { Command } from 'commander';
import { keepWatch } from '../../drivers/host/keep-watch.ts';
import { openLogFile } from '../../drivers/host/log-file.ts';
import { runAsWindowsService } from '../../drivers/host/windows-service.ts';
import { createEventLog, describeError } from '../log/event-log.ts';

/** Longer than the watching process gives its child. ms */
const stopWithinMs = 15_000;

/**
 * Watches over `uketsuke <words>` as a service of Windows. Loads little: the service manager gives a process 30 s until it
 * says what it is. A service has neither standard output nor error: everything goes to a file.
 */
const serve = (name: string, words: readonly string[], { logFile }: { readonly logFile: string }): void => {
  const { file, write } = openLogFile(logFile);
  const log = createEventLog({ format: 'json', write });
  process.on('uncaughtException', (error) => {
    log.event('process.error', describeError(error));
    process.exit(70);
  });
  let watch: { readonly stop: () => Promise<void> } | null = null;
  runAsWindowsService(name, async () => watch?.stop(), stopWithinMs);
  watch = keepWatch([process.argv[1] ?? '', ...words], log, file);
};

/** `uketsuke windows-service`: what `uketsuke provision clinic` lets Windows start; nobody has to call it. */
export const register = (program: Command): void => {
  program
    .command('windows-service <name> <words...>')
    .description('a command of uketsuke as a service of Windows, which `provision clinic` makes')
    .requiredOption('--log-file <file>', 'where its event log goes')
    .passThroughOptions()
    .action(serve);
};
