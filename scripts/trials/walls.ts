import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
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
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { ensureTestAuthority } from '../../drivers/virtual/test-authority.ts';
import { addAgent, addDevice, createFacility } from '../../src/agent/provisioning/facility-authority.ts';
import { layDebian } from '../image/kept-debian.ts';
import { project } from '../package/tree.ts';
import { bootAlone } from './container.ts';
import { devices, type Process, processes, type Try, triesOf } from './walls-tries.ts';

/**
 * npm run walls [-- --json]
 *
 * The units as they are, booted by a real systemd in a container: each unit's user, inside the unit's own sandbox, tries
 * what the table of processes says that it never sees (files, sockets, devices, memory, addresses), and what it needs, as
 * a proof that the probe can. Devices stand for real ones: files with the owner and mode that the udev rule gives. Needs
 * root, systemd-container and mmdebstrap. Exit status 1: something forbidden was possible, or something needed was not.
 */
const { values } = parseArgs({ options: { json: { type: 'boolean' }, keep: { type: 'boolean' } } });
const say = (text: string): boolean => process.stderr.write(`walls: ${text}\n`);
const limitSeconds = 420;
const [broker, elsewhere] = ['192.0.2.10', '192.0.2.99'];
const packages = 'systemd,systemd-sysv,dbus,udev,polkitd,pcscd,libpcsclite1,libstdc++6,libudev1,libusb-1.0-0,iproute2';

const inRoot = (root: string, ...command: readonly string[]): string =>
  execFileSync('chroot', [root, ...command], { encoding: 'utf8' });

/** The project's parts at the places that the units name. */
const projectParts = ['src', 'drivers', 'node_modules', 'models', 'dist', 'package.json', 'docs'];
const binds = (): string[] => [
  ...projectParts
    .filter((part) => existsSync(join(project, part)))
    .map((part) => `${project}${part}:/usr/lib/uketsuke/${part}`),
  `${project}scripts/node24/node_modules/node-linux-${process.arch}:/usr/lib/uketsuke/node`,
];

const enable = (root: string, unit: string, target: string): void => {
  const folder = join(root, 'etc/systemd/system', `${target}.target.wants`);
  mkdirSync(folder, { recursive: true });
  symlinkSync(`/etc/systemd/system/${unit}`, join(folder, unit));
};

/** Units, users, rules, keys and configuration, as the technician's guide has them put. */
const install = async (root: string): Promise<void> => {
  const system = join(root, 'etc/systemd/system');
  for (const name of readdirSync(join(project, 'systemd')))
    if (/\.(service|socket)$/.test(name)) copyFileSync(join(project, 'systemd', name), join(system, name));
  mkdirSync(join(system, 'uketsuke-link.service.d'));
  writeFileSync(join(system, 'uketsuke-link.service.d/broker.conf'), `[Service]\nIPAddressAllow=${broker}\n`);
  copyFileSync(join(project, 'systemd/sysusers/uketsuke.conf'), join(root, 'usr/lib/sysusers.d/uketsuke.conf'));
  mkdirSync(join(root, 'etc/polkit-1/rules.d'), { recursive: true });
  copyFileSync(join(project, 'systemd/polkit/50-uketsuke.rules'), join(root, 'etc/polkit-1/rules.d/50-uketsuke.rules'));
  inRoot(root, 'systemd-sysusers');
  for (const socket of ['uketsuke-screen.socket', 'uketsuke-link.socket', 'uketsuke-face.socket'])
    enable(root, socket, 'sockets');
  for (const { unit, starts } of processes) if (starts) enable(root, unit, 'multi-user');

  const made = mkdtempSync(join(tmpdir(), 'uketsuke-walls-'));
  await createFacility(made, { facility: 'walls', brokerNames: [broker] });
  await addAgent(made, 'agent-1');
  const device = await addDevice(made, 'terminal-01', 1);
  await ensureTestAuthority(join(made, 'authority'));
  copyFileSync(join(made, 'authority/cv-issuers.json'), join(device, 'terminal/cv-issuers.json'));
  const provisioning = join(root, 'etc/uketsuke/provisioning');
  cpSync(device, provisioning, { recursive: true });
  rmSync(made, { recursive: true });
  for (const folder of ['etc/uketsuke', 'etc/uketsuke/provisioning']) chmodSync(join(root, folder), 0o755);
  inRoot(root, 'chown', '-R', 'uketsuke:', '/etc/uketsuke/provisioning/terminal');
  inRoot(root, 'chown', '-R', 'uketsuke-link:', '/etc/uketsuke/provisioning/link');
  const config = {
    // Its cards are of a test authority, which `release` refuses; nothing in the units depends on it.
    profile: 'test',
    facility: 'walls',
    device: 'terminal-01',
    broker: { host: broker },
    face: { acceptUnverifiedModels: ['fr_feature'] },
  };
  writeFileSync(join(root, 'etc/uketsuke/terminal.yaml'), stringify(config));
};

