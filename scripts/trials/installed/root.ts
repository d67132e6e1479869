import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureTestAuthority } from '../../../drivers/virtual/test-authority.ts';
import { layDebian, prepareForPackages } from '../../image/kept-debian.ts';
import { renumber } from '../../package/renumber.ts';
import { project } from '../../package/tree.ts';
import { bootAlone, containerOf, endingWithUs } from '../container.ts';

/* A blank Debian, the packages in it, and a boot of it with a real systemd. Needs root, mmdebstrap, systemd-container. */

export const say = (text: string): boolean => process.stderr.write(`test-vm: ${text}\n`);

/** A command in the root, with this machine's network and without systemd. Throws with the end of what it said. */
export const inRoot = (root: string, ...command: readonly string[]): string => {
  const given = ['--as-pid2', '--resolv-conf=off', '--pipe'];
  const place = ['--setenv=DEBIAN_FRONTEND=noninteractive', '--chdir=/trial/debs'];
  const [program, words] = endingWithUs(...containerOf(root), ...given, ...place, ...command);
  const done = spawnSync(program, words, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    timeout: 600_000,
  });
  if (done.status !== 0) throw new Error(`${command.join(' ')}: ${(done.stdout + done.stderr).slice(-1500)}`);
  return done.stdout;
};

/** Without recommended packages: what Depends lacks is missing. */
const aptInstall = (root: string, ...names: readonly string[]): string =>
  inRoot(root, 'sh', '-c', `apt-get install -y -q --no-install-recommends ${names.join(' ')}`);

/** `place`: where nothing is yet; left out: a new folder in the temporary one */
export const makeRoot = (suite: string, place?: string): string => {
  const root = place ?? mkdtempSync(join(tmpdir(), 'uketsuke-test-vm-'));
  mkdirSync(root, { recursive: true });
  layDebian(root, 'test-vm', suite, 'systemd,systemd-sysv,dbus,ca-certificates,iproute2', say);
  mkdirSync(join(root, 'trial/debs'), { recursive: true });
  return root;
};

const install = /^uketsuke(-agent|-terminal|-kiosk)?_.*_(all|amd64)\.deb$/;
const packagesIn = (folder: string): string[] => readdirSync(folder).filter((name) => install.test(name));

/** These packages under an earlier number: what their maintainer scripts do on the way back and on the update. */
const makeEarlierNumber = (root: string, names: readonly string[]): void => {
  const place = join(root, 'trial/former/same-files');
  mkdirSync(place, { recursive: true });
  for (const name of names) renumber(join(root, 'trial/debs', name), place, (version) => `${version}~before`);
};

const bring = (root: string, folder: string, place: string): readonly string[] => {
  const names = packagesIn(folder);
  mkdirSync(join(root, place), { recursive: true });
  for (const name of names) copyFileSync(join(folder, name), join(root, place, name));
  return names;
};

/** What stands in for a reader, a card and its issuer; then nothing holds services back any more. */
const bringCards = async (root: string): Promise<void> => {
  aptInstall(root, 'vsmartcard-vpcd', 'util-linux');
  rmSync(join(root, 'usr/sbin/policy-rc.d'));
  await ensureTestAuthority(join(root, 'trial/cache/test-authority'));
  const keys = join(project, '.cache/virtual-card-keys');
  if (existsSync(keys)) cpSync(keys, join(root, 'trial/cache/virtual-card-keys'), { recursive: true });
};

/** Of an earlier release, its packages by apt; those of this one lie there with all they need, as from a repository. */
export const installFormer = async (root: string, former: string, debs: string): Promise<void> => {
  prepareForPackages(root);
  bring(root, debs, 'trial/debs');
  inRoot(root, 'apt-get', 'update', '-q');
  aptInstall(root, ...bring(root, former, 'trial/former').map((name) => `/trial/former/${name}`));
  aptInstall(root, '--download-only', ...packagesIn(debs).map((name) => `/trial/debs/${name}`));
  await bringCards(root);
};

