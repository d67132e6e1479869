import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { printYaml } from '../config-file/plain-yaml.ts';
import { printProblems } from '../config-file/read-settings.ts';
import { type Config, configSchema, defaultConfigPath, exampleOf, loadConfig } from '../processes/terminal-config.ts';

/** Reads and checks the configuration; what is wrong goes to standard error and the exit code is 2. */
export const readConfigOrExit = (path: string): Config => {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    process.stderr.write(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})\n`);
    process.exit(2);
  }
  const read = loadConfig(bytes);
  if (read.ok) return read.value;
  process.stderr.write(printProblems(path, read.failure));
  process.exit(2);
};

export const register = (program: Command): void => {
  const config = program.command('config').description("the terminal's configuration file: check, show, example");
  config
    .command('check')
    .description('tells what is wrong, with line, column and the nearest valid key; exit code 2 when something is')
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .action((options: { config: string }) => {
      readConfigOrExit(options.config);
      process.stdout.write(`${options.config}: OK\n`);
    });
  config
    .command('show')
    .description('every setting that holds, defaults included')
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .option('--json', 'as JSON')
    .action((options: { config: string; json?: true }) => {
      const settings = readConfigOrExit(options.config);
      process.stdout.write(options.json ? `${JSON.stringify(settings)}\n` : printYaml(settings));
    });
  config
    .command('example')
    .description('a commented file to begin with')
    .action(() => {
      process.stdout.write(exampleOf(configSchema, 'Uketsuke terminal. Check it with: uketsuke config check'));
    });
};
