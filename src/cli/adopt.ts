import { readdirSync } from 'node:fs';
import type { Command } from 'commander';
import { defaultConfigPath } from '../processes/terminal-config.ts';
import { moveStore } from '../storage/move-store.ts';
import { separateKeys } from '../trust/separate-keys.ts';
import { readConfigOrExit } from './config.ts';
import { outcomeOf } from './run-commands.ts';
import { refuse } from './say.ts';

type Options = {
  readonly config: string;
  readonly formerStore: string;
  readonly linkUser: string;
  readonly terminalUser: string;
};

/** null: this machine has no such user, and files stay whose they are. */
const idsOf = async (user: string): Promise<{ uid: number; gid: number } | undefined> => {
  const idOf = async (flag: string): Promise<number> => Number((await outcomeOf('id', [flag, user], 10_000)).output);
  const [uid, gid] = [await idOf('-u'), await idOf('-g')];
  return uid && gid && process.getuid?.() === 0 ? { uid, gid } : undefined;
};

const adopt = async ({ config: path, formerStore, linkUser, terminalUser }: Options): Promise<void> => {
  const { paths } = readConfigOrExit(path);
  const owner = await idsOf(linkUser);
  readdirSync(paths.provisioning);
  const moved = await separateKeys(paths.provisioning, owner, await idsOf(terminalUser));
  for (const name of moved) process.stdout.write(`${paths.provisioning}/${name}: in the folder of its process\n`);
  if (await moveStore(formerStore, paths.store, owner)) process.stdout.write(`${formerStore}: now ${paths.store}\n`);
};

/** `uketsuke adopt`: once after an update, as root, with terminal and link stopped. Running it again changes nothing. */
export const register = (program: Command): void => {
  program
    .command('adopt')
    .description('brings keys and store of an earlier release to where this one looks for them; again is harmless')
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .option('--former-store <file>', 'where the store was', '/var/lib/uketsuke/terminal.sqlite')
    .option('--link-user <name>', 'who runs uketsuke link', 'uketsuke-link')
    .option('--terminal-user <name>', 'who runs uketsuke run', 'uketsuke')
    .action(async (options: Options) => {
      await adopt(options).catch((error: unknown) => refuse('adopt', error));
    });
};
