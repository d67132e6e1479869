import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal } from '../../src/agent/journal/journal.ts';
import { watchJournalHead } from '../../src/agent/journal/journal-witness.ts';
import { windowsClinic } from '../../src/cli/clinic-windows.ts';
import { refuseHalfRestored, restoreFolder, writeFolderBackup } from '../../src/cli/move-windows.ts';
import { readBackup, writeBackup } from '../../src/cli/provision-move.ts';

/* The part of backup and restore on Windows that needs no Windows; the rest: scripts/test-windows --only moved,service. */

const passphrase = 'correct horse battery';
let folder: string;
let file: string;
/** Programs of Windows that were asked for, with what lay in the facility's folder then */
let asked: { words: string; names: string[] }[];

const placesIn = (pc: string) => {
  const facility = join(folder, pc, 'Uketsuke');
  return {
    ...{ facility, agent: join(facility, 'agents', 'agent-1') },
    ...{ broker: join(facility, 'broker'), oqs: join(folder, pc, 'OQS') },
  };
};
const restoreOn = (pc: string, word = passphrase) => {
  const places = placesIn(pc);
  const system = windowsClinic(places, async (program, words) => {
    asked.push({ words: [program, ...words].join(' '), names: readdirSync(places.facility) });
    return { ok: true, code: 0, output: '', complaint: '' };
  });
  return restoreFolder(file, word, places, system, ['ca-passphrase']);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-move-'));
  file = join(folder, 'clinic.uketsuke');
  asked = [];
  const { facility, agent } = placesIn('old');
  mkdirSync(agent, { recursive: true });
  mkdirSync(join(facility, 'empty'));
  writeFileSync(join(facility, 'facility.json'), '{}');
  writeFileSync(join(facility, 'ca-passphrase'), 'OF-THE-CA');
  writeFileSync(join(agent, '記録.bin'), Buffer.alloc(2_500_000, 7));
  writeFileSync(join(agent, 'nothing'), '');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const treeOf = (root: string): string[] => readdirSync(root, { recursive: true }).map(String).sort();

test('what was saved comes back on another PC, closed before and given to the agent after; nothing of it is told by the file', async () => {
  const [old, fresh] = [placesIn('old'), placesIn('new')];
  await writeFolderBackup(file, passphrase, old);
  expect(readFileSync(file).includes('OF-THE-CA')).toBe(false);
  await restoreOn('new');
  expect(treeOf(fresh.facility)).toEqual([...treeOf(old.facility), 'agents/agent-1/journal-seen.json'].sort());
  for (const name of ['agents/agent-1/記録.bin', 'agents/agent-1/nothing', 'ca-passphrase'])
    expect(readFileSync(join(fresh.facility, name)).equals(readFileSync(join(old.facility, name))), name).toBe(true);
  expect(readdirSync(fresh.oqs).sort()).toEqual(['face', 'req', 'res']);
  const grants = asked.filter(({ words }) => words.includes('/grant:r'));
  const [first] = grants;
  expect([first?.words.includes(`${fresh.facility} /inheritance:r`), first?.names]).toEqual([true, []]);
  // No facility to anybody before the agent has its own and not the CA's passphrase.
  expect(grants.every(({ names }) => !names.includes('facility.json'))).toBe(true);
  const granted = (place: string): string =>
    grants.find(({ words }) => words.startsWith(`icacls.exe ${place} `))?.words ?? '';
  expect(granted(fresh.agent)).toContain('*S-1-5-19:(OI)(CI)M');
  expect(granted(join(fresh.facility, 'ca-passphrase'))).toContain('*S-1-5-32-544:F');
  expect(granted(join(fresh.facility, 'ca-passphrase'))).not.toContain('*S-1-5-19');
});

test('how far the journal reaches is told, and the agent’s own witness doubts it', async () => {
  const old = placesIn('old').agent;
  const journal = new Journal(join(old, 'journal.sqlite'));
  const head = watchJournalHead(join(old, 'journal-seen.json'), journal, () => 0);
  journal.settingsIssue({ facility: 'clinic-0001', device: 'front-1', contentHash: 'a' }, 1_000);
  await head.keep(true);
  journal.close();
  const lastWrittenAt = new Date('2026-11-20T03:00:00Z');
  utimesSync(join(old, 'journal.sqlite'), lastWrittenAt, lastWrittenAt);
  await writeFolderBackup(file, passphrase, placesIn('old'));
  expect(await restoreOn('new')).toEqual(lastWrittenAt);
  const { agent } = placesIn('new');
  const restored = new Journal(join(agent, 'journal.sqlite'));
  expect(watchJournalHead(join(agent, 'journal-seen.json'), restored, () => 0).isRolledBack).toBe(true);
  restored.close();
});

test('a living facility, or a folder with something of somebody, is refused and stays as it is', async () => {
  await writeFolderBackup(file, passphrase, placesIn('old'));
  const before = treeOf(placesIn('old').facility);
  await expect(restoreOn('old')).rejects.toThrow('holds a facility already');
  expect(treeOf(placesIn('old').facility)).toEqual(before);
  const { facility } = placesIn('new');
  mkdirSync(facility, { recursive: true });
  writeFileSync(join(facility, 'letters.txt'), 'of somebody');
  await expect(restoreOn('new')).rejects.toThrow('holds something already');
  expect(readdirSync(facility)).toEqual(['letters.txt']);
  expect(asked).toEqual([]);
});

test('another passphrase, or a byte that changed, restores nothing', async () => {
  await writeFolderBackup(file, passphrase, placesIn('old'));
  await expect(restoreOn('new', 'another passphrase')).rejects.toThrow('nothing was restored');
  const bytes = readFileSync(file);
  bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  await expect(restoreOn('new')).rejects.toThrow('nothing was restored');
  expect(existsSync(placesIn('new').facility)).toBe(false);
});

test('a restore that was cut off is no facility, cannot be saved, and is begun anew by the next one', async () => {
  await writeFolderBackup(file, passphrase, placesIn('old'));
  const fresh = placesIn('new');
  // Where the folder of the レセコン is to be made, there is a file.
  mkdirSync(join(folder, 'new'));
  writeFileSync(fresh.oqs, '');
  await expect(restoreOn('new')).rejects.toThrow();
  const left = readdirSync(fresh.facility);
  expect([left.includes('agents'), left.includes('facility.json')]).toEqual([true, false]);
  await expect(writeFolderBackup(join(folder, 'half'), passphrase, fresh)).rejects.toThrow('half restored');
  await expect(refuseHalfRestored(fresh)).rejects.toThrow('half restored');
  writeFileSync(join(fresh.agent, 'journal.sqlite-wal'), 'of the one before');
  rmSync(fresh.oqs);
  await restoreOn('new');
  expect(treeOf(fresh.facility)).toEqual(
    [...treeOf(placesIn('old').facility), 'agents/agent-1/journal-seen.json'].sort(),
  );
});

test('a restore that was cut off after its last name is whole', async () => {
  const { facility } = placesIn('old');
  writeFileSync(join(facility, 'restoring'), '');
  await refuseHalfRestored({ facility });
  expect(existsSync(join(facility, 'restoring'))).toBe(false);
});

test('a link in the folder is not followed, and leaves no backup; nor is one written into the folder itself', async () => {
  const { facility } = placesIn('old');
  await expect(writeFolderBackup(join(facility, 'x.uketsuke'), passphrase, placesIn('old'))).rejects.toThrow('outside');
  symlinkSync(tmpdir(), join(facility, 'elsewhere'));
  await expect(writeFolderBackup(file, passphrase, placesIn('old'))).rejects.toThrow('neither a file nor a folder');
  expect(existsSync(file)).toBe(false);
});

test('a backup of the other system is named as one', async () => {
  await writeBackup(file, passphrase, [placesIn('old').facility]);
  await expect(restoreOn('new')).rejects.toThrow('the other system');
  await writeFolderBackup(file, passphrase, placesIn('old'));
  await expect(readBackup(file, passphrase, folder)).rejects.toThrow('the other system');
});
