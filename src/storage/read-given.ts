import { readFileSync } from 'node:fs';

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
