import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal } from '../../src/agent/journal/journal.ts';
import { forgetBackups } from '../../src/storage/back-up.ts';
import { idOf, watchStorePlace } from '../../src/storage/store-place.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-place-'));
  path = join(folder, 'kept', 'journal.sqlite');
  mkdirSync(join(folder, 'kept'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const content = (hash: string) => ({ facility: 'clinic-0001', device: 'front-1', contentHash: hash });

/* Windows deletes and renames no file that is open: there nobody can take a journal away from its agent. */
test.skipIf(process.platform === 'win32').each([
  ['its folder is deleted', (kept: string) => rmSync(kept, { recursive: true })],
  ['its file is moved away', () => renameSync(path, `${path}.away`)],
  [
    'an older copy is put in its place',
    () => {
      copyFileSync(join(folder, 'backup.sqlite'), `${path}.old`);
      renameSync(`${path}.old`, path);
    },
  ],
])(
  'a journal that is taken away while it is open, %s: noticed, and all of it lies there for the next start',
  (_name, takeAway) => {
    const journal = new Journal(path);
    const { place } = journal;
    if (place === null) throw new Error('opened to be read');
    journal.copyTo(join(folder, 'backup.sqlite'));
    const told = journal.settingsIssue(content('a'), 1_000);
    expect(place.isTakenAway()).toBe(false);
    takeAway(join(folder, 'kept'));
    expect(place.isTakenAway()).toBe(true);
    // Written after it was taken away: into a file without a name.
    const later = journal.settingsIssue(content('b'), 2_000);
    expect(later.version).toBe(told.version + 1);
    place.putBack();
    const next = new Journal(path);
    expect(next.settingsIssue(content('b'), 3_000)).toEqual(later);
    expect(next.audit.verify()).toMatchObject({ brokenAt: null });
    next.close();
    expect(readdirSync(join(folder, 'kept')).filter((name) => name.endsWith('.put-back'))).toEqual([]);
  },
);

test.skipIf(process.platform === 'win32')(
  'whoever takes the file away while it is being opened is noticed, too',
  () => {
    const journal = new Journal(path);
    const copyTo = (to: string) => journal.copyTo(to);
    const before = idOf(path);
    journal.copyTo(`${path}.copy`);
    renameSync(`${path}.copy`, path);
    expect(watchStorePlace(path, before, copyTo).isTakenAway()).toBe(true);
    rmSync(path);
    expect(watchStorePlace(path, null, copyTo).isTakenAway()).toBe(true);
    journal.close();
  },
);

/** A journal with one version told, copied whole as it is when its process dies in the midst of putting it back. */
const diedPuttingBack = () => {
  const journal = new Journal(path);
  const told = journal.settingsIssue(content('a'), 1_000);
  journal.copyTo(`${path}.put-back`);
  journal.close();
  for (const part of ['', '-wal', '-shm']) rmSync(`${path}${part}`, { force: true });
  return told;
};

test.each([
  ['nothing', () => {}, 'it had been deleted'],
  [
    'another file, with a log of its own',
    () => {
      const elsewhere = join(folder, 'stranger.sqlite');
      const stranger = new Journal(elsewhere);
      for (const hash of ['x', 'y', 'z']) stranger.settingsIssue(content(hash), 5_000);
      for (const part of ['', '-wal']) copyFileSync(`${elsewhere}${part}`, `${path}${part}`);
      stranger.close();
    },
    'put-in-place',
  ],
])('killed in the midst of being put back, %s lies in its place: the next start finishes it', (_what, harm, said) => {
  const told = diedPuttingBack();
  harm();
  const next = new Journal(path);
  expect(next.news).toMatchObject([{ type: 'put-back', failure: { detail: expect.stringContaining(said) } }]);
  expect(next.settingsIssue(content('a'), 9_000)).toEqual(told);
  next.close();
  expect(existsSync(`${path}.put-back`)).toBe(false);
  const again = new Journal(path);
  expect(again.news).toEqual([]);
  again.close();
});

test('a store that is brought back before it could be put back keeps no copy that would be taken for it later', () => {
  const journal = new Journal(path);
  const { place } = journal;
  if (place === null) throw new Error('opened to be read');
  renameSync(path, `${path}.away`);
  // Its log cannot be set aside: a folder lies under that name.
  const now = Date.now;
  Date.now = () => 1;
  mkdirSync(`${path}.put-in-place-1-wal`);
  writeFileSync(join(`${path}.put-in-place-1-wal`, 'x'), '');
  expect(() => place.putBack()).toThrow();
  Date.now = now;
  expect(existsSync(`${path}.put-back`)).toBe(true);
  renameSync(`${path}.away`, path);
  expect(place.isTakenAway()).toBe(false);
  expect(existsSync(`${path}.put-back`)).toBe(false);
  journal.close();
});

test('what a copy that was cut off has left goes after its day; one that waits for its name does not', () => {
  const old = new Date(Date.now() - 86_401_000);
  for (const end of ['.put-back.part', '.put-back', '.put-in-place-7', '']) {
    writeFileSync(`${path}${end}`, 'x');
    utimesSync(`${path}${end}`, old, old);
  }
  forgetBackups(path, Date.now());
  expect(readdirSync(join(folder, 'kept')).sort()).toEqual(['journal.sqlite', 'journal.sqlite.put-back']);
});
