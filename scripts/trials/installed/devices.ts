import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import { project } from '../../package/tree.ts';
import { inRoot, type Step, say, trialAtBoot } from './root.ts';

/*
 * The installed machine in QEMU with Debian's kernel: what a container does not have. A display whose picture is taken, a
 * USB keyboard whose keys are pressed, and a camera of the kernel (vivid). The processor is emulated: everything is slow,
 * and the units wait longer than on a device.
 */

type Word = { readonly what: string } & Readonly<Record<string, unknown>>;

const diskMb = 4_000;
/** Turns of the look at it, about a second each, between two pictures of its screen: the last one stays. */
const pictureEvery = 30;
/** What is asked of it last, and switching it off. s */
const lastWordsSeconds = 190;

const unneeded = [
  ...['uketsuke-agent.service', 'uketsuke-broker.service', 'uketsuke-broker-reload.path'],
  ...['uketsuke-broker-limits.service', 'uketsuke-link.service', 'apt-daily.timer', 'apt-daily-upgrade.timer'],
  ...[
    'dpkg-db-backup.timer',
    'e2scrub_all.timer',
    'e2scrub_reap.service',
    'fstrim.timer',
    'systemd-tmpfiles-clean.timer',
  ],
  ...['serial-getty@ttyS0.service', 'systemd-pstore.service'],
];

const prepare = (root: string): void => {
  say('adding a kernel …');
  // With what this machine boots from alone, its first file system is a tenth as large to unpack.
  mkdirSync(join(root, 'etc/initramfs-tools/conf.d'), { recursive: true });
  writeFileSync(join(root, 'etc/initramfs-tools/conf.d/trial.conf'), 'MODULES=list\nCOMPRESS=lz4\n');
  writeFileSync(join(root, 'etc/initramfs-tools/modules'), 'virtio_pci\nvirtio_blk\next4\n');
  inRoot(root, 'sh', '-c', 'apt-get install -y -q --no-install-recommends linux-image-amd64 initramfs-tools kmod lz4');
  copyFileSync(join(project, 'scripts/trials/installed/devices-inside.mjs'), join(root, 'trial/devices-inside.mjs'));
  // Written as a technician pins cameras: by a rule of the machine's own.
  writeFileSync(
    join(root, 'etc/udev/rules.d/71-uketsuke-trial.rules'),
    'SUBSYSTEM=="video4linux", ATTR{name}=="vivid-*-vid-cap", SYMLINK+="uketsuke-face-camera", GROUP="uketsuke-face", MODE="0660"\n',
  );
  writeFileSync(join(root, 'etc/modules-load.d/trial.conf'), 'vivid\n');
  writeFileSync(join(root, 'etc/modprobe.d/trial.conf'), 'options vivid n_devs=1 num_inputs=1 input_types=0\n');
  for (const unit of ['uketsuke', 'uketsuke-link', 'uketsuke-face', 'uketsuke-agent']) {
    mkdirSync(join(root, `etc/systemd/system/${unit}.service.d`), { recursive: true });
    writeFileSync(
      join(root, `etc/systemd/system/${unit}.service.d/slow.conf`),
      '[Service]\nTimeoutStartSec=600\nWatchdogSec=600\n',
    );
  }
  // Debian's own are ended after 90 s, or by watchdogs of 3 min, however slow the processor is.
  mkdirSync(join(root, 'etc/systemd/system.conf.d'), { recursive: true });
  writeFileSync(
    join(root, 'etc/systemd/system.conf.d/slow.conf'),
    '[Manager]\nDefaultTimeoutStartSec=900\nDefaultTimeoutStopSec=300\nDefaultDeviceTimeoutSec=900\n',
  );
  for (const unit of ['systemd-udevd', 'systemd-journald', 'systemd-logind']) {
    mkdirSync(join(root, `etc/systemd/system/${unit}.service.d`), { recursive: true });
    writeFileSync(
      join(root, `etc/systemd/system/${unit}.service.d/slow.conf`),
      '[Service]\nTimeoutStartSec=900\nWatchdogSec=0\n',
    );
  }
  // No processor for graphics is emulated.
  mkdirSync(join(root, 'etc/systemd/system/uketsuke-kiosk.service.d'), { recursive: true });
  writeFileSync(
    join(root, 'etc/systemd/system/uketsuke-kiosk.service.d/slow.conf'),
    '[Service]\nEnvironment=WLR_RENDERER=pixman\nTimeoutStartSec=600\n',
  );
  mkdirSync(join(root, 'etc/chromium.d'), { recursive: true });
  writeFileSync(
    join(root, 'etc/chromium.d/trial'),
    'export CHROMIUM_FLAGS="$CHROMIUM_FLAGS --disable-gpu --force-prefers-reduced-motion"\n',
  );
  const config = join(root, 'etc/uketsuke/terminal.yaml');
  const text = readFileSync(config, 'utf8');
  if (!text.includes('keypad:')) writeFileSync(config, text.replace('speaker:', 'keypad:\n  driver: hid\nspeaker:'));
  // The network of the container is not here, and the clinic's end is not part of this look: nor is what an idle Debian does.
  const system = join(root, 'etc/systemd/system');
  for (const unit of unneeded) {
    rmSync(join(system, unit), { force: true });
    symlinkSync('/dev/null', join(system, unit));
  }
  writeFileSync(join(root, 'etc/fstab'), '/dev/vda / ext4 defaults 0 1\n');
  trialAtBoot(root, '/usr/lib/uketsuke/node/bin/node /trial/devices-inside.mjs', 'sysinit.target');
};