/** The unit itself, with another program in it: same user, same sandbox. */
const probeUnit = (unit: string, name: Process['name']): string => {
  const text = readFileSync(join(project, 'systemd', unit), 'utf8').replaceAll('\\\n', '');
  // What belongs to the program or to a screen, and to no wall.
  const left =
    /^(Type|NotifyAccess|Exec\w+|Restart\w*|Watchdog\w+|Requires|Conflicts|PartOf|PAMName|TTY\w+|Standard\w+|Utmp\w+|Timeout\w+|RuntimeDirectory\w*|StartLimit\w+|WantedBy)=/;
  const kept = text.split('\n').filter((line) => !left.test(line));
  const extra = [
    'Type=oneshot',
    'TimeoutStartSec=120',
    `ExecStart=/usr/lib/uketsuke/node/bin/node /walls/probe.mjs /walls/${name}.tries.json`,
    `StandardOutput=file:/walls/${name}.out`,
    `StandardError=file:/walls/${name}.err`,
  ];
  // Its drop-in.
  if (name === 'link') extra.push(`IPAddressAllow=${broker}`);
  const at = kept.indexOf('[Service]');
  return [...kept.slice(0, at + 1), ...extra, ...kept.slice(at + 1)].join('\n');
};

/** What root does in the container once it is up: waits for the units, makes addresses and devices, lets each probe try. */
const script = (): string => `#!/bin/sh
exec 2>/walls/script.err
set -x
ip address add ${broker}/32 dev lo
ip address add ${elsewhere}/32 dev lo
/usr/lib/uketsuke/node/bin/node -e "for (const host of ['${broker}', '${elsewhere}']) require('node:net').createServer((s) => s.end()).listen(8883, host)" &
${devices.map(({ path, user }) => `echo device > ${path}; chown ${user}: ${path}; chmod 0660 ${path}`).join('\n')}
tries=0
until systemctl is-active --quiet ${processes
  .filter(({ starts }) => starts)
  .map(({ unit }) => unit)
  .join(' ')} || [ $tries -gt 120 ]; do
  tries=$((tries + 1)); sleep 1
done
systemctl is-active ${processes.map(({ unit }) => unit).join(' ')} >/walls/active.txt
for name in terminal link face; do
  unit=uketsuke; [ $name = terminal ] || unit=uketsuke-$name
  pid=$(systemctl show -p MainPID --value $unit.service)
  sed -i "s/@$name-pid@/$pid/g" /walls/*.tries.json
done
mkdir -p /var/lib/uketsuke-agent && echo journal >/var/lib/uketsuke-agent/journal && chown -R uketsuke-agent: /var/lib/uketsuke-agent && chmod 0700 /var/lib/uketsuke-agent
for name in ${processes.map(({ name }) => name).join(' ')}; do systemctl start walls-$name.service; done
journalctl -u 'uketsuke*' -u 'walls*' --no-pager >/walls/journal.txt
systemctl poweroff --no-block
`;

