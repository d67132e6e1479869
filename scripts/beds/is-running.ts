import { readFileSync } from 'node:fs';

/** One that ended and whose parent has not asked yet, which may be never, has no command line any more. */
export const isRunning = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
};
