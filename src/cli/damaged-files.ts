import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DamagedFile } from '../terminal/doctor/examination.ts';
import { shutOnTheWay } from '../terminal/doctor/machine-checks.ts';
import { leftMs } from './doctor-budget.ts';

/*
 * What `dpkg --verify` tells of our packages, by dpkg's own list of sums, and the likeliest first: dpkg reads 300 MB in the
 * order of the package, and on a busy machine the doctor's time is over before it comes to the file that is missing.
 */

const packages = ['uketsuke', 'uketsuke-terminal', 'uketsuke-agent', 'uketsuke-kiosk'];

/** `md5` null: what is in it has a check of its own */
type Listed = DamagedFile & { readonly md5: string | null };

/** Our own code, then what it is built on, then Node itself. Configuration is the technician's, documents harm nobody. */
const likeliest = [/^usr\/lib\/uketsuke\/(src|drivers)\//, /^(?!usr\/lib\/uketsuke\/node\/)/, /^/];
const isPassedOver = (path: string): boolean => /^(etc|usr\/share\/doc)\//.test(path);
const isModel = (path: string): boolean => path.includes('/uketsuke/models/');

const listed = async (info: string): Promise<readonly Listed[] | null> => {
  const names = await readdir(info).catch(() => []);
  const lists = names.flatMap((file) => {
    const [, name = ''] = /^([a-z-]+)(?::\w+)?\.md5sums$/.exec(file) ?? [];
    return packages.includes(name) ? [{ name, file }] : [];
  });
  if (lists.length === 0) return null;
  const all = await Promise.all(
    lists.map(async ({ name, file }) =>
      (await readFile(join(info, file), 'utf8')).split('\n').flatMap((line) => {
        const [, md5 = '', path = ''] = /^([0-9a-f]{32}) {2}(.+)$/.exec(line) ?? [];
        return path === '' || isPassedOver(path) ? [] : [{ package: name, path, md5: isModel(path) ? null : md5 }];
      }),
    ),
  );
  const rank = ({ path }: Listed): number => likeliest.findIndex((pattern) => pattern.test(path));
  return all.flat().sort((one, other) => rank(one) - rank(other));
};

/**
 * What our processes, each as its own user, read of the program; a doctor that is root may read everything. What other
 * programs read for us may lie in folders of their own: polkit's rules are polkit's alone.
 */
const isReadByOurs = (path: string): boolean => path.startsWith('usr/lib/uketsuke');

/** Whoever asks is not root: nothing is known of it. */
const isShutToUs = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EACCES';

const isAsInstalled = async (
  path: string,
  md5: string | null,
  isOpen: ((folder: string) => Promise<boolean>) | null,
): Promise<boolean> => {
  const is = await stat(path).catch((error: unknown) => (isShutToUs(error) ? 'shut' : null));
  if (is === null) return md5 === null;
  if (is === 'shut') return true;
  if (isOpen !== null && ((is.mode & 0o004) === 0 || !(await isOpen(dirname(path))))) return false;
  if (md5 === null) return true;
  const hash = createHash('md5');
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
    return hash.digest('hex') === md5;
  } catch (error) {
    return isShutToUs(error);
  }
};

/** So many are read at once. */
const atOnce = 8;
/** Left for what is made of it. ms */
const judgingMs = 400;

/** null: no packages, or none found in the time there was, which did not suffice for all of them. */
export const damagedFiles = async (): Promise<readonly DamagedFile[] | null> => {
  const { DPKG_ROOT: root = '/', DPKG_ADMINDIR: place = '/var/lib/dpkg' } = process.env;
  const endMs = performance.now() + leftMs() - judgingMs;
  const open = await listed(join(place, 'info'));
  if (open === null) return null;
  const damaged: DamagedFile[] = [];
  const folders = new Map<string, Promise<boolean>>();
  const isOpen = (folder: string): Promise<boolean> => {
    const known = folders.get(folder) ?? shutOnTheWay(folder, 1, root).then((shut) => shut === null);
    folders.set(folder, known);
    return known;
  };
  let next = 0;
  const read = async (): Promise<void> => {
    for (let file = open[next++]; file !== undefined && performance.now() < endMs; file = open[next++])
      if (!(await isAsInstalled(join(root, file.path), file.md5, isReadByOurs(file.path) ? isOpen : null)))
        damaged.push({ package: file.package, path: `/${file.path}` });
  };
  await Promise.all(Array.from({ length: atOnce }, read));
  return damaged.length === 0 && next < open.length ? null : damaged;
};
