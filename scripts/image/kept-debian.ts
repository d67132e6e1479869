import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A tar of a Debian of `suite` with `packages`, made once by mmdebstrap and kept for a week. `name`: whose it is. Its path */
export const keptDebian = (name: string, suite: string, packages: string, say: (text: string) => unknown): string => {
  const store = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'uketsuke', name);
  const archive = join(store, `${suite}.tar`);
  if (spawnSync('find', [archive, '-mtime', '-7'], { encoding: 'utf8' }).stdout.trim() !== '') return archive;
  mkdirSync(store, { recursive: true });
  say(`making a Debian (${suite}) with systemd, a minute or two …`);
  const options = ['--quiet', '--variant=minbase', '--format=tar', `--include=${packages}`];
  execFileSync('mmdebstrap', [...options, suite, `${archive}.part`], { stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync('mv', [`${archive}.part`, archive]);
  return archive;
};
