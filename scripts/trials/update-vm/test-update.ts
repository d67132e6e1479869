/**
 * scripts/test-update [--json] [--keep] [--work DIR]
 *
 * Real RAUC (Debian 13) in a virtual machine: two slots of two partitions, our boot-choice, our first program, the product's
 * update machine with the terminal's store. The boot loader is played outside from the same autoboot.txt. A bundle of a foreign
 * key, one with a changed byte and an older one are offered, then a good one; then one that does not start. Emulated processor:
 * several minutes. Needs root, qemu-system-x86, rauc, squashfs-tools, dosfstools, mtools, fdisk, mmdebstrap, busybox-static.
 */
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeBoot, makeDisk, run } from '../../image/slots.ts';
import { type Booted, bootOnce } from './firmware.ts';
import { makeBase, makeBundle, makeRelease, makeSigner, makeSystem } from './releases.ts';

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, keep: { type: 'boolean' }, work: { type: 'string' } },
});
const say = (text: string): boolean => process.stderr.write(`test-update: ${text}\n`);
/** Emulated, on a machine that others use, too. ms */
const bootLimitMs = 600_000;

type Inside = {
  readonly serving?: string;
  readonly rows?: readonly string[] | null;
  readonly event?: string;
  readonly last?: { version: string; outcome: string; reason: string | null } | null;
};
const toldIn = (boot: Booted): readonly (Inside & { atMs: number })[] =>
  boot.lines.flatMap(({ text, atMs }) => {
    const json = /INSIDE (\{.*\})/.exec(text)?.[1];
    try {
      return json === undefined ? [] : [{ ...(JSON.parse(json) as Inside), atMs }];
    } catch {
      return [];
    }
  });

/** One byte in the middle of the payload, the signature as it was. */
const tamper = (from: string, to: string): void => {
  cpSync(from, to);
  const file = openSync(to, 'r+');
  const place = Math.floor(statSync(to).size / 2);
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, place);
  byte[0] = (byte[0] ?? 0) ^ 0xff;
  writeSync(file, byte, 0, 1, place);
  closeSync(file);
};

const prepare = (work: string): string => {
  say('making three releases …');
  const signer = makeSigner(work, 'release');
  const root = makeSystem(work, say);
  const boot = makeBoot(work, root);
  const parts = { base: makeBase(work, root), ...boot, keyring: signer.authority };
  rmSync(root, { recursive: true });
  const first = makeRelease(work, parts, { name: 'first', version: '0.1.0', starts: true });
  const good = makeRelease(work, parts, { name: 'good', version: '0.2.0', starts: true });
  const broken = makeRelease(work, parts, { name: 'broken', version: '0.3.0', starts: false });
  const disk = makeDisk(work, first);
  makeBundle(work, 'good', good, signer);
  makeBundle(work, 'broken', broken, signer);
  makeBundle(work, 'foreign', { ...good, version: '0.9.0' }, makeSigner(work, 'stranger'));
  makeBundle(work, 'older', { ...first, version: '0.0.9' }, signer);
  tamper(join(work, 'bundles/good.raucb'), join(work, 'bundles/tampered.raucb'));
  run('truncate', '-s', '1500M', join(work, 'bundles.img'));
  run('/usr/sbin/mke2fs', '-q', '-t', 'ext4', '-d', join(work, 'bundles'), join(work, 'bundles.img'));
  rmSync(join(work, 'bundles'), { recursive: true });
  return disk;
};

const work = values.work ?? mkdtempSync(join(tmpdir(), 'uketsuke-test-update-'));
mkdirSync(work, { recursive: true });
try {
  const disk = prepare(work);
  const boots: Booted[] = [];
  let tryboot = false;
  /** When somebody was last served, and the longest time until the next one was. */
  let awaySinceMs: number | null = null;
  let outOfServiceMs = 0;
  const refused = new Set<string>();
  const acknowledged = new Set<string>();
  let rowsLost = 0;
  let installed = false;
  let fellBack = false;
  const boot = async (offer: string, until: RegExp | null): Promise<Booted> => {
    say(`power on ${boots.length + 1}${tryboot ? ' (tryboot)' : ''}, offered: ${offer}`);
    const booted = await bootOnce(
      work,
      disk,
      {
        ...{ tryboot, until, limitMs: bootLimitMs, drives: [join(work, 'bundles.img')] },
        append: `quiet init=/trial/init uketsuke.offer=${offer}`,
      },
      (text) => say(`  ${text.slice(0, 300)}`),
    );
    boots.push(booted);
    for (const told of toldIn(booted)) {
      if (told.last?.outcome === 'refused' && told.last.reason !== null) refused.add(told.last.reason);
      if (told.last?.outcome === 'installed' && told.last.version === '0.2.0') installed = true;
      if (told.last?.outcome === 'fell-back' && told.last.version === '0.3.0') fellBack = true;
      if (told.serving === undefined) continue;
      if (awaySinceMs !== null) outOfServiceMs = Math.max(outOfServiceMs, told.atMs - awaySinceMs);
      awaySinceMs = null;
      const there = new Set(told.rows ?? []);
      rowsLost += [...acknowledged].filter((name) => !there.has(name)).length;
      for (const name of there) acknowledged.add(name);
    }
    const restart = booted.lines.find(({ text }) => text.includes('FIRMWARE:'));
    if (restart !== undefined) awaySinceMs ??= restart.atMs;
    tryboot = booted.next === 'tryboot';
    return booted;
  };
  await boot('foreign,tampered,older,good', null);
  // In the new slot: proved, then offered what does not start.
  await boot('broken', null);
  for (let left = 4; left > 0 && !fellBack; left -= 1) await boot('broken', /"outcome":"fell-back"/);
  // Once more, as any morning: who serves, and with which rows.
  const last = await boot('none', /"serving":/);
  const ends = toldIn(last).find(({ serving }) => serving !== undefined)?.serving;
  say(`ends with ${ends}; ${acknowledged.size} rows; refused: ${[...refused].join(', ')}`);
  const wanted = ['foreign', 'tampered', 'older'];
  const found = {
    installed: installed && ends === '0.2.0',
    refused: wanted.filter((each) => refused.has(each)),
    fellBack,
    boots: boots.length,
    outOfServiceMs: Math.round(outOfServiceMs),
    rowsLost,
  };
  process.stdout.write(`${JSON.stringify({ profile: 'test', ...found })}\n`);
  const isWell = found.installed && found.refused.length === 3 && fellBack && rowsLost === 0 && acknowledged.size > 40;
  process.exitCode = isWell && outOfServiceMs > 0 && outOfServiceMs <= 180_000 ? 0 : 1;
} finally {
  if (values.keep) say(`kept: ${work}`);
  else rmSync(work, { recursive: true, force: true });
}
