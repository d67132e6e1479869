import { existsSync } from 'node:fs';
import { chown, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../storage/make-folder.ts';
import { copyDurably, syncDirectory } from '../storage/rename-durably.ts';
import { cvIssuersFile } from './cv-trust.ts';
import { keyFiles, keyFolders } from './key-files.ts';

/** Whose file it becomes; undefined: whose it is. */
type Owner = { readonly uid: number; readonly gid: number };

const { tlsKey, tlsCertificate, facilityCa, signingKey, sealingKey, trust } = keyFiles;
const filesOf = {
  link: [tlsKey, tlsCertificate, facilityCa],
  terminal: [signingKey, sealingKey, trust, cvIssuersFile],
} as const;

/**
 * Up to release 19854c3 all keys of a device lay in one directory. Moves each to the folder of its process; an original
 * goes once all copies are on the disk, so that a power cut costs nothing but another run. Answers what was moved.
 */
export const separateKeys = async (
  deviceDirectory: string,
  linkOwner: Owner | undefined,
  terminalOwner?: Owner,
): Promise<readonly string[]> => {
  const { uid, gid } = await stat(deviceDirectory);
  const owners = { link: linkOwner ?? { uid, gid }, terminal: terminalOwner ?? { uid, gid } };
  const moved: string[] = [];
  for (const folder of [keyFolders.link, keyFolders.terminal]) {
    const target = join(deviceDirectory, folder);
    const names = filesOf[folder].filter((name) => existsSync(join(deviceDirectory, name)));
    if (names.length === 0) continue;
    await makeFolder(target, 0o700);
    await chown(target, owners[folder].uid, owners[folder].gid);
    for (const name of names) {
      // A file that is there already came with newer keys, or from a run before.
      if (!existsSync(join(target, name))) copyDurably(join(deviceDirectory, name), join(target, name));
      moved.push(name);
    }
  }
  syncDirectory(deviceDirectory);
  for (const name of moved) await rm(join(deviceDirectory, name));
  return moved;
};
