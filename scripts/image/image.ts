/**
 * npm run image -- [--arch amd64|arm64] [--debs DIR] [--out DIR] [--keyring FILE] [--suite trixie] [--kiosk]
 *                  [--firmware DIR] [--work DIR] [--json]
 *
 * The image of a terminal with two slots: a disk as Raspberry Pi's image-rota lays it (bootconfig, boot_a, boot_b,
 * system_a, system_b, persistent), slot a filled; and the same release's two parts for a bundle. The system is a squashfs of
 * Debian with the packages of `npm run package`: read-only, without swap, password or login, under a watchdog, the time from
 * the clinic's agent alone; nobody has set it up, so it starts with the enrolment. `--keyring`: whose bundles it takes.
 * Needs root, mmdebstrap, squashfs-tools, dosfstools, mtools, fdisk, busybox-static; the network for Debian's packages; for
 * arm64 elsewhere qemu-user-static (its programs then run on this machine, for everybody, until it is restarted).
 *   --arch arm64   with the files that a Raspberry Pi's boot loader reads (config.txt, cmdline.txt, Debian's device trees)
 *   --kiosk   with cage and Chromium; without it an image for a board that is looked at from outside
 *   --firmware   the vendor's start*.elf and fixup*.dat, which are not Debian's to give: a Raspberry Pi 4 starts with them
 *                alone; a Raspberry Pi 5 has its own (neither was tried on a board)
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { renumber } from '../package/renumber.ts';
import { project } from '../package/tree.ts';
import { layDebian, runArm64 } from './kept-debian.ts';
import { type Architecture, makeBoot, makeDisk, makeFat, raucConfig, run } from './slots.ts';

const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: 'amd64' },
    debs: { type: 'string', default: 'packages' },
    out: { type: 'string', default: 'packages/image' },
    suite: { type: 'string', default: 'trixie' },
    keyring: { type: 'string' },
    firmware: { type: 'string' },
    kiosk: { type: 'boolean', default: false },
    work: { type: 'string' },
    json: { type: 'boolean' },
  },
});
const say = (text: string): boolean => process.stderr.write(`image: ${text}\n`);
const architecture: Architecture = values.arch === 'arm64' ? 'arm64' : 'amd64';
// The kernel for clouds knows no display.
const kernels = { amd64: values.kiosk ? 'linux-image-amd64' : 'linux-image-cloud-amd64', arm64: 'linux-image-arm64' };
const debian = `systemd,systemd-sysv,udev,dbus,ca-certificates,iproute2,kmod,systemd-resolved,busybox-static,rauc,rauc-service,${kernels[architecture]}`;

const inRoot = (root: string, command: string): void => {
  const done = spawnSync('chroot', [root, 'sh', '-ec', command], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    timeout: 900_000,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
  });
  if (done.status !== 0) throw new Error(`${command}: ${(done.stdout + done.stderr).slice(-1_500)}`);
};

/** Our packages for such an image, in the order in which they can be installed, and what of Debian's they name. */
const ours = (folder: string): { readonly files: readonly string[]; readonly depends: readonly string[] } => {
  const names = ['uketsuke', 'uketsuke-terminal', ...(values.kiosk ? ['uketsuke-kiosk'] : [])];
  const files = names.map((name) => {
    const file = readdirSync(folder).find((each) => new RegExp(`^${name}_.*_(all|${architecture})\\.deb$`).test(each));
    if (file === undefined) throw new Error(`${folder}: no ${name} for ${architecture} (npm run package)`);
    return join(folder, file);
  });
  const depends = files.flatMap((file) =>
    execFileSync('dpkg-deb', ['--field', file, 'Depends'], { encoding: 'utf8' })
      .split(',')
      .map((each) => each.trim().split(/[ |]/)[0] ?? ''),
  );
  return { files, depends: [...new Set(depends)].filter((name) => name !== '' && !names.includes(name)) };
};

const install = (root: string, files: readonly string[]): void => {
  mkdirSync(join(root, 'debs'));
  // Not compressed: what unpacks it there may be emulated.
  for (const file of files) renumber(file, join(root, 'debs'), (version) => version);
  // What Node asks of a machine; nothing starts.
  execFileSync('mount', ['-t', 'proc', 'proc', join(root, 'proc')]);
  try {
    inRoot(root, `dpkg --install ${files.map((file) => `/debs/${basename(file)}`).join(' ')}`);
  } finally {
    execFileSync('umount', [join(root, 'proc')]);
  }
  rmSync(join(root, 'debs'), { recursive: true });
};

