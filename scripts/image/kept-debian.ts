import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const binfmt = '/proc/sys/fs/binfmt_misc';
/** Debian's programs for arm64 run on this machine from now on, by qemu-user, also inside another root. */
export const runArm64 = (): void => {
  if (process.arch === 'arm64' || existsSync(`${binfmt}/qemu-aarch64`)) return;
  if (!existsSync(`${binfmt}/register`)) execFileSync('mount', ['-t', 'binfmt_misc', 'binfmt_misc', binfmt]);
  const line = readFileSync('/usr/lib/binfmt.d/qemu-aarch64.conf', 'utf8').trim();
  writeFileSync(`${binfmt}/register`, line);
};

/**
 * A tar of a Debian of `suite` with `packages`, made once by mmdebstrap and kept for a week. `name`: whose it is; `arch`:
 * where it is not this machine's. Its path
 */
const keptDebian = (
  name: string,
  suite: string,
  packages: string,
  say: (text: string) => unknown,
  arch?: string,
): string => {
  const store = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'uketsuke', name);
  const archive = join(store, `${suite}.tar`);
  if (spawnSync('find', [archive, '-mtime', '-7'], { encoding: 'utf8' }).stdout.trim() !== '') return archive;
  mkdirSync(store, { recursive: true });
  say(`making a Debian (${suite}) with systemd, a minute or two …`);
  const options = ['--quiet', '--variant=minbase', '--format=tar', `--include=${packages}`];
  if (arch !== undefined) options.push(`--architectures=${arch}`);
  execFileSync('mmdebstrap', [...options, suite, `${archive}.part`], { stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync('mv', [`${archive}.part`, archive]);
  return archive;
};

/** That Debian as a directory at `root`. */
export const layDebian = (root: string, ...kept: Parameters<typeof keptDebian>): void => {
  mkdirSync(root, { recursive: true });
  execFileSync('tar', ['--numeric-owner', '-xpf', keptDebian(...kept), '-C', root]);
  chmodSync(root, 0o755);
};

/** What of this machine `prepareForPackages` leaves in the root: no part of one that is given away. */
export const preparedFiles = [
  'etc/apt/apt.conf.d/99machine',
  'usr/sbin/policy-rc.d',
  'etc/resolv.conf',
  'etc/hosts',
] as const;

/** This machine's way to Debian's packages, and nothing that starts while they are installed. */
export const prepareForPackages = (root: string): void => {
  for (const file of ['resolv.conf', 'hosts']) copyFileSync(realpathSync(`/etc/${file}`), join(root, 'etc', file));
  const settings = spawnSync('apt-config', ['dump'], { encoding: 'utf8' }).stdout.split('\n');
  const network = settings.filter((line) => /^Acquire::(http|https|Check-[A-Za-z-]+)\b.* "[^"]+";$/.test(line));
  writeFileSync(join(root, preparedFiles[0]), `${network.join('\n')}\n`);
  writeFileSync(join(root, preparedFiles[1]), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
};
