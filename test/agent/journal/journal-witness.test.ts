import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal } from '../../../src/agent/journal/journal.ts';
import { expectLaterJournal, watchJournalHead } from '../../../src/agent/journal/journal-witness.ts';

let folder: string;
let path: string;
let seen: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-witness-'));
  path = join(folder, 'journal.sqlite');
  seen = join(folder, 'journal-seen.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

let issued = 0;
/** One run of an agent: `entries` are written, the end is kept, and the file is closed. Answers what it found. */
const run = async (entries: number): Promise<boolean> => {
  const journal = new Journal(path);
  const witness = watchJournalHead(seen, journal, () => 0);
  for (let each = 0; each < entries; each += 1)
    journal.settingsIssue({ facility: 'clinic-0001', device: 'front-1', contentHash: String(issued++) }, 1_000);
  await witness.keep(true);
  journal.close();
  return witness.isRolledBack;
};

test('the journal of before is found again, run after run', async () => {
  expect([await run(3), await run(0), await run(2), await run(1)]).toEqual([false, false, false, false]);
});

test.each([
  ['an older copy put in its place', (copy: string) => copyFileSync(copy, path)],
  ['a journal deleted', () => rmSync(path)],
])('%s while nobody ran is noticed, once', async (_name, harm) => {
  await run(3);
  copyFileSync(path, join(folder, 'copy.sqlite'));
  await run(2);
  harm(join(folder, 'copy.sqlite'));
  expect(await run(1)).toBe(true);
  expect(await run(1)).toBe(false);
});

test('who only reads finds the end, and changes nothing', async () => {
  await run(2);
  const before = readFileSync(path);
  const reader = new Journal(path, { readOnly: true });
  expect(reader.audit.end().number).toBe(2);
  expect(() => reader.noteMishap('storage.taken-away', 1_000)).toThrow(/readonly/);
  reader.close();
  expect(readFileSync(path)).toEqual(before);
});

test('the end is kept seldom, and at once when it is asked for', async () => {
  const journal = new Journal(path);
  let steadyMs = 0;
  const witness = watchJournalHead(seen, journal, () => steadyMs);
  const kept = async (now?: boolean): Promise<number | null> => {
    journal.noteMishap('storage.taken-away', 1_000);
    await witness.keep(now);
    return existsSync(seen) ? JSON.parse(readFileSync(seen, 'utf8')).number : null;
  };
  expect(await kept()).toBe(1);
  steadyMs = 10 * 60_000 - 1;
  expect(await kept()).toBe(1);
  expect(await kept(true)).toBe(3);
  steadyMs = 20 * 60_000 - 1;
  expect([await kept(), await kept()]).toEqual([4, 4]);
  // Nothing new: nothing is written.
  await witness.keep(true);
  rmSync(seen);
  await witness.keep(true);
  expect(existsSync(seen)).toBe(false);
  journal.close();
});

test('an older copy that has grown as long as the newer one was is noticed, too', async () => {
  await run(3);
  copyFileSync(path, join(folder, 'copy.sqlite'));
  await run(2);
  copyFileSync(join(folder, 'copy.sqlite'), path);
  const elsewhere = new Journal(path);
  for (let each = 0; each < 4; each += 1)
    elsewhere.settingsIssue({ facility: 'clinic-0001', device: 'front-1', contentHash: `x${each}` }, 2_000);
  elsewhere.close();
  expect(await run(0)).toBe(true);
});

test('entries that have gone by their number are no sign of an older copy', async () => {
  await run(30);
  const journal = new Journal(path);
  journal.atOnce(() => journal.audit.rotate(1));
  journal.close();
  expect(await run(1)).toBe(false);
});

test('challenges of an older copy are good for nothing, and the chain and the banner tell of it', () => {
  const journal = new Journal(path);
  journal.addChallenges('front-1', [{ nonce: 'n', issuedAt: 1_000, expiresAt: 601_000 }], 48);
  journal.noteRolledBack(2_000);
  expect(journal.mishaps()).toMatchObject([{ code: 'storage.rolled-back', actor: 'technician' }]);
  const receivedAt = 2_000;
  const outcome = journal.record({
    ...{ requestId: 'r', device: 'front-1', lane: 1, session: 's', kind: 'eligibility', method: 'pin' },
    ...{ documentHash: 'h', consents: { TKK: true, YZK: true, SRJ: true, SHJ: true, TSR: false }, challenge: 'n' },
    ...{ certificate: '', code: undefined, issuedAt: 1_500, receivedAt, expiresAt: 601_000, personalLifeMs: 1 },
    personal: { limitApplication: false, approvedDocuments: [], consentTimes: [] },
  });
  expect(outcome).toMatchObject({ visit: { verdict: 'refused', code: 'message.stale' } });
  journal.close();
});

test('versions of settings only rise, whatever copy was put back: terminals refuse what they have seen', () => {
  const issue = (journal: Journal, content: string, atMs: number): number =>
    journal.settingsIssue({ facility: 'clinic-0001', device: 'front-1', contentHash: content }, atMs).version;
  const journal = new Journal(path);
  const given = [issue(journal, 'a', 1_000_000), issue(journal, 'b', 2_000_000)];
  journal.close();
  copyFileSync(path, join(folder, 'copy.sqlite'));
  const later = new Journal(path);
  given.push(issue(later, 'c', 3_000_000), issue(later, 'd', 4_000_000));
  later.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  copyFileSync(join(folder, 'copy.sqlite'), path);
  const restored = new Journal(path);
  // The clock of the new PC is behind.
  restored.noteRolledBack(1_500_000);
  for (const content of ['b', 'e', 'c']) given.push(issue(restored, content, 1_600_000));
  restored.close();
  expect(given).toEqual([...new Set(given)].sort((a, b) => a - b));
});

test('a journal that somebody restored is known to be one of before, once', async () => {
  await run(3);
  await expectLaterJournal(seen);
  expect([await run(1), await run(1)]).toEqual([true, false]);
});

const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;
if (!canMount) console.warn('skipped: "closed on a full disk" needs root and unshare -m to mount a small file system');
test.skipIf(!canMount)('a journal is closed on a full disk without an error, and is whole afterwards', () => {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  const program = `
    import { appendFileSync } from 'node:fs';
    import { Journal } from ${JSON.stringify(new URL('../../../src/agent/journal/journal.ts', import.meta.url).href)};
    let steady = 0;
    const open = () => new Journal('${disk}/journal.sqlite', { steadyMs: () => (steady += 60_000) });
    const journal = open();
    journal.atOnce(() => journal.audit.append({ atMs: 1, event: 'x', subject: 'y' }));
    let refused = '';
    try { for (;;) appendFileSync('${disk}/filler', 'x'.repeat(4096)); } catch {}
    try { for (;;) journal.atOnce(() => journal.audit.append({ atMs: 1, event: 'x'.repeat(400), subject: 'y' })); } catch (error) { refused = String(error.errcode & 0xff); }
    journal.close();
    const { rmSync } = await import('node:fs');
    rmSync('${disk}/filler');
    const next = open();
    console.log(refused, next.audit.verify().brokenAt);
    next.close();`;
  const node = `${process.execPath} --disable-warning=ExperimentalWarning --input-type=module`;
  const ran = spawnSync('unshare', ['-m', 'sh', '-c', `mount -t tmpfs -o size=400k none ${disk} && exec ${node}`], {
    encoding: 'utf8',
    input: program,
  });
  expect(ran.stderr).toBe('');
  expect(ran.stdout).toBe('13 null\n');
});
