import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolderSync } from '../../src/storage/make-folder.ts';
import { replaceDurably } from '../../src/storage/rename-durably.ts';

/** The last confirmed time that an earlier run saw, ms since 1970 UTC; null where there is none that can be read. */
export const readLastTime = (path: string): number | null => {
  try {
    const wallMs = Number(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(wallMs) && wallMs > 0 ? wallMs : null;
  } catch {
    return null;
  }
};

/** Whole or not at all. A disk that refuses costs the next start its floor, nothing else. */
export const writeLastTime = (path: string, wallMs: number): void => {
  try {
    makeFolderSync(dirname(path), 0o700);
    replaceDurably(path, String(Math.round(wallMs)), 0o600);
  } catch {
    // Told by whoever needs the disk for more than this.
  }
};
