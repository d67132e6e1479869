/**
 * npm run reboot-order -- --root DIR [--json]
 *
 * The order to reboot, from the staff page to a machine that has begun anew: two machines in containers with a real systemd,
 * the clinic's (agent, broker) and the terminal's, on one wire, both from a root that `scripts/test-vm --keep` left. The
 * terminal carries the signed order out by its own rights (polkit); the page says that it is back only by the state that it
 * tells after that, which names another start of the machine. `startMs`: what systemd counts from the beginning of the
 * terminal's unit until it is ready. Needs root, systemd-container, iproute2. Exit status 1: it was not so.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { project } from '../../package/tree.ts';
import { endingWithUs, machineOf } from '../container.ts';

const { values } = parseArgs({ options: { root: { type: 'string' }, json: { type: 'boolean' } } });
const say = (text: string): boolean => process.stderr.write(`reboot-order: ${text}\n`);
if (values.root === undefined || !existsSync(join(values.root, 'etc/uketsuke/terminal.yaml')))
  throw new Error('--root DIR: one that scripts/test-vm --keep left');
const base = resolve(values.root);
const work = mkdtempSync(join(tmpdir(), 'uketsuke-reboot-'));
const bridge = `ukr${process.pid % 100_000}`;
const node = '/usr/lib/uketsuke/node/bin/node --disable-warning=ExperimentalWarning';
const here = '/project/scripts/trials/installed';

const clinicUnits = ['uketsuke-agent.service', 'uketsuke-broker.service', 'uketsuke-broker-reload.path'];
const terminalUnits = [
  ...['uketsuke.service', 'uketsuke-link.service', 'uketsuke-face.service', 'uketsuke-link.socket'],
  ...['uketsuke-face.socket', 'uketsuke-screen.socket', 'uketsuke-welcome.service'],
];
const neither = ['uketsuke-kiosk.service', 'uketsuke-update.service', 'mosquitto.service'];

/** A machine of its own over the same files, without the units of the other end. */
const makeMachine = (name: string, without: readonly string[], address: string, script: string): string => {
  const at = (part: string): string => join(work, name, part);
  for (const part of ['upper', 'work', 'root']) mkdirSync(at(part), { recursive: true });
  const layers = `lowerdir=${base},upperdir=${at('upper')},workdir=${at('work')}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', layers, at('root')]);
  const root = at('root');
  const units = join(root, 'etc/systemd/system');
  for (const unit of [...without, ...neither]) {
    rmSync(join(units, unit), { force: true });
    symlinkSync('/dev/null', join(units, unit));
  }
  writeFileSync(
    join(root, 'trial/run.sh'),
    `#!/bin/sh
cat /proc/sys/kernel/random/boot_id >>/trial/boots.txt
ip address replace ${address}/24 broadcast + dev host0 && ip link set host0 up && ip route replace default dev host0
${script}
`,
    { mode: 0o755 },
  );
  // A container's own boot_id is laid over that of the kernel, where a unit with a /proc of its own does not see it.
  const id = '/proc/sys/kernel/random/boot_id';
  mkdirSync(join(root, 'etc/tmpfiles.d'), { recursive: true });
  writeFileSync(join(root, 'etc/tmpfiles.d/boot-id.conf'), `C /run/boot-id 0444 root root - ${id}\n`);
  mkdirSync(join(units, 'uketsuke.service.d'), { recursive: true });
  writeFileSync(join(units, 'uketsuke.service.d/boot-id.conf'), `[Service]\nBindReadOnlyPaths=/run/boot-id:${id}\n`);
  writeFileSync(join(units, 'trial.service'), '[Service]\nType=exec\nExecStart=/trial/run.sh\n');
  rmSync(join(root, 'trial/boots.txt'), { force: true });
  return root;
};

/** systemd-nspawn's word for a machine that restarts itself: whoever keeps it starts it again. */
const restarts = 133;

/** Runs until it is switched off, or `end` kills it. */
const start = (name: string, root: string) => {
  const given = [`--machine=${name}-${bridge}`, `--network-bridge=${bridge}`, `--bind-ro=${project}:/project`];
  const [program, words] = endingWithUs(...machineOf(root), ...given);
  let text = '';
  let machine: ChildProcess | null = null;
  const ended = (async () => {
    for (let status: number | null = restarts; status === restarts; ) {
      machine = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
      for (const stream of [machine.stdout, machine.stderr])
        stream?.on('data', (piece: Buffer) => {
          text = (text + piece.toString()).slice(-20_000);
        });
      [status] = (await once(machine, 'close')) as [number | null];
    }
  })();
  return { console: () => text, ended, end: () => machine?.kill('SIGKILL') };
};

const linesOf = (path: string): readonly string[] =>
  existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];

const roots: string[] = [];
try {
  execFileSync('ip', ['link', 'add', bridge, 'type', 'bridge']);
  execFileSync('ip', ['link', 'set', bridge, 'up']);
  const clinic = makeMachine(
    'clinic',
    terminalUnits,
    '192.0.2.10',
    `${node} ${here}/order-reboot.ts\nsystemctl poweroff`,
  );
  const stand = `nsenter -t "$(systemctl show -p MainPID --value uketsuke)" -n ${node} ${here}/stand-before.ts`;
  const counted =
    'systemctl show uketsuke -p InactiveExitTimestampMonotonic -p ActiveEnterTimestampMonotonic >/trial/start.txt';
  const terminal = makeMachine(
    'terminal',
    clinicUnits,
    '192.0.2.20',
    `until systemctl is-active -q uketsuke; do sleep 1; done
${counted}
while :; do ${stand} >>/trial/stand.txt 2>&1; sleep 1; done`,
  );
  roots.push(clinic, terminal);
  const [ofTerminal, ofClinic] = [start('terminal', terminal), start('clinic', clinic)];
  const bell = setTimeout(ofClinic.end, 600_000);
  await ofClinic.ended;
  clearTimeout(bell);
  // What it keeps is thrown away: no orderly end is waited for.
  ofTerminal.end();
  await ofTerminal.ended;
  const boots = new Set(linesOf(join(terminal, 'trial/boots.txt'))).size;
  const told = JSON.parse(linesOf(join(clinic, 'trial/reboot.json'))[0] ?? '{}') as Record<string, unknown>;
  const stamps = linesOf(join(terminal, 'trial/start.txt')).map((line) => Number(line.split('=')[1]));
  const startMs = stamps.length === 2 ? Math.round(Math.abs((stamps[0] ?? 0) - (stamps[1] ?? 0)) / 1_000) : null;
  say(JSON.stringify(told));
  if (told.servedAgain !== true) say(ofClinic.console().slice(-1_500) + ofTerminal.console().slice(-1_500));
  const found = {
    boots,
    confirmed: told.confirmed === true,
    servedAgain: told.servedAgain === true,
    ms: told.ms ?? null,
  };
  process.stdout.write(`${JSON.stringify({ profile: 'release', ...found, startMs })}\n`);
  process.exitCode = boots === 2 && found.confirmed && found.servedAgain ? 0 : 1;
} finally {
  for (const root of roots) spawnSync('umount', ['-l', root]);
  spawnSync('ip', ['link', 'del', bridge]);
  rmSync(work, { recursive: true, force: true });
}
