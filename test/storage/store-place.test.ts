import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal } from '../../src/agent/journal/journal.ts';
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
