import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const hostArchitecture = process.arch === 'x64' ? 'amd64' : process.arch;
const binfmt = '/proc/sys/fs/binfmt_misc';
/** Debian's programs for arm64 run on this machine from now on, by qemu-user, also inside another root. */
export const runArm64 = (): void => {
  if (process.arch === 'arm64' || existsSync(`${binfmt}/qemu-aarch64`)) return;
  if (!existsSync(`${binfmt}/register`)) execFileSync('mount', ['-t', 'binfmt_misc', 'binfmt_misc', binfmt]);
  const line = readFileSync('/usr/lib/binfmt.d/qemu-aarch64.conf', 'utf8').trim();
  writeFileSync(`${binfmt}/register`, line);
};

/**
 * Hooks of mmdebstrap: what unpacks a foreign Debian's packages and lists its kernel's modules is this machine's own, which lies
 * in its root meanwhile; what the packages run besides is emulated. The files are the same afterwards; emulated, these two took
 * most of the time.
 */
const lendPrograms = [
  `--essential-hook=set -e
    mkdir "$1/native"
    for program in dpkg-deb kmod; do
      own="$(command -v $program)"
      for file in "$own" $(ldd "$own" | grep -o '/[^ ]*'); do cp -L "$file" "$1/native/"; done
      chroot "$1" dpkg-divert --quiet --local --rename --divert /usr/bin/$program.own --add /usr/bin/$program
      printf '#!/bin/sh\nexec /native/ld-linux*.so.* --argv0 "$0" --library-path /native /native/%s "$@"\n' $program >"$1/usr/bin/$program"
      chmod 755 "$1/usr/bin/$program"
    done`,
  `--customize-hook=set -e
    for program in dpkg-deb kmod; do
      rm "$1/usr/bin/$program"
      chroot "$1" dpkg-divert --quiet --local --rename --remove /usr/bin/$program
    done
    rm -r "$1/native"`,
] as const;

/** In memory, where there is room: nothing of a root that is made waits for a disk. */
const roomy = (): string => {
  const { bavail, bsize } = statfsSync('/dev/shm');
  return bavail * bsize > 8e9 ? '/dev/shm' : tmpdir();
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
  const list = join(store, `${suite}.packages`);
  const isSame = !existsSync(list) || readFileSync(list, 'utf8') === packages;
  if (isSame && spawnSync('find', [archive, '-mtime', '-7'], { encoding: 'utf8' }).stdout.trim() !== '') return archive;
  mkdirSync(store, { recursive: true });
  say(`making a Debian (${suite}) for ${name}, a minute or two …`);
  const options = ['--quiet', '--variant=minbase', '--format=tar', `--include=${packages}`];
  if (arch !== undefined) options.push(`--architectures=${arch}`);
  if (arch !== undefined && arch !== hostArchitecture) options.push(...lendPrograms);
  execFileSync('mmdebstrap', [...options, suite, `${archive}.part`], {
    stdio: ['ignore', 'ignore', 'inherit'],
    // Nobody starts these kernels with Debian's initramfs.
    env: { ...process.env, TMPDIR: roomy(), INITRD: 'No' },
  });
  renameSync(`${archive}.part`, archive);
  writeFileSync(list, packages);
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
