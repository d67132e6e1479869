import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isOnPath } from '../../../drivers/host/is-on-path.ts';
import { cutAfter } from '../../../scripts/trials/crash-points/cut-calls.ts';
import { Places } from '../../../scripts/trials/crash-points/places.ts';
import { pointsOf } from '../../../scripts/trials/crash-points/traced-calls.ts';

const namesOf = (trace: string): readonly string[] => pointsOf(trace, '/t', () => 'w').map(({ name }) => name);
/** The n-th writes of a log, for n from 1 on */
const writes = (count: number) => pointsOf('pwrite64(5</t/log>, ""..., 8, 0) = 8\n'.repeat(count), '/t', () => 'w');
const write = (nth: number): string => `pwrite64 log (w) ${nth}`;

test('a file whose name is random has the same name in every trace, also where it is named by an open folder', () => {
  const traceOf = (random: string): string =>
    [
      'openat(AT_FDCWD</home>, "/t/out/face", O_RDONLY|O_DIRECTORY) = 23</t/out/face>',
      `openat(AT_FDCWD</home>, "/proc/self/fd/23/.${random}.writing", O_WRONLY|O_CREAT|O_EXCL, 0600) = 24</t/out/face/.${random}.writing>`,
      'write(9<anon_inode:[eventfd]>, ""..., 8) = 8',
      `write(24</t/out/face/.${random}.writing>, ""..., 900) = 900`,
      `rename("/proc/self/fd/23/.${random}.writing", "/proc/self/fd/23/a.xml") = 0`,
    ].join('\n');
  expect(namesOf(traceOf('0123456789abcdef01234567'))).toEqual([
    'openat out/face/.#.writing (w) 1',
    'write out/face/.#.writing (w) 1',
    'rename out/face/.#.writing (w) 1',
  ]);
  expect(namesOf(traceOf('fedcba9876543210fedcba98'))).toEqual(namesOf(traceOf('0123456789abcdef01234567')));
});

test('a call on a file whose name stays is counted on that file alone', () => {
  const [, second] = pointsOf(
    ['write(4</t/a>, ""..., 1) = 1', 'write(5</t/b>, ""..., 1) = 1'].join('\n'),
    '/t',
    () => 'w',
  );
  expect(second).toMatchObject({ nth: 2, onFile: { path: 'b', nth: 1 } });
});

test('a place counts as met by a death at it alone, and each is asked for until then', () => {
  const places = new Places<null>();
  places.show(writes(2), null);
  expect(places.next()).toMatchObject({ point: { name: write(1) }, tries: 0 });
  places.miss(write(1), []);
  expect(places.next()).toMatchObject({ point: { name: write(1) }, tries: 1 });
  places.meet(write(1));
  expect(places.next()).toMatchObject({ point: { name: write(2) }, tries: 0 });
  places.meet(write(2));
  expect(places.next()).toBeNull();
  expect([...places.met]).toEqual([write(1), write(2)]);
});

test('what a visit that was cut off shows besides is a place, too', () => {
  const places = new Places<null>();
  places.show(writes(1), null);
  places.meet(write(1));
  places.show(writes(2), null);
  expect(places.next()).toMatchObject({ point: { name: write(2) } });
});

/** Visits for every place until none is left; `shownIn`: what the visit for it showed when nothing died, by its number */
const tryAll = (places: Places<null>, shownIn: (name: string, tries: number) => ReturnType<typeof writes> | null) => {
  let visits = 0;
  for (let place = places.next(); place !== null && visits < 100; place = places.next()) {
    visits += 1;
    places.miss(place.point.name, shownIn(place.point.name, place.tries));
  }
  return visits;
};

test('a place that no visit made for it showed is absent; one that was there and at which nothing died stays unmet', () => {
  const places = new Places<null>();
  places.show(writes(2), null);
  expect(tryAll(places, (name, tries) => (name === write(1) && tries === 3 ? writes(1) : []))).toBe(12);
  expect(places.unmet).toEqual([write(1)]);
  expect(places.absent).toEqual([write(2)]);
});

test('a place whose visits were cut off before it stays unmet: nobody knows that it was not there', () => {
  const places = new Places<null>();
  places.show(writes(1), null);
  expect(tryAll(places, (_, tries) => (tries === 0 ? null : []))).toBe(6);
  expect([places.unmet, places.absent]).toEqual([[write(1)], []]);
});

test('a place for which no visit was made is not told to be absent', () => {
  const places = new Places<null>();
  places.show(writes(1), null);
  expect([places.unmet, places.absent]).toEqual([[write(1)], []]);
});

const hasStrace = isOnPath('strace');
if (!hasStrace) console.warn('skipped: "dies after the call" needs the Debian package strace');

/** Names a file at random, among calls of which nobody knows how many they are. */
const program = `
  import { open, readdir, rename } from 'node:fs/promises';
  const [, folder] = process.argv;
  await readdir(folder);
  process.stdin.once('data', async () => {
    const name = folder + '/.' + crypto.randomUUID().replaceAll('-', '') + '.writing';
    for (let times = Math.random() * 9; times > 0; times -= 1) await readdir(folder);
    const file = await open(name, 'wx');
    await file.writeFile('whole');
    await file.sync();
    await file.close();
    await rename(name, folder + '/whole');
    process.exit(0);
  });
  console.log('ready');`;

test.skipIf(!hasStrace).each([
  ['openat', [['.writing', '']]],
  ['write', [['.writing', 'whole']]],
  ['fsync', [['.writing', 'whole']]],
  ['rename', [['whole', 'whole']]],
])('a program dies after the call of that name, however many came before: %s', async (call, left) => {
  const above = mkdtempSync(join(tmpdir(), 'uketsuke-cut-'));
  const folder = join(above, 'folder');
  mkdirSync(folder);
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  });
  try {
    await once(child.stdout, 'data');
    const ended = once(child, 'exit');
    const cutting = await cutAfter(child.pid ?? 0, above, 'libuv-worker-1', (name) => name.startsWith(`${call} `));
    child.stdin.write('now');
    expect(await ended).toEqual([null, 'SIGKILL']);
    await cutting.end();
    expect(cutting.cut()).toBe(`${call} folder/.#.writing (libuv-worker-1) 1`);
    expect(cutting.shown().at(-1)?.name).toBe(cutting.cut());
    const found = readdirSync(folder).map((name) => [
      name.replace(/^\.[0-9a-f]+/, ''),
      readFileSync(join(folder, name), 'utf8'),
    ]);
    expect(found).toEqual(left);
  } finally {
    child.kill('SIGKILL');
    rmSync(above, { recursive: true });
  }
});
