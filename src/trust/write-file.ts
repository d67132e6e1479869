import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../storage/make-folder.ts';
import { giveToOwner, renameDurably } from '../storage/rename-durably.ts';

const putInPlace = (aside: string, path: string): void => {
  try {
    renameDurably(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    renameDurably(path, aside.replace(/part$/, 'moved-away'));
    renameDurably(aside, path);
  }
};

/**
 * Mode 0600 in a directory of mode 0700, to the disk, then renamed, and the name to the disk: whole or not at all. What
 * root writes belongs to the directory's owner: the process that the directory was made for reads it. A directory of this
 * name is moved away (`.moved-away`): else no remedy could ever write there. Throws as the file
 * system does.
 */
export const writeFileAtomically = async (path: string, text: string): Promise<void> => {
  await makeFolder(dirname(path), 0o700);
  const aside = `${path}.${randomBytes(6).toString('hex')}.part`;
  const file = await open(aside, 'wx', 0o600);
  try {
    await file
      .writeFile(text)
      .then(() => file.sync())
      .finally(() => file.close());
    giveToOwner(aside);
    putInPlace(aside, path);
  } catch (error) {
    // Whoever tries again and again on a full disk, or at a name that takes no file, must not leave one each time.
    await rm(aside, { force: true });
    throw error;
  }
};
