// In QEMU, on the installed device: says on the serial console what it sees, a line of JSON each. The machine outside takes
// the picture of the screen and presses the keys. One Node alone: under an emulated processor each start takes a minute.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

const say = (what, more = {}) =>
  writeFileSync(
    '/dev/ttyS0',
    `\nTRIAL ${JSON.stringify({ what, seconds: Math.round(performance.now() / 1_000), ...more })}\n`,
  );
const sh = (command) => {
  const { stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8', timeout: 120_000 });
  return `${stdout}${stderr}`.trim();
};
const devices = () => sh('ls /dev/dri /dev/video* /dev/hidraw* /dev/uketsuke-* 2>&1');

say('booted', { kernel: sh('uname -r'), devices: devices() });
const installed = '/usr/lib/uketsuke';
const { askHealth } = await import(`${installed}/drivers/host/health-socket.ts`);
const { defaultConfigPath, loadConfig } = await import(`${installed}/src/processes/terminal-config.ts`);
const loaded = loadConfig(readFileSync(defaultConfigPath));
if (!loaded.ok) say('config', { problems: loaded.failure });
const { socket } = loaded.value.health;
/** The terminal answers when its own work lets it: not within the two seconds of `uketsuke doctor`. */
const healthMs = 60_000;
const health = async () => {
  const text = await askHealth(socket, healthMs);
  return text === null ? null : JSON.parse(text);
};

// The keyboard's keys, as the terminal's own user gets them through the packaged driver.
const reader = spawn(
  'setpriv',
  [
    '--reuid=uketsuke',
    '--regid=uketsuke',
    '--clear-groups',
    `${installed}/node/bin/node`,
    '--input-type=module',
    '-e',
    `
  const { createHidKeypad } = await import('${installed}/drivers/keypad/hid-keypad.ts');
  createHidKeypad({ device: '/dev/uketsuke-keypad', model: 'numeric-keypad' }).subscribe((event) => process.stdout.write(JSON.stringify(event) + '\\n'));
`,
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
reader.on('exit', (code) => say('keypad reader ended', { code }));
reader.stdout.on('data', (data) => {
  for (const line of String(data).trim().split('\n')) say('keypad', { event: line });
});

/** What the terminal says of its parts; null: it does not answer yet. */
const partsOf = (report) =>
  report === null
    ? null
    : {
        screen: report.screen.connected,
        camera: report.face.present && !(report.face.trouble?.code ?? '').startsWith('camera.'),
        keypad: report.keypad.present,
      };
const isWhole = (parts) => parts !== null && Object.values(parts).every(Boolean);
const everyMs = 15_000;
/** Of the machine's life, less what comes after; since power-on */
const untilSeconds = Number(readFileSync('/trial/devices-seconds', 'utf8'));
let report = null;
let parts = null;
for (let before = ''; uptime() < untilSeconds && !isWhole(parts); await pause(everyMs)) {
  report = await health();
  parts = partsOf(report);
  const jobs = sh('systemctl list-jobs --no-legend | head -n 8');
  const kiosk = sh('systemctl show -p NRestarts,ActiveState --value uketsuke-kiosk');
  const now = JSON.stringify({ parts, jobs, kiosk });
  if (now !== before)
    say('so far', { parts, jobs, kiosk, busy: sh('ps -eo comm,time --sort=-time --no-headers | head -n 8') });
  before = now;
}
say('parts', { ...parts, report, devices: devices(), link: existsSync('/dev/uketsuke-keypad') });
say('kiosk', {
  active: sh('systemctl is-active uketsuke-kiosk'),
  restarts: sh('systemctl show -p NRestarts --value uketsuke-kiosk'),
  terminalRestarts: sh('systemctl show -p NRestarts --value uketsuke'),
  log: sh('journalctl -u uketsuke-kiosk -n 25 --no-pager -o cat').slice(-2500),
});
// The page is connected before an emulated processor has painted it: the pictures go on meanwhile.
await pause(90_000);
say('end', {
  face: sh('journalctl -u uketsuke-face -n 5 --no-pager -o cat').slice(-900),
  terminal: sh('journalctl -u uketsuke -n 5 --no-pager -o cat').slice(-900),
});
sh('sync; systemctl poweroff --no-block');
