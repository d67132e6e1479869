import { readdir, rm, writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { makeOqsFolders } from '../agent/oqs-folder/write-oqs-file.ts';
import { renameDurably, syncFile } from '../storage/rename-durably.ts';
import { openBackup, proveBackup, sealBackup } from './backup-file.ts';
import { packFolder, unpackFolder } from './folder-archive.ts';
import type { ClinicPlaces, ClinicSystem } from './provision-places.ts';
import { settleRestored } from './restored-journal.ts';

/*
 * The clinic's end on Windows lies in one folder, the agent's directory and the broker's files in it. It comes back in a
 * folder that holds nothing yet, and is none before it is whole: facility.json, by which everything else knows a facility,
 * has its name last.
 */

const facilityName = 'facility.json';
const asideName = `${facilityName}.restoring`;
/** There from the first moment of a restore until facility.json has its name: what lies beside it may go for a new try. */
const markName = 'restoring';

const liesIn = (folder: string, file: string): boolean => {
  const way = relative(folder, resolve(file));
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
};

/** Before anything is made or copied there. Throws where a restore was cut off: only its file can make that whole. */
export const refuseHalfRestored = async ({ facility }: Pick<ClinicPlaces, 'facility'>): Promise<void> => {
  const names = await readdir(facility).catch((): string[] => []);
  if (!names.includes(markName)) return;
  if (!names.includes(facilityName))
    throw new Error(`${facility} is half restored: \`uketsuke provision restore\` once more, with the same file`);
  // Cut off between its last two steps.
  await rm(join(facility, markName));
};

/** To be called while no agent writes. */
export const writeFolderBackup = async (
  file: string,
  passphrase: string,
  { facility }: Pick<ClinicPlaces, 'facility'>,
  interrupted?: AbortSignal,
): Promise<void> => {
  if (liesIn(facility, file)) throw new Error(`${file}: the backup must lie outside of ${facility}`);
  await refuseHalfRestored({ facility });
  const names = await readdir(facility).catch((): string[] => []);
  if (!names.includes(facilityName)) throw new Error(`${facility}: there is no facility here that could be copied`);
  await sealBackup(file, passphrase, 'windows', packFolder(facility), { interrupted });
};

/** Throws where something is that a restore must not touch. */
const refuseLiving = async ({ facility }: Pick<ClinicPlaces, 'facility'>): Promise<void> => {
  const names = await readdir(facility).catch((): string[] => []);
  if (names.includes(facilityName))
    throw new Error(`${facility} holds a facility already: a backup goes back only to a PC that has none`);
  if (names.length > 0 && !names.includes(markName))
    throw new Error(`${facility} holds something already: look what it is, and give the folder another name first`);
};

type Closing = Pick<ClinicSystem, 'closePlaces' | 'closeToAgent' | 'giveToAgent'>;

/**
 * Closes the folder before anything of ours lies in it, unpacks, and gives the rights as `provision clinic` does. Cut off,
 * it is called again. `closedFiles`: names in the folder that are not for the agent. Answers how far the journal reaches.
 */
export const restoreFolder = async (
  file: string,
  passphrase: string,
  places: ClinicPlaces,
  system: Closing,
  closedFiles: readonly string[],
): Promise<Date> => {
  const { facility, agent, oqs } = places;
  await refuseLiving(places);
  await proveBackup(file, passphrase, 'windows');
  await system.closePlaces();
  const mark = join(facility, markName);
  await writeFile(mark, '');
  syncFile(mark);
  for (const name of await readdir(facility))
    if (name !== markName) await rm(join(facility, name), { recursive: true, force: true });
  const nameOf = (path: string): string => (path === facilityName ? asideName : path);
  await openBackup(file, passphrase, 'windows', (parts) => unpackFolder(parts, facility, nameOf));
  const until = await settleRestored(agent);
  await makeOqsFolders(oqs);
  // Windows takes no notice of capitals.
  for (const name of await readdir(facility))
    if (closedFiles.includes(name.toLowerCase())) await system.closeToAgent(join(facility, name));
  await system.giveToAgent();
  renameDurably(join(facility, asideName), join(facility, facilityName));
  await rm(mark);
  return until;
};
