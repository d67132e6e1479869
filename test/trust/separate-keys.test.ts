import fs, {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { layDown, storedReleases } from '../../scripts/beds/stored-releases.ts';
import { unhurriedStore } from '../../scripts/beds/unhurried-store.ts';
import { addAgent, addDevice, createFacility } from '../../src/agent/provisioning/facility-authority.ts';
import { moveStore } from '../../src/storage/move-store.ts';
import { readLinkKeys, readTerminalKeys } from '../../src/trust/key-files.ts';
import { separateKeys } from '../../src/trust/separate-keys.ts';

let folder: string;
/** A device's directory as release 19854c3 had it: everything in one place. */
let flat: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-adopt-'));
  await createFacility(join(folder, 'facility'), { facility: 'clinic-0001', brokerNames: ['localhost'] });
  await addAgent(join(folder, 'facility'), 'agent-1');
  const device = await addDevice(join(folder, 'facility'), 'front-1', 1);
  flat = join(folder, 'device');
  for (const part of ['link', 'terminal']) cpSync(join(device, part), flat, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('keys that lay in one directory are found by terminal and link afterwards; again changes nothing', async () => {
  await expect(readTerminalKeys(flat)).rejects.toThrow();
  const moved = await separateKeys(flat, undefined);
  expect(moved).toContain('trust.json');
  expect(await readTerminalKeys(flat)).toMatchObject({ device: 'front-1' });
  expect((await readLinkKeys(flat)).key).toContain('PRIVATE KEY');
  expect(readdirSync(flat).sort()).toEqual(['link', 'terminal']);
  expect(statSync(join(flat, 'link')).mode & 0o777).toBe(0o700);
  expect(await separateKeys(flat, undefined)).toEqual([]);
});

test('whom a terminal trusts to sign cards goes with its keys', async () => {
  writeFileSync(join(flat, 'cv-issuers.json'), '[]');
  expect(await separateKeys(flat, undefined)).toContain('cv-issuers.json');
  expect(readFileSync(join(flat, 'terminal', 'cv-issuers.json'), 'utf8')).toBe('[]');
});

test('a process that has no keys there gets no folder', async () => {
  for (const name of ['trust.json', 'signing-key.jwk.json', 'sealing-key.jwk.json', 'cv-issuers.json'])
    rmSync(join(flat, name), { force: true });
  expect((await separateKeys(flat, undefined)).length).toBeGreaterThan(0);
  expect(existsSync(join(flat, 'link'))).toBe(true);
  expect(existsSync(join(flat, 'terminal'))).toBe(false);
});

test.skipIf(process.platform !== 'linux')('the folders are on the disk by name before an original goes', async () => {
  const names = ['tls-key.pem', 'trust.json'];
  const synced: string[] = [];
  const { fsyncSync } = fs;
  vi.spyOn(fs, 'fsyncSync').mockImplementation((file) => {
    fsyncSync(file);
    // What a power cut just then would leave of the originals.
    if (readlinkSync(`/proc/self/fd/${file}`) === flat) synced.push(...readdirSync(flat));
  });
  syncBuiltinESMExports();
  await separateKeys(flat, undefined);
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  expect(synced).toEqual(expect.arrayContaining([...names, 'link', 'terminal']));
  expect(names.filter((name) => existsSync(join(flat, name)))).toEqual([]);
});

test('cut off between copies and originals: the next run goes on, and newer keys are not overwritten', async () => {
  const before = readFileSync(join(flat, 'trust.json'), 'utf8');
  await separateKeys(flat, undefined);
  writeFileSync(join(flat, 'trust.json'), 'of a run that was cut off');
  expect(await separateKeys(flat, undefined)).toEqual(['trust.json']);
  expect(readFileSync(join(flat, 'terminal', 'trust.json'), 'utf8')).toBe(before);
});

test('the outbox of an earlier release goes on at its new place, with what waited in it', async () => {
  const [release = ''] = storedReleases();
  const [from, to] = [join(folder, 'terminal.sqlite'), join(folder, 'link', 'link.sqlite')];
  layDown(release, 'outbox', from);
  expect(await moveStore(from, to, undefined)).toBe(true);
  expect(existsSync(from)).toBe(false);
  const store = unhurriedStore(to);
  const rows = await store.outboxRows();
  expect(rows.ok && rows.value).toHaveLength(2);
  await store.close();
  layDown(release, 'outbox', from);
  expect(await moveStore(from, to, undefined)).toBe(false);
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('skipped: giving files to other users needs root');

test.skipIf(!isRoot)('what root moves belongs to the users of link and terminal, folders and files', async () => {
  const [link, terminal] = [
    { uid: 65_501, gid: 65_501 },
    { uid: 65_502, gid: 65_502 },
  ];
  await separateKeys(flat, link, terminal);
  const [release = ''] = storedReleases();
  layDown(release, 'outbox', join(folder, 'terminal.sqlite'));
  await moveStore(join(folder, 'terminal.sqlite'), join(folder, 'store', 'link.sqlite'), link);
  const ownersIn = (place: string): readonly number[] =>
    [place, ...readdirSync(place).map((name) => join(place, name))].map((path) => statSync(path).uid);
  expect(new Set([...ownersIn(join(flat, 'link')), ...ownersIn(join(folder, 'store'))])).toEqual(new Set([link.uid]));
  expect(new Set(ownersIn(join(flat, 'terminal')))).toEqual(new Set([terminal.uid]));
});
