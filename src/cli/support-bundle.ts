import { writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { askReport } from '../../drivers/host/health-socket.ts';
import { faultNames } from '../catalogue/faults.ts';
import { makeSupportBundle } from '../log/support-bundle.ts';
import { readAgentConfig } from '../processes/agent-config.ts';
import { version } from '../processes/release.ts';
import { defaultConfigPath, loadConfig } from '../processes/terminal-config.ts';
import { readGiven } from '../storage/read-given.ts';
import { outcomeOf } from './run-commands.ts';
import { explained, tell } from './say.ts';

type Options = { readonly config: string; readonly dir?: string; readonly out?: string };

const main = join(import.meta.dirname, '..', 'main.ts');
/** A doctor answers within 5 s. ms */
const doctorMs = 30_000;
/** A terminal that runs answers at once. ms */
const healthMs = 2_000;
const lines = '2000';

/** Whatever it says: of another release, too, what is known is admitted one by one. */
const told = z.record(z.string(), z.unknown());
const doctorTold = z.object({ diagnoses: z.array(told) });
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** The doctor's lines; [] where it could not even begin. */
const diagnoses = async (config: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
  const { output } = await outcomeOf(process.execPath, [main, 'doctor', '--json', '--config', config], doctorMs);
  try {
    return doctorTold.parse(JSON.parse(output)).diagnoses;
  } catch {
    return [];
  }
};

/** Of all units of ours, whatever they printed: what is no line of the event log is left out by the bundle. */
const journal = async (): Promise<readonly string[]> => {
  const args = ['-u', 'uketsuke*', '-n', lines, '-o', 'cat', '--no-pager'];
  return (await outcomeOf('journalctl', args, doctorMs)).output.split('\n').filter((line) => line !== '');
};

const configurationOf = async ({ config, dir }: Options): Promise<unknown> => {
  if (dir !== undefined) return readAgentConfig(dir).catch(() => null);
  const bytes = await readFile(config).catch(() => null);
  const read = bytes === null ? null : loadConfig(bytes);
  return read?.ok ? read.value : null;
};

const healthOf = async (configuration: unknown): Promise<Readonly<Record<string, unknown>>> => {
  const health = isRecord(configuration) && isRecord(configuration.health) ? configuration.health.socket : undefined;
  return (typeof health === 'string' ? await askReport(told, health, healthMs) : null) ?? {};
};

const write = async (options: Options, command: Command): Promise<void> => {
  // Of a mistyped file or folder the defaults would be sent as if they were the clinic's.
  if (command.getOptionValueSource('config') === 'cli') readGiven(options.config);
  if (options.dir !== undefined) await readdir(options.dir);
  const configuration = await configurationOf(options);
  const [found, log, health] = await Promise.all([diagnoses(options.config), journal(), healthOf(configuration)]);
  const { profile, device } = isRecord(configuration) ? configuration : {};
  const bundle = makeSupportBundle({
    about: { version, node: process.version, profile, device, state: health.state },
    diagnoses: found,
    faults: new Set(faultNames),
    figures: isRecord(health.figures) ? health.figures : {},
    configuration,
    log,
  });
  const day = new Date().toISOString().slice(0, 10);
  const file = options.out ?? `uketsuke-support-${hostname()}-${day}.json.gz`;
  writeFileSync(file, bundle, { mode: 0o600 });
  tell('written: {file} ({bytes} bytes); nothing of a patient is in it', { file, bytes: bundle.length });
};

/** `uketsuke support-bundle`: what a maker needs to see, to be sent by whoever looks after the machine. */
export const register = (program: Command): void => {
  program
    .command('support-bundle')
    .description('what a maker needs to see of this machine, in one file without a trace of a person')
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .option('--dir <dir>', "on the clinic's PC: the agent's directory")
    .option('--out <file>', 'where it is written')
    .action(explained('support-bundle')(write));
};