const makeDisk = (root: string, folder: string): string => {
  say('making its disk …');
  const disk = join(folder, 'disk.img');
  execFileSync('mkfs.ext4', ['-q', '-F', '-d', root, disk, `${diskMb}M`], { stdio: ['ignore', 'ignore', 'inherit'] });
  return disk;
};

const start = (root: string, folder: string, disk: string, seconds: number): ChildProcess => {
  const kernelOf = (kind: string): string =>
    join(root, 'boot', readdirSync(join(root, 'boot')).find((name) => name.startsWith(kind)) ?? kind);
  const options = [
    ...[
      '-accel',
      'tcg,thread=multi,tb-size=1024',
      // Without AVX: programs that find it use it, and it is what is emulated worst.
      '-cpu',
      'Nehalem',
      '-m',
      '2500',
      '-smp',
      '2',
      '-nodefaults',
      '-no-reboot',
      '-display',
      'none',
    ],
    // Not `std`: wlroots takes no display whose driver (bochs) cannot import buffers.
    ...['-vga', 'virtio', '-device', 'virtio-rng-pci', '-device', 'qemu-xhci', '-device', 'usb-kbd', '-nic', 'none'],
    ...[
      '-serial',
      `file:${join(folder, 'console.txt')}`,
      '-monitor',
      `unix:${join(folder, 'monitor.sock')},server,nowait`,
    ],
    ...[
      '-kernel',
      kernelOf('vmlinuz-'),
      '-initrd',
      kernelOf('initrd.img-'),
      '-append',
      'root=/dev/vda rw console=tty0 console=ttyS0 loglevel=4 systemd.show_status=1 udev.event_timeout=900',
    ],
    ...['-drive', `file=${disk},format=raw,if=virtio,cache=unsafe`],
  ];
  return spawn('timeout', [String(seconds), 'qemu-system-x86_64', ...options], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
};

const order = (folder: string, command: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(join(folder, 'monitor.sock'));
    socket.once('error', reject);
    socket.once('close', () => resolve());
    // What the monitor says is nobody's; unread, it would keep the connection open for ever.
    socket.resume();
    socket.write(`${command}\n`);
    setTimeout(() => socket.end(), 500);
  });

const wordsIn = (folder: string): Word[] => {
  const file = join(folder, 'console.txt');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('TRIAL {'))
    .flatMap((line) => {
      try {
        return [JSON.parse(line.slice('TRIAL '.length)) as Word];
      } catch {
        return [];
      }
    });
};

