import { statfs } from 'node:fs/promises';

/** A store, its log and what is written atomically beside them need a handful. */
const leastNames = 64;

/**
 * Bytes that a file made anew may have in a folder. Where no name can be made any more there is no room, however many bytes
 * are free; some file systems count no names. Throws as the file system does.
 */
export const freeBytesIn = async (folder: string, read: typeof statfs = statfs): Promise<number> => {
  const { bavail, bsize, files, ffree } = await read(folder);
  return files > 0 && ffree < leastNames ? 0 : bavail * bsize;
};
