import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { refusesWrites } from '../../src/agent/disk-watch.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-disk-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(process.platform === 'win32').each([
  ['rw,errors=remount-ro', false],
  ['rw,abort,errors=remount-ro,emergency_ro', true],
  ['ro,errors=remount-ro', true],
])('a file system mounted with %s refuses writes: %s', (options, refuses) => {
  const { dev } = statSync(folder);
  const device = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  const line = (of: string, with_: string) => `36 35 ${of} / /somewhere rw,relatime shared:1 - ext4 /dev/x ${with_}`;
  expect(refusesWrites(folder, [line('0:4095', 'ro'), line(device, options)])).toBe(refuses);
});

test('the folder of this test takes writes; a system without such a list is not asked', () => {
  expect(refusesWrites(folder)).toBe(false);
  expect(refusesWrites(folder, [])).toBe(false);
});

const image = (): string => join(folder, 'disk.img');
const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;
const mountable =
  canMount &&
  spawnSync('unshare', [
    '-m',
    'sh',
    '-c',
    'd=$(mktemp -d); truncate -s 8M $d/i; mkfs.ext4 -q $d/i && mkdir $d/m && mount -o loop $d/i $d/m; r=$?; umount $d/m; rm -rf $d; exit $r',
  ]).status === 0;
if (!mountable) console.warn('skipped: "a disk that turned read-only" needs root, mkfs.ext4 and loop devices');
test.skipIf(!mountable)(
  'a disk that turned read-only under a running program is seen, though it may be accessed',
  () => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    const program = `
    import { execFileSync } from 'node:child_process';
    import { refusesWrites } from ${JSON.stringify(new URL('../../src/agent/disk-watch.ts', import.meta.url).href)};
    const before = refusesWrites('${disk}');
    execFileSync('mount', ['-o', 'remount,abort', '${disk}']);
    console.log(before, refusesWrites('${disk}'));`;
    const make = `truncate -s 8M ${image()} && mkfs.ext4 -q ${image()} && mount -o loop,errors=remount-ro ${image()} ${disk}`;
    const node = `${process.execPath} --disable-warning=ExperimentalWarning --input-type=module`;
    const ran = spawnSync('unshare', ['-m', 'sh', '-c', `${make} && ${node}; umount ${disk}`], {
      encoding: 'utf8',
      input: program,
    });
    expect(ran.stdout).toBe('false true\n');
  },
);
