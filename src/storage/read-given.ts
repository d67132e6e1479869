import { readFileSync, statSync } from 'node:fs';

/**
 * For `catch`: throws the system's error with the path that it is about. A folder opens as a file does and a disk fills
 * later, and what fails after the opening names no path.
 */
export const naming =
  (path: string) =>
  (error: NodeJS.ErrnoException): never => {
    throw Object.assign(error, 'path' in error ? {} : { path });
  };

/** A file that a person named. Throws, with its path, whatever is wrong. */
export const readGiven = (path: string): Buffer => {
  try {
    return readFileSync(path);
  } catch (error) {
    return naming(path)(error as NodeJS.ErrnoException);
  }
};

/**
 * A folder that a person named for what is to be carried away. Throws where there is none: made here, it would be on this
 * machine's own disk, below the name of a stick that is not mounted.
 */
export const needFolder = (path: string): void => {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Error(`${path}: there is no such folder: is the stick in, and mounted there?`);
};