type Outcome = Try & { readonly process: string; readonly outcome: string };

const boot = (root: string): void => {
  const walls = join(root, 'walls');
  mkdirSync(walls);
  copyFileSync(join(project, 'scripts/trials/walls-probe.mjs'), join(walls, 'probe.mjs'));
  for (const process of processes) {
    writeFileSync(join(walls, `${process.name}.tries.json`), JSON.stringify(triesOf(process.name, broker, elsewhere)));
    writeFileSync(
      join(root, 'etc/systemd/system', `walls-${process.name}.service`),
      probeUnit(process.unit, process.name),
    );
  }
  writeFileSync(join(walls, 'run.sh'), script(), { mode: 0o755 });
  const unit = '[Unit]\nAfter=multi-user.target\n[Service]\nType=exec\nExecStart=/walls/run.sh\n';
  writeFileSync(join(root, 'etc/systemd/system/walls.service'), unit);
  enable(root, 'walls.service', 'graphical');
  symlinkSync('/lib/systemd/system/graphical.target', join(root, 'etc/systemd/system/default.target'));
  const mounts = binds().map((bind) => `--bind-ro=${bind}`);
  writeFileSync(join(walls, 'console.txt'), bootAlone(root, limitSeconds, ...mounts));
};

const outcomesOf = (root: string): Outcome[] =>
  processes.flatMap(({ name }) => {
    const file = join(root, 'walls', `${name}.out`);
    const lines = existsSync(file)
      ? readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .filter((line) => line !== '')
      : [];
    return lines.map((line) => ({ process: name, ...(JSON.parse(line) as Omit<Outcome, 'process'>) }));
  });

const exposureOf = (unit: string): number => {
  const judged = spawnSync('systemd-analyze', ['security', '--offline=yes', join(project, 'systemd', unit)], {
    encoding: 'utf8',
  });
  return Number(/exposure level for \S+: ([\d.]+)/.exec(judged.stdout)?.[1] ?? Number.NaN);
};

const root = mkdtempSync(join(tmpdir(), 'uketsuke-walls-root-'));
try {
  layDebian(root, 'walls', 'bookworm', packages, say);
  await install(root);
  say('booting …');
  boot(root);
  const outcomes = outcomesOf(root);
  const expected = processes.reduce((sum, { name }) => sum + triesOf(name, broker, elsewhere).length, 0);
  const forbidden = outcomes.filter(({ needed }) => !needed);
  const allowed = forbidden.filter(({ outcome }) => outcome === 'done');
  const blind = outcomes.filter(({ needed, outcome }) => needed && outcome !== 'done');
  for (const { process, what, outcome } of allowed) say(`ALLOWED  ${process}: ${what} (${outcome})`);
  for (const { process, what, outcome } of blind) say(`NEEDED AND REFUSED  ${process}: ${what} (${outcome})`);
  if (outcomes.length !== expected) say(`${outcomes.length} of ${expected} tries were made`);
  if (!values.json) for (const { process, what, outcome } of outcomes) say(`${process}: ${what}: ${outcome}`);
  const exposure = { terminal: exposureOf('uketsuke.service'), link: exposureOf('uketsuke-link.service') };
  const ok =
    allowed.length + blind.length === 0 &&
    outcomes.length === expected &&
    exposure.terminal <= 0.8 &&
    exposure.link <= 1.6;
  const report = {
    profile: 'test',
    processes: processes.length,
    forbiddenReads: forbidden.length,
    allowed: allowed.length,
    needed: outcomes.length - forbidden.length,
    neededRefused: blind.length,
    exposure,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = ok ? 0 : 1;
} finally {
  if (values.keep) say(`kept: ${root}`);
  else rmSync(root, { recursive: true, force: true });
}
