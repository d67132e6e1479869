// In QEMU, on the installed device: says on the serial console what it sees, a line of JSON each. The machine outside takes
// the picture of the screen and presses the keys.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const say = (what, more = {}) => writeFileSync('/dev/ttyS0', `\nTRIAL ${JSON.stringify({ what, ...more })}\n`);
const sh = (command) => {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  return { status, text: `${stdout}${stderr}`.trim() };
};
const until = async (seconds, what) => {
  const end = Date.now() + seconds * 1_000;
  while (Date.now() < end) {
    if (await what()) return true;
    await pause(1_000);
  }
  return false;
};
const doctor = () => {
  const { text } = sh('uketsuke doctor --json 2>/dev/null');
  try {
    return JSON.parse(text.split('\n').at(-1)).diagnoses;
  } catch {
    return [];
  }
};
const stateOf = (diagnoses, check) => diagnoses.find((each) => each.check === check) ?? { state: 'absent' };

say('booted', { kernel: sh('uname -r').text, video: sh('ls /dev/dri /dev/video* /dev/hidraw* 2>&1').text });
// The keyboard's keys, as the terminal's own user gets them through the packaged driver.
const reader = spawn(
  'setpriv',
  [
    '--reuid=uketsuke',
    '--regid=uketsuke',
    '--clear-groups',
    '/usr/lib/uketsuke/node/bin/node',
    '--input-type=module',
    '-e',
    `
  const { createHidKeypad } = await import('/usr/lib/uketsuke/drivers/keypad/hid-keypad.ts');
  createHidKeypad({ device: '/dev/uketsuke-keypad', model: 'numeric-keypad' }).subscribe((event) => process.stdout.write(JSON.stringify(event) + '\\n'));
`,
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
reader.on('exit', (code) => say('keypad reader ended', { code }));
reader.stdout.on('data', (data) => {
  for (const line of String(data).trim().split('\n')) say('keypad', { event: line });
});
let last = [];
const isUp = await until(900, () => {
  last = doctor();
  const states = ['screen', 'camera', 'keypad'].map((check) => [check, stateOf(last, check).state]);
  say('so far', {
    seconds: Math.round(process.uptime()),
    ...Object.fromEntries(states),
    jobs: sh('systemctl list-jobs --no-legend').text.slice(0, 600),
  });
  return (
    stateOf(last, 'screen').state === 'ok' &&
    stateOf(last, 'camera').state === 'ok' &&
    stateOf(last, 'keypad').state === 'ok'
  );
});
say('doctor', {
  isUp,
  screen: stateOf(last, 'screen'),
  camera: stateOf(last, 'camera'),
  keypad: stateOf(last, 'keypad'),
  link: existsSync('/dev/uketsuke-keypad'),
});
say('kiosk', {
  active: sh('systemctl is-active uketsuke-kiosk').text,
  restarts: sh('systemctl show -p NRestarts --value uketsuke-kiosk').text,
  terminalRestarts: sh('systemctl show -p NRestarts --value uketsuke').text,
  log: sh('journalctl -u uketsuke-kiosk -n 25 --no-pager -o cat').text.slice(-2500),
});
say('press');
await until(40, () => false);
say('end', { face: sh('journalctl -u uketsuke-face -n 5 --no-pager -o cat').text.slice(-600) });
sh('sync; systemctl poweroff --no-block');
