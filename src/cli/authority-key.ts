import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import {
  type AuthorityKeyAccess,
  authorityKeyState,
  lockAuthorityKey,
  newPassphrase,
  takeAuthorityKeyAway,
} from '../agent/provisioning/authority-key.ts';
import { naming } from '../storage/read-given.ts';

/** Options of every command that signs for the facility. */
export type AuthorityKeyOptions = { readonly caKey?: string; readonly caPassphraseFile?: string };

const credential = 'facility-ca-passphrase';

export const withAuthorityKey = (command: Command): Command =>
  command
    .option('--ca-key <file>', "the facility's CA key, where it was taken away to a stick")
    .option('--ca-passphrase-file <file>', `its passphrase; under systemd the credential ${credential} serves, too`);

/** The options, else the credential that the service manager handed over. */
export const authorityKeyAccess = async (
  { caKey, caPassphraseFile }: AuthorityKeyOptions,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<AuthorityKeyAccess> => {
  if (caKey !== undefined) return { file: caKey };
  const credentials = environment.CREDENTIALS_DIRECTORY;
  const path = caPassphraseFile ?? (credentials === undefined ? undefined : join(credentials, credential));
  if (path === undefined) return {};
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (caPassphraseFile === undefined && error.code === 'ENOENT') return undefined;
    return naming(path)(error);
  });
  return text === undefined ? {} : { passphrase: text.trim() };
};

type Explain = <A extends unknown[]>(work: (...args: A) => Promise<void>) => (...args: A) => Promise<void>;

export const addAuthorityKeyCommands = (agent: Command, orExplain: Explain): void => {
  const caKey = agent.command('ca-key').description("the key of the facility's CA: who has it can make terminals");
  const directory = ['--facility-dir <dir>', 'directory of `uketsuke provision`'] as const;
  type Options = AuthorityKeyOptions & { readonly facilityDir: string };
  caKey
    .command('state')
    .description('locked, clear or away')
    .requiredOption(...directory)
    .action(
      orExplain(async ({ facilityDir }: Options) => {
        process.stdout.write(`${await authorityKeyState(facilityDir)}\n`);
      }),
    );
  withAuthorityKey(caKey.command('lock').requiredOption(...directory))
    .description('puts it under a new passphrase, which is printed once')
    .action(
      orExplain(async (options: Options) => {
        const passphrase = newPassphrase();
        await lockAuthorityKey(options.facilityDir, await authorityKeyAccess(options), passphrase);
        process.stdout.write(`${passphrase}\n`);
      }),
    );
  withAuthorityKey(caKey.command('take-away <file>').requiredOption(...directory))
    .description('writes it to a stick, reads it back, and leaves none here')
    .action(
      orExplain(async (file: string, options: Options) =>
        takeAuthorityKeyAway(options.facilityDir, await authorityKeyAccess(options), file),
      ),
    );
};
