import { existsSync, readFileSync, statSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { printYaml } from '../config-file/plain-yaml.ts';
import { printProblems } from '../config-file/read-settings.ts';
import { type EmbeddingEntry, parseManifest, refuseUnverified, thresholdFor } from '../face/models/manifest.ts';
import {
  type Config,
  configSchema,
  copiesOfConfig,
  defaultConfigPath,
  exampleOf,
  loadConfig,
} from '../processes/terminal-config.ts';
import { readGiven } from '../storage/read-given.ts';
import { writeFileAtomically } from '../trust/write-file.ts';
import { run } from './run-commands.ts';
import { inWords, inWordsOf, linesInWords, reasonOf, tell } from './say.ts';

/** Reads and checks the configuration; what is wrong goes to standard error and the exit code is 2. */
export const readConfigOrExit = (path: string): Config => {
  let bytes: Uint8Array;
  try {
    bytes = path === '-' ? readFileSync(0) : readGiven(path);
  } catch (error) {
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exit(2);
  }
  const read = loadConfig(bytes);
  if (read.ok) return read.value;
  process.stderr.write(linesInWords(printProblems(path, read.failure)));
  process.exit(2);
};

/** What a terminal with these settings will not have, by itself no mistake: told, so that nobody finds out at the counter. */
const partsOff = ({ cardFrontReader, keypad, speaker, statusLight }: Config): string[] =>
  [
    cardFrontReader.driver === 'none' &&
      inWords('cardFrontReader.driver is none: no matching of faces; PIN and staff check remain'),
    keypad.driver === 'none' && inWords('keypad.driver is none: the PIN is typed on the screen'),
    speaker.driver === 'none' && inWords('speaker.driver is none: no voice'),
    statusLight.driver === 'none' && inWords('statusLight.driver is none: no light'),
  ].filter((line) => line !== false);

/** A face path whose model or threshold this profile refuses would fail at the first patient. null: none, or accepted. */
const refusedModel = ({ cardFrontReader, face, paths, profile }: Config): string | null => {
  if (cardFrontReader.driver === 'none') return null;
  const place = join(paths.models, 'manifest.json');
  if (!existsSync(place)) return null;
  const manifest = parseManifest(readFileSync(place, 'utf8'));
  if (!manifest.ok) return `${place}: ${manifest.failure.detail}`;
  const wanted = manifest.value.models.find(({ id, role }) => id === face.embeddingModel && role === 'embedding');
  if (wanted === undefined) return `face.embeddingModel: ${place} has no embedding model "${face.embeddingModel}"`;
  if (refuseUnverified([wanted], profile, face.acceptUnverifiedModels) !== null)
    return `face.acceptUnverifiedModels: profile ${profile} refuses ${face.embeddingModel}, whose licence is not verified; name it here once the facility has accepted it (models/README.md), or set cardFrontReader.driver: none`;
  const threshold = thresholdFor(wanted as EmbeddingEntry, profile, face.threshold);
  return threshold.ok ? null : `profile ${profile} refuses it: ${threshold.failure.detail}`;
};

/** So that a slip of the hand can be undone. Only what holds is kept. */
export const keepGoodConfig = async (path: string): Promise<void> => {
  const bytes = readFileSync(path);
  if (loadConfig(bytes).ok) await writeFileAtomically(copiesOfConfig(path).good, bytes.toString('utf8'));
};

/** The units that read it when they begin */
export const readersOfConfig: readonly string[] = ['uketsuke-link', 'uketsuke-face', 'uketsuke'];

/** The last good one in its place; what lay there stays beside it for whoever wants to see what was wrong. */
const restoreConfig = async (path: string): Promise<void> => {
  const kept = copiesOfConfig(path).good;
  if (!existsSync(kept)) {
    tell('{file}: there is none; `uketsuke provision terminal` makes one', { file: kept });
    process.exit(1);
  }
  const good = readFileSync(kept, 'utf8');
  readConfigOrExit(kept);
  const { replaced } = copiesOfConfig(path);
  if (statSync(path, { throwIfNoEntry: false })?.isFile())
    await writeFileAtomically(replaced, readFileSync(path, 'utf8'));
  await writeFileAtomically(path, good);
  await chmod(path, 0o644);
  process.stdout.write(
    `${inWords('{file}: as in {kept}; what it held before is in {replaced}', { file: path, kept, replaced })}\n`,
  );
  if (path !== defaultConfigPath) return;
  try {
    await run('systemctl', 'restart', ...readersOfConfig);
  } catch (error) {
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exit(1);
  }
};

export const register = (program: Command): void => {
  const config = program.command('config').description("the terminal's configuration file: check, show, example");
  config
    .command('check')
    .description('tells what is wrong, with line, column and the nearest valid key; exit code 2 when something is')
    .option('--config <file>', 'configuration file; - reads standard input', defaultConfigPath)
    .option('--keep', 'and keeps it as the last good one, for `config restore`')
    .action(async (options: { config: string; keep?: true }) => {
      const config = readConfigOrExit(options.config);
      const unusable = refusedModel(config);
      if (unusable !== null) {
        process.stderr.write(`${options.config}: ${inWordsOf(unusable)}\n`);
        process.exit(2);
      }
      for (const part of partsOff(config)) process.stderr.write(`${options.config}: ${part}\n`);
      process.stdout.write(`${options.config}: OK\n`);
      if (options.keep && options.config !== '-') await keepGoodConfig(options.config);
    });
  config
    .command('restore')
    .description('the last good configuration in its place again; all that read it begin anew')
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .action((options: { config: string }) => restoreConfig(options.config));
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