/** `commands`: the guide's own, of which those that install are carried out here, where there is a network. */
export const installPackages = async (root: string, debs: string, commands: readonly string[]): Promise<void> => {
  prepareForPackages(root);
  const names = bring(root, debs, 'trial/debs');
  for (const command of commands.filter((each) => /apt-get (update$|install \.\/)/.test(each))) {
    const [, packages] = /apt-get install (.*)$/.exec(command) ?? [];
    say(command);
    if (packages === undefined) inRoot(root, 'apt-get', 'update', '-q');
    else aptInstall(root, packages);
  }
  // Every maintainer script once more: it must not mind.
  aptInstall(root, '--reinstall', ...names.map((name) => `./${name}`));
  makeEarlierNumber(root, names);
  await bringCards(root);
  makeIssuers(join(root, 'trial/issuers'));
};

/** Trust anchors that do not call themselves a test's: what a release is given. No card of theirs exists. */
const makeIssuers = (folder: string): void => {
  mkdirSync(folder);
  const subject = ['-subj', '/C=JP/O=Stand-in issuer/CN=No card of this issuer exists', '-days', '30'];
  const about = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  const key = join(folder, 'thrown-away.pem');
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      ...subject,
      ...about,
      '-out',
      join(folder, 'card-ca.pem'),
    ],
    { stdio: 'ignore' },
  );
  rmSync(key);
  writeFileSync(join(folder, 'cv-issuers.json'), '[]');
};

/** `script` (shell) runs once everything of the next boot is up, or `after`; then the machine is switched off. */
export const trialAtBoot = (root: string, script: string, after = 'multi-user.target'): void => {
  writeFileSync(join(root, 'trial/run.sh'), `#!/bin/sh\n${script}\nsystemctl poweroff --no-block\n`, { mode: 0o755 });
  const system = join(root, 'etc/systemd/system');
  const unit = `[Unit]\nAfter=${after}\n[Service]\nType=exec\nExecStart=/trial/run.sh\n`;
  writeFileSync(join(system, 'trial.service'), unit);
  mkdirSync(join(system, 'graphical.target.wants'), { recursive: true });
  rmSync(join(system, 'graphical.target.wants/trial.service'), { force: true });
  symlinkSync('/etc/systemd/system/trial.service', join(system, 'graphical.target.wants/trial.service'));
  rmSync(join(system, 'default.target'), { force: true });
  symlinkSync('/lib/systemd/system/graphical.target', join(system, 'default.target'));
};

/** Boots it in a container with a network of its own, for `script`. */
const boot = (root: string, script: string, seconds: number): void => {
  trialAtBoot(root, script);
  writeFileSync(join(root, 'trial/console.txt'), bootAlone(root, seconds, `--bind-ro=${project}:/project`));
};

export const readTrial = (root: string, name: string): string => {
  const path = join(root, 'trial', name);
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
};

/** What one step of a trial came to. */
export type Step = { readonly name: string; readonly ok: boolean; readonly ms: number; readonly detail?: string };
type Told = { readonly steps: readonly Step[]; readonly figures: Readonly<Record<string, number>> };

/** Boots it for `script` (scripts/trials/…), by the Node of the package. */
export const bootFor = (root: string, script: string, seconds: number): void => {
  const node = '/usr/lib/uketsuke/node/bin/node --disable-warning=ExperimentalWarning';
  boot(root, `${node} /project/scripts/trials/${script} 2>/trial/inside.err`, seconds);
};

/** Boots it for `script` of this folder; what that wrote down of its steps. */
export const trialInside = (root: string, script: string, seconds: number): Told => {
  rmSync(join(root, 'trial/steps.json'), { force: true });
  bootFor(root, `installed/${script}`, seconds);
  return JSON.parse(readTrial(root, 'steps.json') || '{"steps":[],"figures":{}}') as Told;
};

/** The packages go; what is left of ours anywhere is listed. */
const purge = `DEBIAN_FRONTEND=noninteractive apt-get purge -y -q 'uketsuke*' >/trial/purge.txt 2>&1
echo $? >/trial/purge.status
find /etc /var /usr /run -name '*uketsuke*' -not -path '/var/lib/dpkg/*' -not -path '/var/log/*' -not -path '/var/lib/systemd/*' -not -path '/run/systemd/*' >/trial/left.txt`;

export const purgePackages = (root: string, whose: string): Step => {
  say('taking the packages away …');
  boot(root, purge, 300);
  const left = readTrial(root, 'left.txt');
  const gone = readTrial(root, 'purge.status') === '0' && left === '';
  return { name: `${whose}purge leaves nothing`, ok: gone, ms: 0, ...(left && { detail: left }) };
};
