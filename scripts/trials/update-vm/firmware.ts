import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseAutoboot } from '../../../src/protocol/autoboot.ts';
import { offsetOf, partitions, run } from '../../image/slots.ts';

/* What a Raspberry Pi's boot loader does, outside the machine: one disk, autoboot.txt, a partition, its kernel. */

export type Booted = {
  readonly partition: number;
  readonly lines: readonly { readonly atMs: number; readonly text: string }[];
  /** What the next start shall be; null: the machine was ended from outside, or by its own end of time */
  readonly next: 'tryboot' | 'plain' | null;
};

const machines = {
  amd64: { program: 'qemu-system-x86_64', like: ['-cpu', 'max'], console: 'ttyS0' },
  arm64: { program: 'qemu-system-aarch64', like: ['-machine', 'virt', '-cpu', 'cortex-a72'], console: 'ttyAMA0' },
} as const;

type PowerOn = {
  readonly arch?: keyof typeof machines;
  /** The wish of the restart before */
  readonly tryboot: boolean;
  /** More of the kernel's command line, and more disks, read-only */
  readonly append: string;
  readonly drives: readonly string[];
  /** The machine is killed, as by a power cut, at that line, or once its display shows that text (amd64 alone has one here). */
  readonly until: RegExp | null;
  readonly untilShown?: RegExp;
  readonly limitMs: number;
};

/** A display of letters, as a console is: 80 columns, each letter followed by its colour. How often it is looked at, ms */
const columns = 80;
const lookMs = 2_000;
const display = { address: 0xb_8000, bytes: 0x8000 };

/** What stands on the display now, trimmed lines. `place`: of the monitor's socket and what it writes */
const readDisplay = async (place: string): Promise<string> => {
  const file = join(place, 'display.bin');
  rmSync(file, { force: true });
  const monitor = connect(join(place, 'monitor.sock'));
  monitor.on('error', () => {});
  monitor.resume();
  // It answers at its own time, and a whole file is there when the next question is heard.
  monitor.write(`pmemsave ${display.address} ${display.bytes} "${file}"\n`);
  await new Promise((resolve) => setTimeout(resolve, lookMs));
  monitor.destroy();
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const letters = [...bytes.filter((_, at) => at % 2 === 0)].map((code) => String.fromCharCode(code || 0x20)).join('');
  const lines = letters.match(new RegExp(`.{${columns}}`, 'gs')) ?? [];
  return lines.map((line) => line.trimEnd()).join('\n');
};

/** One power-on, to its end. */
export const bootOnce = async (
  work: string,
  disk: string,
  { arch = 'amd64', tryboot, append, drives, until, untilShown, limitMs }: PowerOn,
  hear: (text: string) => void,
): Promise<Booted> => {
  const at = (label: string): string => `${disk}@@${offsetOf(label) * 1_048_576}`;
  const text = execFileSync('mtype', ['-i', at('bootconfig'), '::autoboot.txt'], { encoding: 'latin1' });
  const choice = parseAutoboot(text);
  const partition = (tryboot ? choice?.trial : choice?.standard) ?? 0;
  const label = partitions[partition - 1]?.label;
  if (label !== 'boot_a' && label !== 'boot_b') throw new Error(`autoboot.txt leads to partition ${partition}`);
  for (const name of ['kernel.img', 'initrd.gz']) {
    rmSync(join(work, name), { force: true });
    run('mcopy', '-i', at(label), `::${name}`, join(work, name));
  }
  const like = machines[arch];
  const line = `console=${like.console} panic=1 no_timer_check uketsuke.partition=${partition} uketsuke.tryboot=${tryboot ? 1 : 0} ${append}`;
  const machine = spawn(like.program, [
    ...['-accel', 'tcg,thread=multi', ...like.like, '-m', '1024', '-smp', '2', '-display', 'none', '-serial', 'stdio'],
    // Not on the bus where the kernel's own driver would take it and draw the letters.
    ...(untilShown === undefined
      ? ['-monitor', 'none']
      : ['-monitor', `unix:${join(work, 'monitor.sock')},server,nowait`, '-device', 'isa-vga']),
    ...['-nodefaults', '-nic', 'none', '-no-reboot', '-device', 'virtio-rng-pci'],
    ...['-kernel', join(work, 'kernel.img'), '-initrd', join(work, 'initrd.gz'), '-append', line],
    ...['-drive', `file=${disk},format=raw,if=virtio`],
    ...drives.flatMap((file) => ['-drive', `file=${file},format=raw,if=virtio,readonly=on`]),
  ]);
  const lines: { atMs: number; text: string }[] = [];
  let next: Booted['next'] = null;
  const bell = setTimeout(() => machine.kill('SIGKILL'), limitMs);
  machine.stderr.on('data', (piece: Buffer) => hear(`qemu: ${piece.toString()}`));
  const reader = createInterface({ input: machine.stdout });
  reader.on('line', (raw) => {
    const said = raw.replace(/\r/g, '').trim();
    if (said === '') return;
    lines.push({ atMs: performance.now(), text: said });
    hear(said);
    if (said.includes('FIRMWARE: tryboot')) next = 'tryboot';
    if (said.includes('FIRMWARE: plain') || said.includes('Kernel panic')) next = 'plain';
    if (until?.test(said)) machine.kill('SIGKILL');
  });
  const closed = new Promise((resolve) => {
    machine.once('close', resolve);
  });
  while (untilShown !== undefined && machine.exitCode === null && machine.signalCode === null) {
    const shown = await Promise.race([readDisplay(work), closed]);
    const found = typeof shown === 'string' ? shown.split('\n').find((line) => untilShown.test(line)) : undefined;
    if (found === undefined) continue;
    lines.push({ atMs: performance.now(), text: found });
    hear(`on the display: ${found}`);
    machine.kill('SIGKILL');
    break;
  }
  await closed;
  clearTimeout(bell);
  return { partition, lines, next };
};
