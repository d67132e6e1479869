import { type ExecFileSyncOptions, execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeAutoboot } from '../../src/protocol/autoboot.ts';
import { project } from '../package/tree.ts';

/* Two slots on one disk, as Raspberry Pi's image-rota lays them: what an image and the trials of updates are made of. */

const quiet: ExecFileSyncOptions = { stdio: ['ignore', 'ignore', 'inherit'], timeout: 900_000 };
export const run = (program: string, ...args: readonly string[]): void => {
  execFileSync(program, args, quiet);
};

export type Architecture = 'amd64' | 'arm64';
/** The kind of device that images and bundles made here are for. */
export const compatibleOf = (architecture: Architecture): string => `uketsuke-terminal-${architecture}`;
/** /etc/rauc/system.conf of such a device. */
export const raucConfig = (architecture: Architecture): string =>
  readFileSync(join(project, 'systemd/device/rauc.conf.template'), 'utf8').replace(
    '@COMPATIBLE@',
    compatibleOf(architecture),
  );

/** Where the partitions may lie: in a virtual machine; on a card, an SSD or a stick of a board. No kernel has all of them. */
const buses = [
  'virtio_pci',
  'virtio_mmio',
  'pcie_brcmstb',
  'sdhci_iproc',
  'sdhci_brcmstb',
  'mmc_block',
  'nvme',
  'xhci_pci',
  'usb_storage',
  'uas',
];
/** In the order in which they can be inserted; a kernel that has none of such a name cannot start a slot. */
const modules = [
  'virtio_blk',
  'ext4',
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
  // Of the image's own architecture, where it has one.
  const own = ['usr/bin/busybox', 'bin/busybox'].map((path) => join(root, path)).find((path) => existsSync(path));
  cpSync(own ?? '/bin/busybox', join(first, 'bin/busybox'));
  cpSync(join(project, 'systemd/device/init'), join(first, 'init'));
  const order: string[] = [];
  for (const name of [...buses, ...modules]) {
    const asked = spawnSync('/usr/sbin/modprobe', ['-d', root, '-S', version, '--show-depends', name], {
      encoding: 'utf8',
    });
    if (asked.status !== 0 && !buses.includes(name)) throw new Error(`the kernel has no ${name}: ${asked.stderr}`);
    const needed = asked.stdout.split('\n').flatMap((line) => /^insmod (\S+)/.exec(line)?.[1] ?? []);
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
  // arm64's is not compressed by itself, and a Raspberry Pi takes it so.
  const image = join(root, 'boot', kernel);
  if (readFileSync(image).subarray(56, 60).toString('latin1') === 'ARMd')
    run('sh', '-c', `gzip -9 <'${image}' >'${join(work, 'vmlinuz')}'`);
  else cpSync(image, join(work, 'vmlinuz'));
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
  { label: 'system_a', size: 900 },
  { label: 'system_b', size: 900 },
  // Holds a whole bundle beside what a slot writes.
  { label: 'persistent', size: 1600 },
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
  // A Raspberry Pi's boot loader looks for its files on partitions of this type alone.
  const readByLoader = 'type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7,';
  const table = partitions.map(
    ({ label, size }) =>
      `start=${offsetOf(label)}MiB,size=${size}MiB,${label.startsWith('boot') ? readByLoader : ''}name=${label}`,
  );
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
