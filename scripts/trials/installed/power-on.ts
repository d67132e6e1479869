import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { project } from '../../package/tree.ts';
import { bootAlone } from '../container.ts';

/*
 * From power-on until a patient can be served, in a container with a real systemd: from the first moment of systemd, so
 * without firmware and kernel, which both boots would have. The clinic's end (broker, agent) begins on the same machine in
 * the same moment, where at a clinic it runs already: our count is the worse for it. Chromium stands in the kiosk's unit
 * without a display (there is none), begins at the page that counts down, and paints the terminal's by processor.
 */

/** Later than the bare machine, at most. ms */
const aimAddedMs = 20_000;

const unitsOf = (root: string): string => join(root, 'etc/systemd/system');

/** The rule of systemd: a unit that is a link to nothing is never begun. */
export const mask = (root: string, names: readonly string[]): void => {
  for (const name of names) {
    rmSync(join(unitsOf(root), name), { force: true });
    symlinkSync('/dev/null', join(unitsOf(root), name));
  }
};

const unmask = (root: string, names: readonly string[]): void => {
  for (const name of names) {
    const path = join(unitsOf(root), name);
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(path);
  }
};

/** The middle one, rounded; null: there is none */
export const middle = (of: readonly number[]): number | null => {
  const at = of.toSorted((one, other) => one - other)[Math.floor(of.length / 2)];
  return at === undefined ? null : Math.round(at);
};

const node = '/usr/lib/uketsuke/node/bin/node --disable-warning=ExperimentalWarning';
const stamps = `systemctl show -p UserspaceTimestampMonotonic
systemctl show multi-user.target -p ActiveEnterTimestampMonotonic`;
/** Both machines: everything that is to begin has begun, then what systemd and whoever waited for a patient wrote down. */
const script = (before: string): string => `#!/bin/sh
exec >/trial/console.txt 2>&1
${before}
systemctl is-system-running --wait
{ ${stamps}
} >/trial/power-on.txt
journalctl -o short-monotonic -b -n 400 >/trial/journal.txt
systemctl poweroff
`;

/** A network of this machine alone, which a clinic's would bring up at the same place of the order. */
const network = `[Unit]
DefaultDependencies=no
Before=network.target uketsuke-link.service uketsuke-broker.service uketsuke-agent.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip link add clinic0 type veth peer name clinic1 && ip address add 192.0.2.10/24 broadcast + dev clinic0 && ip link set clinic1 up && ip link set clinic0 up && ip route add default dev clinic0'
[Install]
WantedBy=sysinit.target
`;

/** The unit's own limits, namespace and page; no display, no login on one, no sandbox within a container. */
const browser = `[Service]
PAMName=
TTYPath=
TTYReset=no
TTYVHangup=no
StandardInput=null
UtmpIdentifier=
ExecStart=
ExecStart=/usr/bin/chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir=/run/uketsuke-kiosk/profile --no-first-run --no-default-browser-check --disable-sync --disable-background-networking --disable-component-update file:///usr/lib/uketsuke/dist/screens/waiting.html?ready=\${UKETSUKE_READY_AT}
`;

type Boot = { readonly bootMs: number; readonly readyMs: number | null };

const bootOnce = (root: string, before: string): Boot | null => {
  const at = (name: string): string => join(root, 'trial', name);
  for (const name of ['power-on.txt', 'ready.json', 'journal.txt']) rmSync(at(name), { force: true });
  writeFileSync(at('run.sh'), script(before), { mode: 0o755 });
  const said = bootAlone(root, 180, `--bind-ro=${project}:/project`);
  const read = (name: string): string => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : '');
  const told = read('power-on.txt');
  const since = (key: string): number => Number(new RegExp(`^${key}=(\\d+)$`, 'm').exec(told)?.[1]) / 1_000;
  const [began, booted] = [since('UserspaceTimestampMonotonic'), since('ActiveEnterTimestampMonotonic')];
  const ready =
    read('ready.json') === '' ? null : (JSON.parse(read('ready.json')) as { atMs?: number; last?: unknown });
  if (before !== '' && ready?.atMs === undefined)
    process.stderr.write(`${said.slice(-400)}\n${read('journal.txt').slice(-6_000)}\n${JSON.stringify(ready)}\n`);
  if (!(booted > began)) return null;
  return { bootMs: booted - began, readyMs: ready?.atMs === undefined ? null : ready.atMs - began };
};

/** Leaves the root's units changed. `isInTime`: every boot came to its end, and the middle one in time */
export const measurePowerOn = (root: string, boots: number) => {
  const ours = readdirSync(join(root, 'usr/lib/systemd/system')).filter((name) => /^(uketsuke|mosquitto)/.test(name));
  const kiosk = join(unitsOf(root), 'uketsuke-kiosk.service.d');
  mask(root, ours);
  const bare = Array.from({ length: boots }, () => bootOnce(root, '')).filter((each) => each !== null);
  unmask(root, ours);
  mask(root, ['mosquitto.service']);
  for (const folder of [kiosk, join(unitsOf(root), 'sysinit.target.wants')]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(kiosk, 'no-display.conf'), browser);
  writeFileSync(join(unitsOf(root), 'trial-network.service'), network);
  for (const [folder, name] of [
    ['sysinit.target.wants', '../trial-network.service'],
    ['multi-user.target.wants', '/usr/lib/systemd/system/uketsuke.service'],
  ] as const) {
    const link = join(unitsOf(root), folder, name.split('/').at(-1) ?? '');
    rmSync(link, { force: true });
    symlinkSync(name, link);
  }
  const waiting = `${node} /project/scripts/trials/installed/await-patient.ts`;
  const whole = Array.from({ length: boots }, () => bootOnce(root, waiting)).filter((each) => each !== null);
  const bareBootMs = middle(bare.map(({ bootMs }) => bootMs));
  const served = whole.flatMap(({ readyMs }) => (readyMs === null ? [] : [readyMs]));
  const powerOnToReadyMs = middle(served);
  const addedMs = bareBootMs === null || powerOnToReadyMs === null ? null : powerOnToReadyMs - bareBootMs;
  const isWhole = bare.length === boots && served.length === boots && boots > 0;
  return {
    ...{ boots: served.length, bareBootMs, bootMs: middle(whole.map(({ bootMs }) => bootMs)), powerOnToReadyMs },
    ...{ addedMs, aimAddedMs, isInTime: isWhole && addedMs !== null && addedMs <= aimAddedMs },
  };
};
