import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { catalogueAt } from '../catalogue/load-catalogue.ts';
import { openTapeFile } from '../processes/record-visits-to-file.ts';
import { counterDrivers, startTerminal } from '../processes/terminal.ts';
import { defaultConfigPath } from '../processes/terminal-config.ts';
import { readGiven } from '../storage/read-given.ts';
import { formatTape, parseTape, type Replay, replayTape, type Tape } from '../terminal/visit/visit-tape.ts';
import { readConfigOrExit } from './config.ts';
import { reasonOf } from './say.ts';
import { processLogOption } from './typed-values.ts';
import { type ProcessOptions, untilStopped } from './until-stopped.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const keptFolder = new URL('../../test/flow/recorded/', import.meta.url);

/** The terminal itself, as `uketsuke run`, with its visits written down. */
const record = async (file: string, options: ProcessOptions): Promise<void> => {
  const config = readConfigOrExit(options.config);
  const tape = openTapeFile(file);
  await untilStopped('visit record', config, options.log, async (log) => {
    const terminal = await startTerminal(config, await counterDrivers(config, log), log);
    const stop = tape.record(terminal.runner, say);
    return {
      close: async () => {
        await terminal.close();
        stop();
      },
    };
  });
};

/** The system names its file itself. */
const inFile = (file: string, error: unknown): string =>
  error instanceof Error && 'path' in error ? reasonOf(error) : `${file}: ${reasonOf(error)}`;

const read = (command: Command, file: string): Tape => {
  try {
    return parseTape(readGiven(file).toString('utf8'));
  } catch (error) {
    return command.error(inFile(file, error), { exitCode: 2 });
  }
};

const play = (command: Command, file: string, tape: Tape): Replay => {
  try {
    return replayTape(tape, catalogueAt(tape.head.dayMs));
  } catch (error) {
    return command.error(inFile(file, error), { exitCode: 2 });
  }
};

const replay = (command: Command, file: string, options: { readonly json?: true }): void => {
  const { differs, ...replayed } = play(command, file, read(command, file));
  if (differs !== null) say(`line ${differs.line}\n  then  ${differs.was}\n  now   ${differs.is}`);
  if (options.json) say(JSON.stringify(replayed));
  else if (differs === null) say(`${replayed.events} events, the same states and screens`);
  process.exitCode = differs === null ? 0 : 1;
};

/** Kept tapes are replayed by test/flow/recorded-visits.test.ts from then on. */
const keep = (command: Command, file: string, name: string): void => {
  const tape = read(command, file);
  play(command, file, tape);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) command.error('a name in small letters with hyphens: what happened');
  const kept = fileURLToPath(new URL(`${name}.jsonl`, keptFolder));
  try {
    writeFileSync(kept, formatTape(tape), { flag: 'wx' });
  } catch (error) {
    command.error(inFile(kept, error));
  }
  say(`${kept}: replayed by every run of test/flow/recorded-visits.test.ts`);
};

export const register = (program: Command): void => {
  const visit = program
    .command('visit')
    .description('visits as data that can be shown to others: nothing of a person in them');
  visit
    .command('record <file>')
    .description('runs the terminal until SIGTERM and writes down its visits; stop uketsuke.service before')
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .addOption(processLogOption())
    .action(record);
  const replayCommand = visit
    .command('replay <file>')
    .description("runs a recorded visit through today's machine and screens; exit code 1 when something else follows")
    .option('--json', 'one JSON object as the last line');
  replayCommand.action((file: string, options: { readonly json?: true }) => replay(replayCommand, file, options));
  const keepCommand = visit.command('keep <file> <name>').description('makes a test of a recorded visit');
  keepCommand.action((file: string, name: string) => keep(keepCommand, file, name));
};
