import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keptDebian } from '../kept-debian.ts';

/* The parts of a release for the virtual machine: its system, its boot partition, and the bundle that RAUC makes of them. */

const project = fileURLToPath(new URL('../../../', import.meta.url));
const quiet: ExecFileSyncOptions = { stdio: ['ignore', 'ignore', 'inherit'], timeout: 900_000 };
export const run = (program: string, ...args: readonly string[]): void => {
  execFileSync(program, args, quiet);
};
const heard = (program: string, ...args: readonly string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26, timeout: 300_000 });

const compatible = 'uketsuke-terminal-amd64';
const debian = 'rauc,rauc-service,dbus,libstdc++6,linux-image-cloud-amd64,squashfs-tools,dosfstools,mtools,kmod';
/** In the order in which they can be inserted. */
const modules = ['virtio_blk', 'squashfs', 'loop', 'dm-verity', 'nls_ascii', 'nls_cp437', 'fat', 'vfat', 'virtio-rng'];

/** Debian with RAUC, our sources and Node, without what no start needs: the base of every release. Its folder */
export const makeSystem = (work: string, say: (text: string) => unknown): string => {
  const root = join(work, 'root');
  const archive = keptDebian('test-update', 'trixie', debian, say);
  mkdirSync(root);
  run('tar', '--numeric-owner', '-xpf', archive, '-C', root);
  for (const folder of ['bootfs', 'persistent', 'bundles', 'usr/lib/uketsuke', 'etc/uketsuke', 'etc/rauc'])
    mkdirSync(join(root, folder), { recursive: true });
  const ours = join(root, 'usr/lib/uketsuke');
  for (const part of ['src', 'drivers', 'systemd', 'package.json', 'scripts/trials/update-vm'])
    cpSync(join(project, part), join(ours, part), { recursive: true });
  cpSync(join(project, 'node_modules/zod'), join(ours, 'node_modules/zod'), { recursive: true });
  mkdirSync(join(ours, 'node/bin'), { recursive: true });
  cpSync(process.execPath, join(ours, 'node/bin/node'));
  run('strip', join(ours, 'node/bin/node'));
  // What stands in for systemd: says to the boot loader outside what a restart asks for, and restarts.
  writeFileSync(
    join(root, 'usr/bin/systemctl'),
    `#!/bin/sh
[ "$1" = reboot ] || exit 0
case "$*" in *'0 tryboot'*) echo FIRMWARE: tryboot ;; *) echo FIRMWARE: plain ;; esac >/dev/console
sync
echo b >/proc/sysrq-trigger
`,
    { mode: 0o755 },
  );
  return root;
};

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
  const initrd = join(work, 'initrd.gz');
  run('sh', '-c', `cd '${first}' && find . | cpio -o -H newc --quiet | gzip -1 >'${initrd}'`);
  return { kernel: join(root, 'boot', kernel), initrd };
};

/** The base once, without the kernel and what nobody reads in a machine; releases are appended to a copy. */
export const makeBase = (work: string, root: string): string => {
  const base = join(work, 'base.squashfs');
  const left = [
    'boot',
    'usr/share/doc',
    'usr/share/man',
    'usr/share/locale',
    'usr/share/info',
    'var/lib/apt',
    'var/cache',
  ];
  const more = ['usr/lib/modules', 'usr/share/perl', 'usr/lib/x86_64-linux-gnu/perl', 'usr/share/zoneinfo'];
  for (const folder of [...left, ...more]) rmSync(join(root, folder), { recursive: true, force: true });
  run('mksquashfs', root, base, '-comp', 'zstd', '-Xcompression-level', '3', '-noappend', '-quiet', '-no-progress');
  return base;
};

export type MadeRelease = { readonly system: string; readonly boot: string; readonly version: string };

