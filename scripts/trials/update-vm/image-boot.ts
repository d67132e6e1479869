/**
 * npm run image:boot -- --image FILE [--seconds 600] [--json]    (…-arm64.img: qemu-system-arm)
 *
 * The image's first start in a virtual machine (emulated processor), as its boot loader would begin it, on a copy: whether the
 * enrolment waits for somebody, and says so on the display (amd64; the letters are read from the display's memory), and what the
 * image must not have (swap, a password, a login), by its own files. Exit status 1: one of it is otherwise.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { offsetOf, partitions } from '../../image/slots.ts';
import { bootOnce } from './firmware.ts';

const { values } = parseArgs({
  options: { image: { type: 'string' }, seconds: { type: 'string', default: '600' }, json: { type: 'boolean' } },
});
const say = (text: string): boolean => process.stderr.write(`image-boot: ${text}\n`);
if (values.image === undefined) throw new Error('--image FILE');
const work = mkdtempSync(join(tmpdir(), 'uketsuke-image-boot-'));
const arch = values.image.includes('arm64') ? 'arm64' : 'amd64';
try {
  const disk = join(work, 'disk.img');
  execFileSync('cp', ['--sparse=always', values.image, disk]);
  const system = join(work, 'system.img');
  const size = partitions.find(({ label }) => label === 'system_a')?.size ?? 0;
  const place = [`skip=${offsetOf('system_a')}`, `count=${size}`];
  execFileSync('dd', [`if=${disk}`, `of=${system}`, 'bs=1M', ...place, 'status=none']);
  const fileOf = (name: string): string => execFileSync('unsquashfs', ['-cat', system, name], { encoding: 'utf8' });
  const shadow = fileOf('etc/shadow').trim().split('\n');
  const withPassword = shadow.filter((line) => !/^[^:]+:[!*]/.test(line)).map((line) => line.split(':')[0]);
  const hasSwap = /\bswap\b/.test(fileOf('etc/fstab'));
  const watchdog = fileOf('etc/systemd/system.conf.d/uketsuke.conf').includes('RuntimeWatchdogSec=');
  const waits = /Started uketsuke-welcome\.service/;
  // Of what `uketsuke provision terminal --wait` asks on its console.
  const asks = /Touroku code \(8 moji\)/;
  const began = performance.now();
  const booted = await bootOnce(
    work,
    disk,
    {
      ...{ arch, tryboot: false, drives: [], limitMs: Number(values.seconds) * 1_000 },
      ...(arch === 'amd64' ? { until: null, untilShown: asks } : { until: waits }),
      append: 'systemd.show_status=1 systemd.log_color=0',
    },
    (text) => say(text.slice(0, 160)),
  );
  const line = booted.lines.find(({ text }) => waits.test(text));
  const shown = booted.lines.find(({ text }) => asks.test(text));
  const failed = booted.lines.filter(({ text }) => /\[FAILED\]/.test(text)).map(({ text }) => text);
  const logins = booted.lines.filter(({ text }) => /login:|Started (serial-)?getty/.test(text)).length;
  for (const name of withPassword) say(`has a password: ${name}`);
  for (const text of failed) say(text);
  const found = {
    ...{
      enrolmentWaits: line !== undefined,
      enrolmentShown: arch === 'amd64' ? shown !== undefined : null,
      swap: hasSwap,
      passwords: withPassword.length,
      logins,
      watchdog,
    },
    failedUnits: failed.length,
    ...(line !== undefined && { emulatedBootMs: Math.round(line.atMs - began) }),
    ...(shown !== undefined && { emulatedShownMs: Math.round(shown.atMs - began) }),
  };
  process.stdout.write(`${JSON.stringify({ profile: 'release', arch, ...found })}\n`);
  const isWell =
    found.enrolmentWaits &&
    found.enrolmentShown !== false &&
    !hasSwap &&
    withPassword.length === 0 &&
    logins === 0 &&
    watchdog &&
    failed.length === 0;
  process.exitCode = isWell ? 0 : 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
