import fs, {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { writeFileAtomically } from '../../src/trust/write-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-write-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  rmSync(folder, { recursive: true, force: true });
});

test('what cannot be written leaves the former content and no name beside it, however often it is tried', async () => {
  const path = join(folder, 'held.json');
  await writeFileAtomically(path, 'before');
  // Refused once the file beside it is open, as by a full disk.
  const refused = null as unknown as string;
  for (let times = 0; times < 3; times += 1) await expect(writeFileAtomically(path, refused)).rejects.toThrow();
  expect(readdirSync(folder)).toEqual(['held.json']);
  expect(readFileSync(path, 'utf8')).toBe('before');
});

test('a folder in the place of the file is moved away with all that is in it, and kept', async () => {
  const path = join(folder, 'part');
  mkdirSync(path);
  writeFileSync(join(path, 'kept'), 'of somebody');
  await writeFileAtomically(path, 'now a file');
  expect(readFileSync(path, 'utf8')).toBe('now a file');
  const [away = '', ...more] = readdirSync(folder).filter((name) => name !== 'part');
  expect(more).toEqual([]);
  expect(away).toMatch(/^part\.[0-9a-f]{12}\.moved-away$/);
  expect(readFileSync(join(folder, away, 'kept'), 'utf8')).toBe('of somebody');
});

test('a name that takes no file is told, and no other is left each time it is tried', async () => {
  const asFolder = `${join(folder, 'kept')}/`;
  mkdirSync(asFolder);
  for (let times = 0; times < 3; times += 1)
    await expect(writeFileAtomically(asFolder, 'x')).rejects.toMatchObject({ code: 'ENOTDIR' });
  expect(readdirSync(folder)).toEqual(['kept']);
  expect(readdirSync(asFolder)).toEqual([]);
});

test('what stands in the way of the folder is told, and stays as it was', async () => {
  writeFileSync(join(folder, 'file'), 'of somebody');
  await expect(writeFileAtomically(join(folder, 'file', 'held.json'), 'x')).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('of somebody');
});

test('a name that a file cannot have is told, once and as it is', async () => {
  const path = join(folder, 'n'.repeat(230));
  await expect(writeFileAtomically(join(folder, 'n'.repeat(300)), 'x')).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
  await writeFileAtomically(path, 'long');
  expect(readdirSync(folder)).toEqual(['n'.repeat(230)]);
});

test('is for its owner alone; as root, for the owner of the folder', async () => {
  const path = join(folder, 'made', 'held.json');
  await writeFileAtomically(path, 'x');
  expect([statSync(path).mode & 0o777, statSync(join(folder, 'made')).mode & 0o777]).toEqual([0o600, 0o700]);
  expect(statSync(path).uid).toBe(statSync(join(folder, 'made')).uid);
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('skipped: giving a folder to another user needs root');
test.skipIf(!isRoot)('what root writes belongs to whom the folder belongs to', async () => {
  chownSync(folder, 12_345, 23_456);
  await writeFileAtomically(join(folder, 'held.json'), 'x');
  expect(statSync(join(folder, 'held.json'))).toMatchObject({ uid: 12_345, gid: 23_456 });
});

test('what is in it is on the disk before it has its name', async () => {
  const path = join(folder, 'held.json');
  const file = await open(join(folder, 'any'), 'w');
  await file.close();
  const handles = Object.getPrototypeOf(file) as typeof file;
  const synced: (readonly [text: string, isNamed: boolean])[] = [];
  vi.spyOn(handles, 'sync').mockImplementation(async () => {
    const aside = readdirSync(folder).filter((name) => name.endsWith('.part'));
    synced.push([aside.map((name) => readFileSync(join(folder, name), 'utf8')).join(), fs.existsSync(path)]);
  });
  await writeFileAtomically(path, 'x');
  expect(synced).toEqual([['x', false]]);
});

test('a disk that cannot write the name down is told as it is', async () => {
  const broken = Object.assign(new Error('EIO: fsync'), { code: 'EIO' });
  vi.spyOn(fs, 'fsyncSync').mockImplementation(() => {
    throw broken;
  });
  syncBuiltinESMExports();
  await expect(writeFileAtomically(join(folder, 'held.json'), 'x')).rejects.toBe(broken);
});

test.skipIf(process.platform !== 'linux')('nothing is left open, whether it was written or not', async () => {
  const path = join(folder, 'held.json');
  await writeFileAtomically(path, 'x');
  await expect(writeFileAtomically(path, null as unknown as string)).rejects.toThrow();
  const stillOpen = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return [];
    }
  });
  expect(stillOpen.filter((each) => each.startsWith(folder))).toEqual([]);
});
