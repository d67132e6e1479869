import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeAutoboot } from '../../src/protocol/autoboot.ts';
import { project } from '../package/tree.ts';

/* Two slots on one disk, as Raspberry Pi's image-rota lays them: what an image and the trials of updates are made of. */

const quiet: ExecFileSyncOptions = { stdio: ['ignore', 'ignore', 'inherit'], timeout: 900_000 };
export const run = (program: string, ...args: readonly string[]): void => {
  execFileSync(program, args, quiet);
};
const heard = (program: string, ...args: readonly string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26, timeout: 300_000 });

/** The kind of device that images and bundles made here are for. */
export const compatible = 'uketsuke-terminal-amd64';
/** /etc/rauc/system.conf of such a device. */
export const raucConfig = (): string =>
  readFileSync(join(project, 'systemd/device/rauc.conf.template'), 'utf8').replace('@COMPATIBLE@', compatible);

/** In the order in which they can be inserted. */
const modules = [
  'virtio_blk',
  'squashfs',
  'overlay',
  'loop',
  'dm-verity',
  'nls_ascii',
  'nls_cp437',
  'fat',
  'vfat',
  'virtio-rng',
];

/** initramfs with the shipped `init`, and the kernel: what the boot partition of every release holds here. */
export const makeBoot = (work: string, root: string): { readonly kernel: string; readonly initrd: string } => {
  const kernel = readdirSync(join(root, 'boot')).find((name) => name.startsWith('vmlinuz-'));
  if (kernel === undefined) throw new Error('the Debian has no kernel');
  const version = kernel.replace('vmlinuz-', '');
  const first = join(work, 'initramfs');
  const shelf = join(first, 'lib/uketsuke-modules');
  for (const folder of ['bin', 'proc', 'sys', 'dev', 'system']) mkdirSync(join(first, folder), { recursive: true });
  mkdirSync(shelf, { recursive: true });
  cpSync('/bin/busybox', join(first, 'bin/busybox'));
  cpSync(join(project, 'systemd/device/init'), join(first, 'init'));
  const order: string[] = [];
  for (const name of modules) {
    const needed = heard('/usr/sbin/modprobe', '-d', root, '-S', version, '--show-depends', name)
      .split('\n')
      .flatMap((line) => /^insmod (\S+)/.exec(line)?.[1] ?? []);
    for (const file of needed) {
      const plain = file.replace(/^.*\//, '').replace(/\.xz$/, '');
      if (order.includes(plain)) continue;
      order.push(plain);
      if (file.endsWith('.xz')) run('sh', '-c', `xz -dc '${file}' >'${join(shelf, plain)}'`);
      else cpSync(file, join(shelf, plain));
    }
  }
  writeFileSync(join(shelf, 'order'), `${order.join('\n')}\n`);
  const initrd = join(work, 'initramfs.gz');
  run('sh', '-c', `cd '${first}' && find . | cpio -o -H newc --quiet | gzip -1 >'${initrd}'`);
  cpSync(join(root, 'boot', kernel), join(work, 'vmlinuz'));
  return { kernel: join(work, 'vmlinuz'), initrd };
};

/** A FAT image of so many MiB with these files. */
export const makeFat = (path: string, mebibytes: number, files: readonly (readonly [string, string])[]): void => {
  rmSync(path, { force: true });
  run('truncate', '-s', `${mebibytes}M`, path);
  run('/usr/sbin/mkfs.vfat', ...(mebibytes < 16 ? ['-F', '12'] : ['-F', '16']), path);
  for (const [from, to] of files) run('mcopy', '-i', path, from, `::${to}`);
};

/** MiB; 2 and 3 are what autoboot.txt names. */
export const partitions = [
  { label: 'bootconfig', size: 8 },
  { label: 'boot_a', size: 64 },
  { label: 'boot_b', size: 64 },
  { label: 'system_a', size: 640 },
  { label: 'system_b', size: 640 },
  { label: 'persistent', size: 200 },
] as const;
export const offsetOf = (label: string): number => {
  const index = partitions.findIndex((each) => each.label === label);
  return 1 + partitions.slice(0, index).reduce((sum, { size }) => sum + size, 0);
};

const lay = (disk: string, image: string, label: string): void =>
  run('dd', `if=${image}`, `of=${disk}`, 'bs=1M', `seek=${offsetOf(label)}`, 'conv=notrunc', 'status=none');

/** A disk as it leaves the workshop: slot a holds `release`, slot b nothing. */
export const makeDisk = (work: string, release: { readonly system: string; readonly boot: string }): string => {
  const disk = join(work, 'disk.img');
  run('truncate', '-s', `${2 + partitions.reduce((sum, { size }) => sum + size, 0)}M`, disk);
  const table = partitions.map(({ label, size }) => `start=${offsetOf(label)}MiB,size=${size}MiB,name=${label}`);
  execFileSync('/usr/sbin/sfdisk', ['--quiet', disk], { input: ['label: gpt', ...table].join('\n') });
  const choice = join(work, 'autoboot.txt');
  writeFileSync(choice, encodeAutoboot({ standard: 2, trial: 2 }));
  makeFat(join(work, 'bootconfig.img'), 8, [[choice, 'autoboot.txt']]);
  const persistent = join(work, 'persistent.img');
  run('truncate', '-s', `${partitions[5].size}M`, persistent);
  run('/usr/sbin/mke2fs', '-q', '-t', 'ext4', persistent);
  lay(disk, join(work, 'bootconfig.img'), 'bootconfig');
  lay(disk, persistent, 'persistent');
  lay(disk, release.boot, 'boot_a');
  lay(disk, release.system, 'system_a');
  rmSync(persistent);
  return disk;
};