/** Colours of the picture, coarsely: a page has many, a black screen or a console few. */
const coloursOf = async (png: string): Promise<number> => {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const seen = new Set<number>();
  for (let at = 0; at < info.width * info.height * 3; at += 3)
    seen.add(((data[at] ?? 0) >> 4) * 256 + ((data[at + 1] ?? 0) >> 4) * 16 + ((data[at + 2] ?? 0) >> 4));
  return seen.size;
};

const takePicture = async (folder: string, to: string): Promise<void> => {
  const raw = join(folder, 'screen.ppm');
  await order(folder, `screendump ${raw}`);
  if (!existsSync(raw)) return;
  execFileSync('ffmpeg', ['-loglevel', 'error', '-y', '-i', raw, to], { stdio: ['ignore', 'ignore', 'inherit'] });
};

/** `pictures`: where the picture of the screen is left for somebody to look at. `seconds`: after which it is switched off. */
export const tryDevices = async (
  installed: string,
  pictures: string,
  seconds: number,
): Promise<{ readonly steps: readonly Step[]; readonly devices: Readonly<Record<string, boolean>> }> => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-qemu-'));
  try {
    // What this look changes for itself is not what the packages have left, when they are taken away.
    const root = join(folder, 'root');
    execFileSync('cp', ['--archive', '--one-file-system', installed, root], { stdio: ['ignore', 'ignore', 'inherit'] });
    prepare(root);
    writeFileSync(join(root, 'trial/devices-seconds'), String(seconds - lastWordsSeconds));
    const disk = makeDisk(root, folder);
    say('booting it in QEMU: minutes …');
    const began = performance.now();
    const machine = start(root, folder, disk, seconds);
    const has = (what: string, event = ''): boolean =>
      wordsIn(folder).some((word) => word.what === what && String(word.event ?? '').includes(event));
    // What one part is late with keeps no other from being seen.
    let pressed = false;
    for (let turn = 0; machine.exitCode === null && !has('end'); turn += 1) {
      await pause(1_000);
      if (turn % pictureEvery === pictureEvery - 1 || has('parts')) await takePicture(folder, pictures);
      if (pressed || !has('keypad', '"found"')) continue;
      pressed = true;
      for (const key of ['1', '2', 'kp_3', 'ret']) {
        await order(folder, `sendkey ${key}`);
        await pause(2_000);
      }
    }
    if (machine.exitCode === null)
      await Promise.race([new Promise((resolve) => machine.once('exit', resolve)), pause(60_000)]);
    if (machine.exitCode === null) machine.kill('SIGTERM');
    const ms = Math.round(performance.now() - began);
    const words = wordsIn(folder);
    const console = `${pictures}.console.txt`;
    copyFileSync(join(folder, 'console.txt'), console);
    say(`its console: ${console}`);
    // Where its time was over before everything was there, what was.
    const parts =
      words.find(({ what }) => what === 'parts') ?? words.findLast(({ what }) => what === 'so far')?.parts ?? {};
    const isThere = (part: string): boolean => (parts as Record<string, unknown>)[part] === true;
    const keys = words
      .filter(({ what, event }) => what === 'keypad' && String(event).includes('"key"'))
      .map(({ event }) => (JSON.parse(String(event)) as { key: number }).key);
    const colours = existsSync(pictures) ? await coloursOf(pictures) : 0;
    const is = (name: string, ok: boolean, detail: string): Step => ({ name, ok, ms: 0, ...(ok ? {} : { detail }) });
    const steps = [
      { ...is('the installed machine boots in QEMU', words.length > 0, 'no word from it'), ms },
      is(
        'the kiosk shows the page on its display',
        isThere('screen') && colours >= 12,
        `${JSON.stringify(parts)}, ${colours} colours; ${JSON.stringify(words.find(({ what }) => what === 'kiosk'))}`,
      ),
      is(
        'a USB keypad is read',
        JSON.stringify(keys) === '[49,50,51,13]',
        `keys ${JSON.stringify(keys)}, ${JSON.stringify(parts)}`,
      ),
      is('the camera of the kernel is seen by the face process', isThere('camera'), JSON.stringify(parts)),
    ];
    const [, kiosk, hid, camera] = steps.map(({ ok }) => ok);
    return { steps, devices: { kiosk: kiosk === true, hid: hid === true, camera: camera === true } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
