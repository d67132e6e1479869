import { baked } from './baked.ts';
import { Buffer } from './buffer.ts';

/* Of node:fs what the product reads with: the files that the build has put into the page. Nothing is ever written. */
type Path = string | URL;
const files = baked.files;
const at = (path: Path): string => {
  const plain = typeof path === 'string' ? path : path.pathname;
  return plain.length > 1 && plain.endsWith('/') ? plain.slice(0, -1) : plain;
};
const refused = (code: string, path: Path): Error =>
  Object.assign(new Error(`${code}: ${at(path)}`), { code, path: at(path) });

export const readFileSync = (path: Path, encoding?: unknown): string | Buffer => {
  const text = files[at(path)];
  if (text === undefined) throw refused('ENOENT', path);
  return encoding === undefined ? Buffer.from(text) : text;
};
export const readdirSync = (path: Path): string[] => {
  const folder = `${at(path)}/`;
  const below = Object.keys(files).filter((name) => name.startsWith(folder));
  return [...new Set(below.map((name) => name.slice(folder.length).split('/')[0] ?? ''))];
};
export const existsSync = (path: Path): boolean => files[at(path)] !== undefined || readdirSync(path).length > 0;

/** In the place of all that this file lacks (scripts/playground/build.ts) */
export const unwritable = (path: Path): never => {
  throw refused('EROFS', path);
};
export const constants = {
  ...{ O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 0o100, O_EXCL: 0o200, O_TRUNC: 0o1000, O_NONBLOCK: 0o4000 },
  ...{ O_DIRECTORY: 0o200000, O_NOFOLLOW: 0o400000, W_OK: 2, R_OK: 4, F_OK: 0 },
};
