import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * scripts/test-vm [--json] [--debs DIR] [--keep]
 *
 * A Debian 12 made a moment ago gets the packages of `npm run package` by apt, without recommended ones, so that what
 * Depends lacks is missing; then a real systemd boots in a container, the two commands of the technician's guide are run
 * with nothing between them, and the staff page orders the test visit. Terminal and clinic are one machine here. Not in
 * it: a reader, cameras, the kiosk (a container has no display), a patient's visit. Needs root, systemd-container,
 * mmdebstrap. Exit status 1: something was not as it must be.
 */
const { values } = parseArgs({
  options: { json: { type: 'boolean' }, keep: { type: 'boolean' }, debs: { type: 'string', default: 'packages' } },
});
const project = fileURLToPath(new URL('../../', import.meta.url));
const say = (text: string): boolean => process.stderr.write(`test-vm: ${text}\n`);
const address = '192.0.2.10';
const limitSeconds = 300;
const services = [
  'uketsuke-broker.service',
  'uketsuke-agent.service',
  'uketsuke-link.service',
  'uketsuke-face.service',
  'uketsuke.service',
];

/** Debian with systemd and nothing of ours, made once and kept for a week. */
const blankDebian = (): string => {
  const store = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'uketsuke/test-vm');
  const archive = join(store, 'bookworm.tar');
  if (spawnSync('find', [archive, '-mtime', '-7'], { encoding: 'utf8' }).stdout.trim() !== '') return archive;
  mkdirSync(store, { recursive: true });
  say('making a blank Debian …');
  const include = '--include=systemd,systemd-sysv,dbus,ca-certificates,iproute2';
  execFileSync('mmdebstrap', ['--quiet', '--variant=minbase', '--format=tar', include, 'bookworm', `${archive}.part`], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  execFileSync('mv', [`${archive}.part`, archive]);
  return archive;
};

const inRoot = (root: string, log: string, ...command: readonly string[]): void => {
  const container = ['--quiet', '-D', root, '--register=no', '--keep-unit', '--as-pid2', '--resolv-conf=off', '--pipe'];
  const settings = ['--setenv=DEBIAN_FRONTEND=noninteractive'];
  const done = spawnSync('systemd-nspawn', [...container, ...settings, ...command], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    timeout: 400_000,
  });
  writeFileSync(join(root, 'trial', log), done.stdout + done.stderr);
  if (done.status !== 0) throw new Error(`${command.join(' ')}: ${(done.stdout + done.stderr).slice(-1500)}`);
};

