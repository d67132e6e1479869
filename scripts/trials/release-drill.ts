/**
 * npm run release-drill -- [--debs DIR] [--json]
 *
 * A release as docs/release-key.md describes it, from the keys to a machine that has it, with everything made for the trial and
 * thrown away: in a clone of the last commit a version and a signed tag, which `npm run package` takes under no other number; an
 * OpenPGP key in a home of its own; an apt repository signed with it; a blank Debian whose own apt installs the release from
 * there and then the next one, and refuses a stranger's lists, changed ones, and those of a key that was revoked. Then a
 * bundle's authority and signing certificate: RAUC believes the bundle, not a stranger's, and not one of a lost key once the
 * authority's list of revoked ones is in the keyring. The packages are those of `--debs` (`npm run package` builds them twice and
 * compares; that is not done again here), under two numbers. Needs root, mmdebstrap, gpg, rauc, openssl and the network for what
 * the packages depend on. Exit status 1: one of it was otherwise.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeOpenpgpKey } from '../beds/openpgp-key.ts';
import { layDebian, prepareForPackages } from '../image/kept-debian.ts';
import { renumber } from '../package/renumber.ts';
import { project } from '../package/tree.ts';
import { makeSigner, type Signer } from './update-vm/releases.ts';

const { values } = parseArgs({ options: { debs: { type: 'string', default: 'packages' }, json: { type: 'boolean' } } });
const say = (text: string): boolean => process.stderr.write(`release-drill: ${text}\n`);
const debs = resolve(values.debs);
const work = mkdtempSync(join(tmpdir(), 'uketsuke-release-drill-'));
const at = (...parts: readonly string[]): string => join(work, ...parts);
const environment = { ...process.env, GNUPGHOME: at('gpg') };
const ask = (program: string, args: readonly string[], cwd = work) =>
  spawnSync(program, args, { cwd, env: environment, encoding: 'utf8', timeout: 600_000, maxBuffer: 1 << 26 });
const must = (program: string, args: readonly string[], cwd = work): string => {
  const { status, stdout, stderr } = ask(program, args, cwd);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${(stdout + stderr).slice(-800)}`);
  return stdout;
};

/** A version, a day and a signed tag in a clone; whether the tag is known as ours, and another number under it is refused. */
const tagRelease = (
  key: string,
  version: string,
): { readonly tagSigned: boolean; readonly otherTagRefused: boolean } => {
  const clone = at('clone');
  must('git', ['clone', '--quiet', '--depth', '1', `file://${project}`, clone]);
  const git = (...args: readonly string[]): string =>
    must(
      'git',
      ['-c', 'user.name=FAKE', '-c', 'user.email=fake@uketsuke.invalid', '-c', `user.signingkey=${key}`, ...args],
      clone,
    );
  const about = join(clone, 'package.json');
  const was = readFileSync(about, 'utf8');
  writeFileSync(about, was.replace(/"version": "[^"]+"/, `"version": "${version}"`));
  git('commit', '--quiet', '--all', '--message', `Release ${version}`);
  git('tag', '--sign', '--message', `Release ${version}`, `v${version}`);
  const tagSigned = ask('git', ['verify-tag', `v${version}`], clone).status === 0;
  // The check stands before anything is built.
  git('tag', '--delete', `v${version}`);
  git('tag', '--sign', '--message', 'another number', 'v99.0.0');
  symlinkModules(clone);
  const other = ask(
    process.execPath,
    [join(clone, 'scripts/package/package.ts'), '--once', '--out', at('none')],
    clone,
  );
  return { tagSigned, otherTagRefused: other.status !== 0 && other.stderr.includes('tagged v99.0.0') };
};
const symlinkModules = (clone: string): void => {
  must('ln', ['-s', join(project, 'node_modules'), join(clone, 'node_modules')]);
};

const repository = (key: string): void => {
  must(process.execPath, [
    join(project, 'scripts/package/repository.ts'),
    '--debs',
    at('debs'),
    '--out',
    at('repository'),
    '--key',
    key,
  ]);
};

/** The packages under a version, into the folder that the repository is made of. */
const build = (version: string): void => {
  rmSync(at('debs'), { recursive: true, force: true });
  mkdirSync(at('debs'));
  for (const name of readdirSync(debs).filter((each) => /^uketsuke(-agent)?_.*_(all|amd64)\.deb$/.test(each))) {
    renumber(join(debs, name), work, () => version);
    copyFileSync(at(name), at('debs', name.replace(/_[^_]+_/, `_${version}_`)));
    rmSync(at(name));
  }
};

/** A blank Debian that takes the repository by the two lines of docs/release-key.md. */
const makeMachine = () => {
  const root = at('root');
  layDebian(root, 'test-vm', 'trixie', 'systemd,systemd-sysv,dbus,ca-certificates,iproute2', say);
  prepareForPackages(root);
  const lines = readFileSync(join(project, 'docs/release-key.md'), 'utf8').split('\n');
  const commands = lines.filter((line) => /^(install -m 644 uketsuke\.asc|echo 'deb \[signed-by=)/.test(line));
  if (commands.length !== 2) throw new Error('docs/release-key.md no longer says how a machine takes the repository');
  const sh = (command: string) => ask('chroot', [root, 'sh', '-ec', `cd /srv/uketsuke; ${command}`]);
  const bring = (): void => {
    rmSync(join(root, 'srv/uketsuke'), { recursive: true, force: true });
    cpSync(at('repository'), join(root, 'srv/uketsuke'), { recursive: true });
  };
  bring();
  for (const command of commands) {
    const done = sh(command);
    if (done.status !== 0) throw new Error(`${command}: ${done.stderr}`);
  }
  /** `take`: whether the key beside it is taken anew, as after a loss */
  const update = (take = false): boolean => {
    bring();
    if (take) sh(commands[0] ?? '');
    // Nothing of an earlier look: apt does not read a list again whose date is the same.
    return sh('rm -rf /var/lib/apt/lists/*; apt-get update -q --error-on=any').status === 0;
  };
  const install = (): string => {
    const done = sh(
      'DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends uketsuke uketsuke-agent',
    );
    if (done.status !== 0) say((done.stdout + done.stderr).slice(-800));
    return sh('dpkg-query --show uketsuke-agent').stdout.trim().split('\t')[1] ?? '';
  };
  return { update, install, runs: () => sh('uketsuke --version').status === 0 };
};

const tryRepository = (key: string) => {
  build('90.0.0');
  repository(key);
  const machine = makeMachine();
  const versions = [machine.update() ? machine.install() : ''];
  build('90.0.1');
  repository(key);
  versions.push(machine.update() ? machine.install() : '');
  const runs = machine.runs();
  const refused: string[] = [];
  repository(makeOpenpgpKey('stranger', environment));
  if (!machine.update()) refused.push('stranger');
  repository(key);
  const list = at('repository/dists/stable/main/binary-amd64/Packages');
  for (const each of [list, `${list}.gz`]) writeFileSync(each, Buffer.concat([readFileSync(each), Buffer.from('\n')]));
  if (!machine.update()) refused.push('changed');
  repository(key);
  const isWell = machine.update();
  // The certificate that gpg lays beside each new key, and that lies printed with the authority.
  const revocation = at('gpg/openpgp-revocs.d', `${key}.rev`);
  writeFileSync(revocation, readFileSync(revocation, 'utf8').replace(/^:-----BEGIN/m, '-----BEGIN'));
  must('gpg', ['--batch', '--import', revocation]);
  writeFileSync(at('repository/uketsuke.asc'), must('gpg', ['--armor', '--export', key]));
  if (isWell && !machine.update(true)) refused.push('revoked');
  return { versions, runs, refused };
};

/** What RAUC says of a bundle with this authority in the keyring; `revoked`: with the authority's list beside it */
const believes = (bundle: string, signer: Signer, revoked: string | null): boolean => {
  const keyring = at('keyring.pem');
  writeFileSync(keyring, readFileSync(signer.authority, 'utf8') + (revoked ?? ''));
  const settings = [
    '[system]',
    'compatible=drill',
    'bootloader=noop',
    '[keyring]',
    `path=${keyring}`,
    'check-purpose=codesign',
  ];
  writeFileSync(at('system.conf'), `${[...settings, ...(revoked === null ? [] : ['check-crl=true'])].join('\n')}\n`);
  return ask('rauc', ['--conf', at('system.conf'), 'info', bundle]).status === 0;
};

/** The authority's word that this certificate is lost. PEM */
const revoke = (signer: Signer): string => {
  for (const [name, text] of [
    ['index.txt', ''],
    ['crlnumber', '01\n'],
  ] as const)
    writeFileSync(at(name), text);
  writeFileSync(
    at('ca.conf'),
    `[ca]\ndefault_ca=a\n[a]\ndatabase=${at('index.txt')}\ncrlnumber=${at('crlnumber')}\ndefault_md=sha256\ndefault_crl_days=2\n`,
  );
  const by = ['ca', '-config', at('ca.conf'), '-cert', signer.authority, '-keyfile', signer.authorityKey];
  must('openssl', [...by, '-revoke', signer.certificate]);
  return must('openssl', [...by, '-gencrl']);
};

const tryBundle = () => {
  const [ours, stranger] = [makeSigner(work, 'release'), makeSigner(work, 'stranger')];
  mkdirSync(at('bundle'));
  writeFileSync(at('bundle/system.img'), randomBytes(65_536));
  writeFileSync(
    at('bundle/manifest.raucm'),
    '[update]\ncompatible=drill\nversion=90.0.0\n[bundle]\nformat=verity\n[image.system]\nfilename=system.img\n',
  );
  const bundleOf = ({ certificate, key }: Signer, name: string): string => {
    must('rauc', ['bundle', `--cert=${certificate}`, `--key=${key}`, at('bundle'), at(`${name}.raucb`)]);
    return at(`${name}.raucb`);
  };
  const [good, foreign] = [bundleOf(ours, 'good'), bundleOf(stranger, 'foreign')];
  const refused: string[] = [];
  const trusted = believes(good, ours, null);
  if (!believes(foreign, ours, null)) refused.push('stranger');
  if (!believes(good, ours, revoke(ours))) refused.push('revoked');
  return { trusted, refused };
};

try {
  mkdirSync(at('gpg'), { mode: 0o700 });
  // The ceremony of docs/release-key.md, on no token.
  const key = makeOpenpgpKey('release key', environment);
  const tag = tagRelease(key, '90.0.0');
  const apt = tryRepository(key);
  const bundle = tryBundle();
  process.stdout.write(`${JSON.stringify({ profile: 'release', ...tag, apt, bundle })}\n`);
  const isWell = tag.tagSigned && tag.otherTagRefused && apt.runs && apt.versions.join() === '90.0.0,90.0.1';
  process.exitCode =
    isWell &&
    apt.refused.join() === 'stranger,changed,revoked' &&
    bundle.trusted &&
    bundle.refused.join() === 'stranger,revoked'
      ? 0
      : 1;
} finally {
  spawnSync('gpgconf', ['--kill', 'all'], { env: environment });
  rmSync(work, { recursive: true, force: true });
}
