import { readFileSync } from './fs.ts';

/* Of node:fs/promises what the product reads with. The folder for the レセコン has a simulated disk of its own. */
const later =
  <A extends unknown[], T>(work: (...args: A) => T) =>
  async (...args: A): Promise<T> =>
    work(...args);

export const readFile = later(readFileSync);
/** In the place of all that this file lacks (scripts/playground/build.ts) */
export const unwritable = async (path: string): Promise<never> => {
  throw Object.assign(new Error(`EROFS: ${path}`), { code: 'EROFS' });
};
export const mkdir = async (): Promise<void> => {};
export const realpath = later((path: string) => path);
/** So much room that nobody warns of it */
export const statfs = async () => ({ bsize: 4_096, bavail: 1e9, blocks: 2e9, bfree: 1e9 });