/** `starts`: whether its first program begins at all. */
export const makeRelease = (
  work: string,
  parts: { readonly base: string; readonly kernel: string; readonly initrd: string; readonly keyring: string },
  { name, version, starts }: { readonly name: string; readonly version: string; readonly starts: boolean },
): MadeRelease => {
  const folder = join(work, name);
  mkdirSync(join(folder, 'added/trial'), { recursive: true });
  writeFileSync(join(folder, 'added/trial/version'), version);
  cpSync(parts.keyring, join(folder, 'added/trial/keyring.pem'));
  const begin = `#!/bin/sh
mount -t tmpfs none /etc/rauc && cp /trial/system.conf /trial/keyring.pem /etc/rauc/ 2>/dev/null
mkdir -p /run/dbus /run/rauc
mount -o ro -t ext4 "$(readlink -f /dev/vdb)" /bundles
dbus-daemon --system --fork >/dev/null 2>&1
rauc service >/run/rauc.log 2>&1 &
cd /usr/lib/uketsuke
node/bin/node --disable-warning=ExperimentalWarning scripts/trials/update-vm/in-the-machine.ts >/dev/console 2>&1
echo "uketsuke-inside: ended" >/dev/console
sleep 600
`;
  writeFileSync(join(folder, 'added/trial/init'), starts ? begin : '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const template = readFileSync(join(project, 'systemd/device/rauc.conf.template'), 'utf8');
  writeFileSync(join(folder, 'added/trial/system.conf'), template.replace('@COMPATIBLE@', compatible));
  const system = join(folder, 'system.img');
  cpSync(parts.base, system);
  run('mksquashfs', join(folder, 'added/trial'), system, '-keep-as-directory', '-quiet', '-no-progress');
  const boot = join(folder, 'boot.img');
  makeFat(boot, 48, [
    [parts.kernel, 'kernel.img'],
    [parts.initrd, 'initrd.gz'],
  ]);
  return { system, boot, version };
};

/** A FAT image of so many MiB with these files. */
export const makeFat = (path: string, mebibytes: number, files: readonly (readonly [string, string])[]): void => {
  rmSync(path, { force: true });
  run('truncate', '-s', `${mebibytes}M`, path);
  run('/usr/sbin/mkfs.vfat', ...(mebibytes < 16 ? ['-F', '12'] : ['-F', '16']), path);
  for (const [from, to] of files) run('mcopy', '-i', path, from, `::${to}`);
};

type Signer = { readonly key: string; readonly certificate: string; readonly authority: string };

/** Keys for one run, by name nobody's: an authority and a certificate that may sign code and nothing else. */
export const makeSigner = (work: string, name: string): Signer => {
  const at = (file: string): string => join(work, `${name}-${file}`);
  const nobody = `/O=FAKE - made for a test, thrown away/CN=FAKE ${name}`;
  const [authorityKey, authority, key, request, certificate] = [
    at('authority.key'),
    at('authority.pem'),
    at('signer.key'),
    at('signer.csr'),
    at('signer.pem'),
  ];
  const elliptic = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const silent = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { stdio: 'ignore', timeout: 60_000 });
  };
  silent(
    'req',
    '-x509',
    ...elliptic,
    '-keyout',
    authorityKey,
    '-out',
    authority,
    '-subj',
    `${nobody} authority`,
    '-days',
    '2',
  );
  silent('req', ...elliptic, '-keyout', key, '-out', request, '-subj', `${nobody} signer`);
  writeFileSync(
    at('ext'),
    'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,codeSigning\n',
  );
  const by = ['-CA', authority, '-CAkey', authorityKey, '-CAcreateserial', '-days', '2', '-extfile', at('ext')];
  silent('x509', '-req', '-in', request, ...by, '-out', certificate);
  return { key, certificate, authority };
};

/** What RAUC makes of a release. */
export const makeBundle = (work: string, name: string, release: MadeRelease, signer: Signer): string => {
  const folder = join(work, `bundle-${name}`);
  mkdirSync(folder);
  cpSync(release.system, join(folder, 'system.img'));
  cpSync(release.boot, join(folder, 'boot.img'));
  writeFileSync(
    join(folder, 'manifest.raucm'),
    `[update]\ncompatible=${compatible}\nversion=${release.version}\n\n[bundle]\nformat=verity\n\n[image.system]\nfilename=system.img\n\n[image.boot]\nfilename=boot.img\n`,
  );
  const bundle = join(work, 'bundles', `${name}.raucb`);
  mkdirSync(join(work, 'bundles'), { recursive: true });
  if (existsSync(bundle)) rmSync(bundle);
  const plain = '-noI -noD -noF -noX';
  run(
    'rauc',
    'bundle',
    `--cert=${signer.certificate}`,
    `--key=${signer.key}`,
    `--mksquashfs-args=${plain}`,
    folder,
    bundle,
  );
  rmSync(folder, { recursive: true });
  return bundle;
};
