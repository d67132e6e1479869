import { realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { oqsFolders } from './write-oqs-file.ts';

/** Where a path leads, as far as it exists already. */
const placeOf = async (path: string): Promise<string> => {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(resolve(path));
    return parent === resolve(path) ? parent : join(await placeOf(parent), relative(parent, resolve(path)));
  }
};

const isWithin = (folder: string, path: string): boolean =>
  path === folder || `${path}${sep}`.startsWith(`${folder}${sep}`);

/**
 * The folder that others write to must not hold anything of ours: keys, registry, staff codes, journal. Nor may face/,
 * req/ and res/ be one folder, or lead to where our own things lie. `files.folder-holds-keys`, its detail names the two.
 */
export const checkOqsPlace = async (oqsFolder: string, ours: readonly string[]): Promise<Result<void>> => {
  const shared = await Promise.all([oqsFolder, ...oqsFolders.map((name) => join(oqsFolder, name))].map(placeOf));
  for (const path of ours) {
    const own = await placeOf(path);
    const [root, ...below] = shared;
    const holder =
      root !== undefined && isWithin(root, own)
        ? root
        : below.find((folder) => isWithin(folder, own) || folder === own);
    if (holder !== undefined) return err(failure('files.folder-holds-keys', `${holder} holds ${own}`));
  }
  return ok(undefined);
};
