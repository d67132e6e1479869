import type { Command } from 'commander';
import { askReport } from '../../drivers/host/health-socket.ts';
import { defaultConfigPath } from '../processes/terminal-config.ts';
import { metricsOf } from '../processes/terminal-machine.ts';
import { healthReportSchema } from '../terminal/doctor/health.ts';
import { readConfigOrExit } from './config.ts';
import { tell } from './say.ts';

/** A terminal that runs answers at once. ms */
const healthMs = 2_000;

/** `uketsuke metrics`: the terminal's figures for a collector of text files; its page's port lies in a namespace of its own. */
export const register = (program: Command): void => {
  program
    .command('metrics')
    .description("the terminal's figures as Prometheus reads them; exit code 1 when it does not run")
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .action(async ({ config }: { readonly config: string }) => {
      const report = await askReport(healthReportSchema, readConfigOrExit(config).health.socket, healthMs);
      if (report?.figures !== undefined) {
        process.stdout.write(metricsOf(report.figures));
        return;
      }
      tell('the terminal does not answer on its health socket');
      process.exitCode = 1;
    });
};
