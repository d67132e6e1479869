import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { oqsFolders } from '../agent/oqs-folder/write-oqs-file.ts';
import { agentFiles } from '../agent/provisioning/agent-keys.ts';
import { authorityKeyFiles, facilityFile } from '../agent/provisioning/authority-key.ts';
import { issuingFiles } from '../agent/provisioning/issuing-authority.ts';
import { readAgentConfig } from '../processes/agent-config.ts';
import { copiesOfConfig, defaultConfigPath } from '../processes/terminal-config.ts';
import { orMissing } from '../storage/or-missing.ts';
import { eraseTree, fillFreeSpace, freeSpaceOf } from '../trust/erase.ts';
import { keyFiles } from '../trust/key-files.ts';
import { readConfigOrExit } from './config.ts';
import { exists } from './provision-places.ts';
import { refuse, tell } from './say.ts';

type EraseOptions = {
  readonly config?: string;
  readonly agentDir?: string;
  readonly facilityDir?: string;
  readonly yes?: true;
  readonly keepFreeSpace?: true;
};

const fail = (reason: unknown): never => refuse('erase', reason);

/** Files of a directory of ours; one of them is enough, as an erasure may have been cut off anywhere. */
const ownFiles: ReadonlySet<string> = new Set([
  ...['agent.yaml', 'facility-settings.yaml', 'journal.sqlite', facilityFile, ...authorityKeyFiles],
  ...[agentFiles, keyFiles, issuingFiles].flatMap((files) => Object.values(files)),
]);
/** Of a facility. Others have folders of these names, too: what lies in them tells. */
const facilityFolders = ['agents', 'broker', 'devices'];

const isOurs = async (directory: string, names: readonly string[]): Promise<boolean> => {
  if (names.some((name) => ownFiles.has(name))) return true;
  for (const folder of facilityFolders.filter((name) => names.includes(name)))
    if ((await readdir(join(directory, folder), { recursive: true })).some((path) => ownFiles.has(basename(path))))
      return true;
  return false;
};

/**
 * A mistyped folder goes with all below it, and nobody has it back. One that is not there is told: it may be gone already,
 * with the free space still to be filled.
 */
const refuseForeign = async (directory: string): Promise<void> => {
  const names = await readdir(directory).catch(orMissing);
  if (names === null) tell('{path} is not there: mistyped, or erased before?', { path: directory });
  else if (names.length > 0 && !(await isOurs(directory, names)))
    throw new Error(`${directory}: nothing of ours lies there, so nothing is erased: is the folder right?`);
};

/** A store with all that SQLite and we put beside it: write-ahead log, backups before a migration, what was set aside. */
const storeFiles = async (path: string): Promise<string[]> => {
  const directory = dirname(path);
  const names = (await exists(directory)) ? await readdir(directory) : [];
  const own = path.slice(directory.length + 1);
  return names.filter((name) => name.startsWith(own)).map((name) => join(directory, name));
};

const terminalPaths = async (configFile: string): Promise<string[]> => {
  const config = readConfigOrExit(configFile);
  const renewed = ['tls-renewed.pem', 'tls-former.pem', 'tls-next-key.pem'];
  return [
    config.paths.provisioning,
    ...(await storeFiles(config.paths.store)),
    ...renewed.map((name) => join(dirname(config.paths.store), name)),
    configFile,
    ...Object.values(copiesOfConfig(configFile)),
  ];
};

/** Files for the レセコン and questions from it hold names and numbers; the folders themselves belong to it. */
const agentPaths = async (directory: string): Promise<string[]> => {
  const config = await readAgentConfig(directory);
  const files: string[] = [];
  for (const folder of oqsFolders) {
    const path = join(config.oqsFolder, folder);
    if (!(await exists(path))) continue;
    for (const name of await readdir(path)) if (/^\.?OQS/.test(name)) files.push(join(path, name));
  }
  return [
    ...files,
    ...(await storeFiles(config.journal)),
    join(dirname(config.journal), 'simulated-service.json'),
    // With what share-files.ts laid beside them.
    ...(await storeFiles(config.staffFile)),
    ...(await storeFiles(config.settingsFile)),
    ...[config.cardTrust, directory],
  ];
};

const erase = async (options: EraseOptions): Promise<void> => {
  for (const directory of [options.agentDir, options.facilityDir])
    if (directory !== undefined) await refuseForeign(resolve(directory));
  const paths = [
    ...(options.config === undefined ? [] : await terminalPaths(options.config)),
    ...(options.agentDir === undefined ? [] : await agentPaths(resolve(options.agentDir))),
    ...(options.facilityDir === undefined ? [] : [resolve(options.facilityDir)]),
  ];
  if (paths.length === 0) return fail('name what is to be erased: --config, --agent-dir or --facility-dir');
  if (!options.yes) {
    process.stdout.write(`${paths.join('\n')}\n`);
    return fail('nothing is erased without --yes; stop the services first');
  }
  // Where the files lie, before they are gone: the free space of those file systems is filled.
  const places = [...new Set(paths.map((path) => dirname(path)))];
  let files = 0;
  for (const path of paths) files += await eraseTree(path);
  let filled = 0;
  if (!options.keepFreeSpace)
    for (const place of places)
      if ((await exists(place)) && (await freeSpaceOf(place)) > 0) filled += await fillFreeSpace(place);
  process.stdout.write(`${JSON.stringify({ files, filledBytes: filled })}\n`);
};

/** `uketsuke erase`: before a device is given away, thrown away or sent in for repair. */
export const register = (program: Command): void => {
  program
    .command('erase')
    .description('leaves nothing of patients or keys on a device that is given away; stop the services first')
    .option('--config [file]', `a terminal, by its configuration (${defaultConfigPath})`)
    .option('--agent-dir <dir>', "a clinic's end: keys, journal, staff codes, files in the OQS folders")
    .option('--facility-dir <dir>', 'the directory of `uketsuke provision`: the whole facility')
    .option('--keep-free-space', 'does not overwrite what is free (quick, and old copies stay readable)')
    .option('--yes', 'does it; without, it only lists what would go')
    .action(async ({ config, ...options }: Omit<EraseOptions, 'config'> & { config?: string | true }) => {
      const file = config === true ? defaultConfigPath : config;
      await erase({ ...options, ...(file !== undefined && { config: file }) }).catch(fail);
    });
};
