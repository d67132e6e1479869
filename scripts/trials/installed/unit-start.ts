/**
 * npm run start-time -- --root DIR [--starts 7] [--boots 3] [--installed] [--profile DIR] [--json]
 *
 * How long the terminal's own unit takes from its beginning until it says that it is ready, as systemd counts it: in a
 * container with a real systemd, no network, over a root that `scripts/test-vm --keep` left, with link and face process
 * beside it as on a device. The programs are those of this tree (`--installed`: those of the root's packages), compiled
 * once before, as by the package. `processorMs`: what the terminal had used of a processor when it was ready; a busy machine
 * changes it little. `--profile`: one more start under V8's profiler, its file laid there. Then `--boots` times (median)
 * from power-on until a patient can be served, and the same machine bare: power-on.ts; left out where no start came to its
 * end. Needs root, systemd-container. Exit status 1: a start of the unit takes more than 2 s, or the machine with us serves
 * later than 20 s after the bare one has booted.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { project } from '../../package/tree.ts';
import { bootAlone } from '../container.ts';
import { mask, measurePowerOn, middle } from './power-on.ts';

const { values } = parseArgs({
  options: {
    root: { type: 'string' },
    starts: { type: 'string', default: '7' },
    boots: { type: 'string', default: '3' },
    installed: { type: 'boolean', default: false },
    profile: { type: 'string' },
    json: { type: 'boolean' },
  },
});
const aimMs = 2_000;
const lower = resolve(values.root ?? '');
if (values.root === undefined || !existsSync(join(lower, 'etc/uketsuke/terminal.yaml')))
  throw new Error('--root DIR: one that scripts/test-vm --keep left');

const others = [
  ...['uketsuke-agent.service', 'uketsuke-broker.service', 'uketsuke-broker-reload.path', 'mosquitto.service'],
  ...['uketsuke-welcome.service', 'uketsuke-kiosk.service', 'uketsuke-update.service'],
];
/** Node keeps what it compiled by the user's number; root's is lent to the terminal, as the package's postinst does. */
const inside = `#!/bin/sh
exec >/trial/console.txt 2>&1
export NODE_COMPILE_CACHE=/var/cache/uketsuke/compiled
rm -rf $NODE_COMPILE_CACHE && mkdir -p $NODE_COMPILE_CACHE
for command in run link face; do uketsuke $command --help >/dev/null 2>&1; done
chmod -R a+rX $NODE_COMPILE_CACHE
for made in $(cd $NODE_COMPILE_CACHE && ls -d -- *-0); do for user in uketsuke uketsuke-link uketsuke-face; do
  ln -sfn $made $NODE_COMPILE_CACHE/$(basename $made -0)-$(id -u $user)
done; done
systemctl start uketsuke-link uketsuke-face
count=0
while [ $count -lt ${Number(values.starts)} ]; do
  systemctl start uketsuke || break
  ticks=$(sed 's/.*) //' "/proc/$(systemctl show -p MainPID --value uketsuke)/stat" | awk '{ print $12 + $13 }')
  echo "ticks=$ticks" $(systemctl show uketsuke -p InactiveExitTimestampMonotonic -p ActiveEnterTimestampMonotonic) >>/trial/starts.txt
  systemctl stop uketsuke
  count=$((count + 1))
done
if [ -e /trial/profile ]; then
  mkdir -p /run/systemd/system/uketsuke.service.d
  printf '[Service]\\nEnvironment="NODE_OPTIONS=--cpu-prof --cpu-prof-dir=/var/lib/uketsuke"\\n' >/run/systemd/system/uketsuke.service.d/profile.conf
  systemctl daemon-reload; systemctl start uketsuke; systemctl stop uketsuke
  cp /var/lib/uketsuke/*.cpuprofile /trial/
fi
journalctl -o cat -u uketsuke -u uketsuke-link >/trial/journal.txt
systemctl poweroff
`;

const work = mkdtempSync(join(tmpdir(), 'uketsuke-start-time-'));
const root = join(work, 'root');
for (const part of ['upper', 'work', 'root']) mkdirSync(join(work, part));
const layers = `lowerdir=${lower},upperdir=${join(work, 'upper')},workdir=${join(work, 'work')}`;
execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', layers, root]);
try {
  if (!values.installed) {
    for (const unit of ['uketsuke.service', 'uketsuke-link.service', 'uketsuke-face.service'])
      cpSync(join(project, 'systemd', unit), join(root, 'usr/lib/systemd/system', unit));
    for (const part of ['src', 'drivers', 'package.json']) {
      rmSync(join(root, 'usr/lib/uketsuke', part), { recursive: true, force: true });
      cpSync(join(project, part), join(root, 'usr/lib/uketsuke', part), { recursive: true });
    }
  }
  const units = join(root, 'etc/systemd/system');
  mask(root, others);
  rmSync(join(units, 'multi-user.target.wants/uketsuke.service'), { force: true });
  mkdirSync(join(root, 'trial'), { recursive: true });
  for (const name of ['starts.txt', 'profile']) rmSync(join(root, 'trial', name), { force: true });
  if (values.profile !== undefined) writeFileSync(join(root, 'trial/profile'), '');
  writeFileSync(join(root, 'trial/run.sh'), inside, { mode: 0o755 });
  writeFileSync(join(units, 'trial.service'), '[Service]\nType=exec\nExecStart=/trial/run.sh\n');
  const said = bootAlone(root, 420);
  const told = (name: string): string => {
    const path = join(root, 'trial', name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  const starts = told('starts.txt')
    .split('\n')
    .flatMap((line) => {
      const number = (key: string): number => Number(new RegExp(`${key}=(\\d+)`).exec(line)?.[1]);
      const ms = (number('ActiveEnterTimestampMonotonic') - number('InactiveExitTimestampMonotonic')) / 1_000;
      return ms > 0 ? [{ ms, processorMs: 10 * number('ticks') }] : [];
    });
  if (starts.length < Number(values.starts))
    process.stderr.write(`${said.slice(-800)}\n${told('console.txt')}\n${told('journal.txt').slice(-3_000)}\n`);
  if (values.profile !== undefined)
    for (const name of readdirSync(join(root, 'trial')).filter((each) => each.endsWith('.cpuprofile')))
      cpSync(join(root, 'trial', name), join(values.profile, name));
  const readyMs = middle(starts.map(({ ms }) => ms));
  const found = {
    ...{ starts: starts.length, readyMs, fastestMs: Math.round(Math.min(...starts.map(({ ms }) => ms))), aimMs },
    ...{ processorMs: middle(starts.map(({ processorMs }) => processorMs)), load: Math.round(loadavg()[0] ?? 0) },
  };
  const isReadyInTime = readyMs !== null && readyMs <= aimMs && starts.length === Number(values.starts);
  const powerOn = starts.length === 0 ? null : measurePowerOn(root, Number(values.boots));
  process.stdout.write(`${JSON.stringify({ profile: 'release', ...found, ...powerOn })}\n`);
  process.exitCode = isReadyInTime && powerOn?.isInTime ? 0 : 1;
} finally {
  spawnSync('umount', ['-l', root]);
  rmSync(work, { recursive: true, force: true });
}