/** What makes a machine of it that nobody logs in to. `npm run image:boot` looks at swap, passwords, logins, watchdog. */
const settle = (root: string, keyring: string | undefined): void => {
  const put = (path: string, text: string): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const folder of ['bootfs', 'persistent', 'etc/rauc']) mkdirSync(join(root, folder), { recursive: true });
  put('etc/rauc/system.conf', raucConfig(architecture));
  if (keyring !== undefined) copyFileSync(keyring, join(root, 'etc/rauc/keyring.pem'));
  put('etc/hostname', 'uketsuke-terminal\n');
  put('etc/hosts', '127.0.0.1\tlocalhost\n::1\tlocalhost\n');
  put('etc/fstab', '');
  put('etc/machine-id', '');
  // A board that hangs is restarted by its own watchdog, and one that cannot restart, too.
  put(
    'etc/systemd/system.conf.d/uketsuke.conf',
    '[Manager]\nRuntimeWatchdogSec=15s\nRebootWatchdogSec=60s\nDefaultLimitCORE=0\n',
  );
  // Of the day in memory, of the week on the disk, and never all of it.
  put(
    'etc/systemd/journald.conf.d/uketsuke.conf',
    '[Journal]\nStorage=persistent\nSystemMaxUse=100M\nRuntimeMaxUse=20M\n',
  );
  // decisions/0045: time comes signed from the agent. What a first start rebuilds of a system that cannot change is left out.
  const masked = [
    'systemd-timesyncd.service',
    'ldconfig.service',
    'getty@.service',
    'serial-getty@.service',
    'console-getty.service',
  ];
  for (const unit of [...masked, 'apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer']) {
    rmSync(join(root, 'etc/systemd/system', unit), { force: true });
    symlinkSync('/dev/null', join(root, 'etc/systemd/system', unit));
  }
  // Releases come by the link; RAUC, as root, believes none that is not signed.
  put('usr/lib/tmpfiles.d/uketsuke-image.conf', 'd /persistent/updates 0755 uketsuke-link uketsuke-link -\n');
  put('etc/systemd/network/50-wired.network', '[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n');
  // Names by the network's own server, and nothing that listens to the network for it.
  put('etc/systemd/resolved.conf.d/uketsuke.conf', '[Resolve]\nLLMNR=no\nMulticastDNS=no\n');
  rmSync(join(root, 'etc/resolv.conf'), { force: true });
  symlinkSync('../run/systemd/resolve/stub-resolv.conf', join(root, 'etc/resolv.conf'));
  inRoot(
    root,
    'systemctl enable systemd-networkd.service systemd-resolved.service >/dev/null 2>&1; passwd -l root >/dev/null; usermod -s /usr/sbin/nologin root',
  );
  for (const folder of [
    'var/lib/apt/lists',
    'var/cache/apt',
    'usr/share/doc',
    'usr/share/man',
    'usr/share/info',
    'boot',
    ...readdirSync(join(root, 'usr/lib')).flatMap((name) => (/^linux-image-/.test(name) ? [`usr/lib/${name}`] : [])),
  ])
    rmSync(join(root, folder), { recursive: true, force: true });
};

/** What a Raspberry Pi's boot loader reads beside kernel and first file system. */
const raspberryFiles = (root: string): readonly (readonly [string, string])[] => {
  const trees = readdirSync(join(root, 'usr/lib')).find((name) => /^linux-image-/.test(name));
  const folder = join(root, 'usr/lib', trees ?? '', 'broadcom');
  const own = join(project, 'systemd/device/raspberry-pi');
  return [
    ...['config.txt', 'cmdline.txt'].map((name) => [join(own, name), name] as const),
    ...readdirSync(folder)
      .filter((name) => /^bcm27(11|12).*rpi.*\.dtb$/.test(name))
      .map((name) => [join(folder, name), name] as const),
    ...(values.firmware === undefined ? [] : readdirSync(values.firmware))
      .filter((name) => /^(start|fixup).*\.(elf|dat)$/.test(name))
      .map((name) => [join(values.firmware ?? '', name), name] as const),
  ];
};

const work = values.work ?? mkdtempSync(join(tmpdir(), 'uketsuke-image-'));
const out = resolve(values.out);
mkdirSync(out, { recursive: true });
const root = join(work, 'root');
try {
  if (architecture === 'arm64') runArm64();
  const name = `image-${architecture}${values.kiosk ? '-kiosk' : ''}`;
  const { files, depends } = ours(resolve(values.debs));
  layDebian(root, name, values.suite, [debian, ...depends].join(','), say, architecture);
  say('installing the packages …');
  install(root, files);
  const { kernel, initrd } = makeBoot(work, root);
  const boot = join(out, 'boot.img');
  const more = architecture === 'arm64' ? raspberryFiles(root) : [];
  makeFat(boot, 48, [[kernel, 'kernel.img'], [initrd, 'initrd.gz'], ...more]);
  settle(root, values.keyring);
  say('making the file systems …');
  const system = join(out, 'system.img');
  run('mksquashfs', root, system, '-comp', 'zstd', '-Xcompression-level', '6', '-noappend', '-quiet', '-no-progress');
  const disk = makeDisk(work, { system, boot });
  const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { version: string };
  const image = join(out, `uketsuke-terminal-${version}-${architecture}.img`);
  run('cp', '--sparse=always', disk, image);
  const systemMb = Math.round(statSync(system).size / 1e5) / 10;
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ profile: 'release', image, arch: architecture, kiosk: values.kiosk, systemMb, bootFiles: 2 + more.length, vendorFirmware: values.firmware !== undefined })}\n`
      : `${image} (system ${systemMb} MB)\n`,
  );
} finally {
  if (values.work === undefined) rmSync(work, { recursive: true, force: true });
}
