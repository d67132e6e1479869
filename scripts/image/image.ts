/**
 * npm run image -- [--debs DIR] [--out DIR] [--keyring FILE] [--suite trixie] [--kiosk] [--work DIR] [--json]
 *
 * The image of a terminal with two slots, for amd64: a disk as Raspberry Pi's image-rota lays it (bootconfig, boot_a, boot_b,
 * system_a, system_b, persistent), slot a filled; and the same release's two parts for a bundle. The system is a squashfs of
 * Debian with the packages of `npm run package`: read-only, without swap, password or login, under a watchdog, the time from
 * the clinic's agent alone; nobody has set it up, so it starts with the enrolment. `--keyring`: whose bundles it takes.
 * Needs root, mmdebstrap, squashfs-tools, dosfstools, mtools, fdisk, busybox-static; the network for Debian's packages.
 *   --kiosk   with cage and Chromium; without it an image for a board that is looked at from outside
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
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
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { project } from '../package/tree.ts';
import { layDebian, preparedFiles, prepareForPackages } from './kept-debian.ts';
import { makeBoot, makeDisk, makeFat, raucConfig, run } from './slots.ts';

const { values } = parseArgs({
  options: {
    debs: { type: 'string', default: 'packages' },
    out: { type: 'string', default: 'packages/image' },
    suite: { type: 'string', default: 'trixie' },
    keyring: { type: 'string' },
    kiosk: { type: 'boolean', default: false },
    work: { type: 'string' },
    json: { type: 'boolean' },
  },
});
const say = (text: string): boolean => process.stderr.write(`image: ${text}\n`);
const debian = 'systemd,systemd-sysv,udev,dbus,ca-certificates,iproute2,kmod,rauc,rauc-service,linux-image-cloud-amd64';

const inRoot = (root: string, command: string): void => {
  const done = spawnSync('chroot', [root, 'sh', '-ec', command], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    timeout: 900_000,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
  });
  if (done.status !== 0) throw new Error(`${command}: ${(done.stdout + done.stderr).slice(-1_500)}`);
};

/** This machine's way to Debian's packages, for as long as the root is made. */
const withNetwork = (root: string, task: () => void): void => {
  prepareForPackages(root);
  execFileSync('mount', ['-t', 'proc', 'proc', join(root, 'proc')]);
  try {
    task();
  } finally {
    execFileSync('umount', [join(root, 'proc')]);
    for (const path of preparedFiles) rmSync(join(root, path), { force: true });
  }
};

const install = (root: string, debs: string, kiosk: boolean): void => {
  const wanted = new RegExp(`^uketsuke(-terminal${kiosk ? '|-kiosk' : ''})?_.*_(all|amd64)\\.deb$`);
  const names = readdirSync(debs).filter((name) => wanted.test(name));
  if (names.length === 0) throw new Error(`${debs}: no packages (npm run package)`);
  mkdirSync(join(root, 'debs'));
  for (const name of names) copyFileSync(join(debs, name), join(root, 'debs', name));
  withNetwork(root, () => {
    inRoot(root, 'apt-get update -q');
    inRoot(root, `apt-get install -y -q --no-install-recommends ${names.map((name) => `/debs/${name}`).join(' ')}`);
  });
  rmSync(join(root, 'debs'), { recursive: true });
};

/** What makes a machine of it that nobody logs in to. `npm run image:boot` looks at swap, passwords, logins, watchdog. */
const settle = (root: string, keyring: string | undefined): void => {
  const put = (path: string, text: string): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const folder of ['bootfs', 'persistent', 'etc/rauc']) mkdirSync(join(root, folder), { recursive: true });
  put('etc/rauc/system.conf', raucConfig());
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
  put('etc/systemd/network/50-wired.network', '[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n');
  inRoot(
    root,
    'systemctl enable systemd-networkd.service >/dev/null 2>&1; passwd -l root >/dev/null; usermod -s /usr/sbin/nologin root',
  );
  for (const folder of [
    'var/lib/apt/lists',
    'var/cache/apt',
    'usr/share/doc',
    'usr/share/man',
    'usr/share/info',
    'boot',
  ])
    rmSync(join(root, folder), { recursive: true, force: true });
};

const work = values.work ?? mkdtempSync(join(tmpdir(), 'uketsuke-image-'));
const out = resolve(values.out);
mkdirSync(out, { recursive: true });
const root = join(work, 'root');
try {
  layDebian(root, 'image', values.suite, debian, say);
  say('installing the packages …');
  install(root, resolve(values.debs), values.kiosk);
  const { kernel, initrd } = makeBoot(work, root);
  settle(root, values.keyring);
  say('making the file systems …');
  const system = join(out, 'system.img');
  run('mksquashfs', root, system, '-comp', 'zstd', '-Xcompression-level', '6', '-noappend', '-quiet', '-no-progress');
  const boot = join(out, 'boot.img');
  makeFat(boot, 48, [
    [kernel, 'kernel.img'],
    [initrd, 'initrd.gz'],
  ]);
  const disk = makeDisk(work, { system, boot });
  const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { version: string };
  const image = join(out, `uketsuke-terminal-${version}-amd64.img`);
  cpSync(disk, image);
  const systemMb = Math.round(statSync(system).size / 1e5) / 10;
  process.stdout.write(
    values.json ? `${JSON.stringify({ profile: 'release', image, systemMb })}\n` : `${image} (system ${systemMb} MB)\n`,
  );
} finally {
  if (values.work === undefined) rmSync(work, { recursive: true, force: true });
}
