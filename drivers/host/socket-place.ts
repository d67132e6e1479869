import { lstatSync, rmSync } from 'node:fs';

/**
 * Makes room for a Unix socket: what a killed process left behind goes. Anything else that lies there is somebody's, and
 * stays: throws with the code that the doctor uses, too.
 */
export const clearSocketPlace = (path: string): void => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  const kind = found.isDirectory() ? 'a directory' : found.isSocket() ? null : 'a file';
  if (kind !== null)
    throw new Error(`socket.place-taken: ${path}: ${kind} lies where the socket must be; move it away`);
  rmSync(path, { force: true });
};
