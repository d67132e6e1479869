import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { inspectBundle } from '../../drivers/update-board/rauc-bundle.ts';
import { deviceUpdatePlaces, readUpdateRecord } from '../../drivers/update-board/rauc-update-board.ts';
import { updateStatusSchema, wordsOfStatus } from '../catalogue/update-status.ts';
import { updateRefusalWords } from '../catalogue/update-words.ts';
import { refusalOf } from '../core/update/judge-bundle.ts';
import { initialUpdate } from '../core/update/update-machine.ts';
import { compatibleOf } from '../processes/compatible.ts';
import { version } from '../processes/release.ts';
import { defaultConfigPath } from '../processes/terminal-config.ts';
import { startUpdates } from '../processes/update-process.ts';
import { readConfigOrExit } from './config.ts';
import { refuse, speaksJapanese } from './say.ts';
import { registerProcess } from './until-stopped.ts';

const languageOfLocale = (): 'ja' | 'en' => (speaksJapanese() ? 'ja' : 'en');

const showStatus = ({ config: path, json }: { config: string; json?: true }): void => {
  const { updates } = readConfigOrExit(path);
  let text: string;
  try {
    text = readFileSync(updates.status, 'utf8');
  } catch {
    return refuse('update', `${updates.status}: no update process has run since this machine was switched on`);
  }
  const status = updateStatusSchema.parse(JSON.parse(text));
  process.stdout.write(
    json ? `${JSON.stringify(status)}\n` : `${wordsOfStatus(status, languageOfLocale()).join('\n')}\n`,
  );
};

const check = async (file: string, { json }: { json?: true }): Promise<void> => {
  const bundle = await inspectBundle(file);
  if (bundle === null) {
    return refuse('update check', `${file}: cannot be read`);
  }
  const record = readUpdateRecord(deviceUpdatePlaces.record) ?? initialUpdate.record;
  const refused = refusalOf(bundle, { version, compatible: compatibleOf(), record });
  if (json) process.stdout.write(`${JSON.stringify({ ...bundle, refused })}\n`);
  else
    process.stdout.write(
      `${file}: ${bundle.version || '?'} ${refused === null ? 'OK' : updateRefusalWords[refused][languageOfLocale()]}\n`,
    );
  process.exitCode = refused === null ? 0 : 1;
};

/** `uketsuke update run | status | check`: releases of a device with two slots (docs/updating.md). */
export const register = (program: Command): void => {
  const update = program
    .command('update')
    .description('releases of a terminal with two slots: what is installed, what waits, why');
  registerProcess(
    update,
    'run',
    'installs what lies in the folder of bundles, when it may; until SIGTERM',
    startUpdates,
  );
  update
    .command('status')
    .description('what runs, what waits and why, how the last one went')
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .option('--json', 'as one JSON object')
    .action(showStatus);
  update
    .command('check')
    .description('whether this bundle would be installed here; exit status 1: no')
    .argument('<file>', 'a bundle (.raucb)')
    .option('--json', 'as one JSON object')
    .action(check);
};