const installPackages = (root: string, debs: string): void => {
  for (const file of ['resolv.conf', 'hosts']) copyFileSync(realpathSync(`/etc/${file}`), join(root, 'etc', file));
  const settings = spawnSync('apt-config', ['dump'], { encoding: 'utf8' }).stdout;
  const network = settings
    .split('\n')
    .filter((line) => /^Acquire::(http|https|Check-[A-Za-z-]+)\b.* "[^"]+";$/.test(line));
  writeFileSync(join(root, 'etc/apt/apt.conf.d/99machine'), `${network.join('\n')}\n`);
  // Nothing starts while the root is made.
  writeFileSync(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  mkdirSync(join(root, 'trial/debs'), { recursive: true });
  const wanted = /^uketsuke(-agent|-terminal)?_.*_(all|amd64)\.deb$/;
  const names = readdirSync(debs).filter((name) => wanted.test(name));
  for (const name of names) copyFileSync(join(debs, name), join(root, 'trial/debs', name));
  inRoot(root, 'update.txt', 'apt-get', 'update', '-q');
  const files = names.map((name) => `/trial/debs/${name}`);
  inRoot(root, 'install.txt', 'apt-get', 'install', '-y', '-q', '--no-install-recommends', ...files);
  // Every maintainer script once more: it must not mind.
  inRoot(root, 'again.txt', 'apt-get', 'install', '-y', '-q', '--reinstall', '--no-install-recommends', ...files);
  rmSync(join(root, 'usr/sbin/policy-rc.d'));
};

/** The guide's two commands, then what the staff do. What each said is kept. */
const script = (): string => `#!/bin/sh
exec 2>/trial/script.err
set -x
ip address add ${address}/32 dev lo
cat >/trial/clinic.yaml <<END
facility: clinic-0001
name: 見本医院
institutionCode: "1312345678"
kind: medical
lanes: 1
faceModelsAcceptedBy: 見本 院長
END
cd /trial
uketsuke provision clinic --answers clinic.yaml --test --host ${address} --codes-to /media/stick --wait-minutes 3 >/trial/clinic.json 2>/trial/clinic.txt &
clinic=$!
tries=0
until grep -q 端末の登録 /trial/clinic.txt || [ $tries -gt 120 ] || ! kill -0 $clinic; do tries=$((tries + 1)); sleep 0.5; done
uketsuke provision terminal >/trial/terminal.json 2>/trial/terminal.txt
echo $? >/trial/terminal.status
wait $clinic
echo $? >/trial/clinic.status
tries=0
until systemctl is-active --quiet ${services.join(' ')} || [ $tries -gt 60 ]; do tries=$((tries + 1)); sleep 1; done
systemctl is-active ${services.join(' ')} >/trial/active.txt
/usr/lib/uketsuke/node/bin/node /trial/visit.mjs >/trial/visit.json 2>/trial/visit.err
uketsuke provision clinic --answers clinic.yaml --test --host ${address} --codes-to /media/stick --wait-minutes 1 >/trial/again.json 2>/trial/again-clinic.txt
echo $? >/trial/again.status
uketsuke doctor --json >/trial/doctor.json 2>/trial/doctor.err
before=$(date +%s%3N)
systemctl kill -s KILL uketsuke.service
tries=0
until [ $tries -gt 300 ]; do
  [ "$(systemctl show -p ActiveState --value uketsuke.service)" = active ] && [ "$(systemctl show -p NRestarts --value uketsuke.service)" != 0 ] && break
  tries=$((tries + 1)); sleep 0.1
done
echo $(($(date +%s%3N) - before)) >/trial/kill.ms
stat -c '%U %a %n' /var/lib/uketsuke-agent /etc/mosquitto/uketsuke/tls-key.pem /etc/uketsuke/provisioning/link/tls-key.pem /etc/uketsuke/provisioning/terminal/signing-key.jwk.json /srv/oqs/face >/trial/owners.txt
journalctl -u 'uketsuke*' --no-pager >/trial/journal.txt
cp /etc/uketsuke/terminal.yaml /trial/terminal.yaml
DEBIAN_FRONTEND=noninteractive apt-get purge -y -q uketsuke uketsuke-agent uketsuke-terminal >/trial/purge.txt 2>&1
echo $? >/trial/purge.status
find /etc /var /usr /run -name '*uketsuke*' -not -path '/var/lib/dpkg/*' -not -path '/var/log/*' -not -path '/var/lib/systemd/*' >/trial/left.txt
systemctl poweroff --no-block
`;

const boot = (root: string): void => {
  copyFileSync(join(project, 'scripts/trials/installed-visit.mjs'), join(root, 'trial/visit.mjs'));
  writeFileSync(join(root, 'trial/run.sh'), script(), { mode: 0o755 });
  const unit = '[Unit]\nAfter=multi-user.target\n[Service]\nType=exec\nExecStart=/trial/run.sh\n';
  const system = join(root, 'etc/systemd/system');
  writeFileSync(join(system, 'trial.service'), unit);
  mkdirSync(join(system, 'graphical.target.wants'), { recursive: true });
  symlinkSync('/etc/systemd/system/trial.service', join(system, 'graphical.target.wants/trial.service'));
  symlinkSync('/lib/systemd/system/graphical.target', join(system, 'default.target'));
  const options = ['--quiet', '-b', '-D', root, '--private-network', '--register=no', '--keep-unit', '--console=pipe'];
  const given = ['--capability=CAP_BPF,CAP_PERFMON,CAP_NET_ADMIN', '--system-call-filter=bpf'];
  const booted = spawnSync('timeout', [String(limitSeconds), 'systemd-nspawn', ...options, ...given], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  writeFileSync(join(root, 'trial/console.txt'), booted.stdout + booted.stderr);
};

const root = mkdtempSync(join(tmpdir(), 'uketsuke-test-vm-'));
try {
  execFileSync('tar', ['--numeric-owner', '-xpf', blankDebian(), '-C', root]);
  chmodSync(root, 0o755);
  mkdirSync(join(root, 'trial'));
  say('installing the packages …');
  installPackages(root, resolve(values.debs));
  say('booting …');
  boot(root);
  const read = (name: string): string =>
    existsSync(join(root, 'trial', name)) ? readFileSync(join(root, 'trial', name), 'utf8').trim() : '';
  const active = read('active.txt').split('\n');
  const visit = read('visit.json') === '' ? {} : (JSON.parse(read('visit.json')) as Record<string, unknown>);
  const killRecoverMs = Number(read('kill.ms') || Number.NaN);
  const left = read('left.txt')
    .split('\n')
    .filter((line) => line !== '');
  const checks: Readonly<Record<string, boolean>> = {
    'provision clinic ends well': read('clinic.status') === '0',
    'provision terminal ends well': read('terminal.status') === '0',
    'every service runs': active.length === services.length && active.every((state) => state === 'active'),
    'the test visit is accepted': visit.accepted === true,
    'the facility is called a test': visit.isNamedTest === true,
    'face models are accepted': read('terminal.yaml').includes('fr_feature'),
    'provision clinic again changes nothing':
      read('again.status') === '0' && read('again.json').includes('"enrolled":[]'),
    'purge leaves nothing': read('purge.status') === '0' && left.length === 0,
    'killed, it is back within 3 s': killRecoverMs <= 3_000,
  };
  const failed = Object.entries(checks).filter(([, isRight]) => !isRight);
  for (const [what, isRight] of Object.entries(checks)) say(`${isRight ? 'OK' : 'NOT'}  ${what}`);
  if (failed.length > 0 || !values.json)
    for (const name of [
      'clinic.txt',
      'terminal.txt',
      'active.txt',
      'visit.json',
      'visit.err',
      'owners.txt',
      'left.txt',
    ])
      say(`${name}:\n${read(name)}`);
  process.stdout.write(
    `${JSON.stringify({
      profile: 'release',
      profiles: ['release'],
      systemd: active.length === services.length,
      // Install, `provision clinic` with its answers, `provision terminal` with the stick.
      commands: 3,
      testVisit: visit.accepted === true,
      ...(Number.isFinite(killRecoverMs) && { killRecoverMs }),
      checks: Object.keys(checks).length,
      failed: failed.length,
    })}\n`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
  if (values.keep) say(`kept: ${root}`);
  else rmSync(root, { recursive: true, force: true });
}
