import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layDebian } from '../../image/kept-debian.ts';
import { compatibleOf, makeFat, raucConfig, run } from '../../image/slots.ts';
import { project } from '../../package/tree.ts';

/* The parts of a release for the virtual machine: its system, its boot partition, and the bundle that RAUC makes of them. */

const debian = 'rauc,rauc-service,dbus,libstdc++6,linux-image-cloud-amd64,squashfs-tools,dosfstools,mtools,kmod';
/** Debian with RAUC, our sources and Node, without what no start needs: the base of every release. Its folder */
export const makeSystem = (work: string, say: (text: string) => unknown): string => {
  const root = join(work, 'root');
  layDebian(root, 'test-update', 'trixie', debian, say);
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

type MadeRelease = { readonly system: string; readonly boot: string; readonly version: string };

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
  writeFileSync(join(folder, 'added/trial/system.conf'), raucConfig('amd64'));
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

export type Signer = {
  readonly key: string;
  readonly certificate: string;
  readonly authority: string;
  readonly authorityKey: string;
};

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
  return { key, certificate, authority, authorityKey };
};

/** What RAUC makes of a release. */
export const makeBundle = (work: string, name: string, release: MadeRelease, signer: Signer): string => {
  const folder = join(work, `bundle-${name}`);
  mkdirSync(folder);
  cpSync(release.system, join(folder, 'system.img'));
  cpSync(release.boot, join(folder, 'boot.img'));
  writeFileSync(
    join(folder, 'manifest.raucm'),
    `[update]\ncompatible=${compatibleOf('amd64')}\nversion=${release.version}\n\n[bundle]\nformat=verity\n\n[image.system]\nfilename=system.img\n\n[image.boot]\nfilename=boot.img\n`,
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
