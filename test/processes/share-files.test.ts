import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { testSettings } from '../../scripts/beds/test-facility.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { addStaffMember, readStaff } from '../../src/agent/staff-page/staff-codes.ts';
import { shareFiles } from '../../src/processes/share-files.ts';

let folder: string;
let journal: Journal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-share-'));
  journal = new Journal(join(folder, 'journal.sqlite'));
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true, force: true });
});

const agentAt = (name: string, settings = JSON.stringify(testSettings)) => {
  const directory = join(folder, name);
  mkdirSync(directory);
  const [staffFile, settingsFile] = [join(directory, 'staff.json'), join(directory, 'facility-settings.yaml')];
  writeFileSync(settingsFile, settings);
  return {
    staffFile,
    settingsFile,
    share: () => shareFiles(directory, { staffFile, settingsFile }, journal.facilityFiles),
    add: (approver: string) => addStaffMember(staffFile, { approver, label: approver }, '2580'),
    remove: () => writeFileSync(staffFile, '[]'),
    staff: async () => (await readStaff(staffFile)).map(({ approver }) => approver),
    settings: () => readFileSync(settingsFile, 'utf8'),
  };
};
const named = (facilityName: string): string => JSON.stringify({ ...testSettings, facilityName });

test('the first agent hands on what it has; another one takes it, and keeps what it had itself beside it', async () => {
  const [one, two] = [agentAt('agent-1', named('中央')), agentAt('agent-2', named('別館'))];
  await one.add('nurse-1');
  await two.add('nurse-2');
  for (const agent of [one, two]) await agent.share();
  expect(await two.staff()).toEqual(['nurse-1']);
  expect([one.settings(), two.settings()]).toEqual([named('中央'), named('中央')]);
  expect(JSON.parse(readFileSync(`${two.staffFile}.not-taken`, 'utf8'))).toMatchObject([{ approver: 'nurse-2' }]);
  expect(existsSync(`${one.staffFile}.not-taken`)).toBe(false);
});

test('whoever adds or removes an approver, or changes a setting, at one agent does so for all, also while the others are off', async () => {
  const [one, two] = [agentAt('agent-1'), agentAt('agent-2')];
  for (const agent of [one, two]) await agent.share();
  await two.add('nurse-1');
  for (const agent of [two, one]) await agent.share();
  expect(await one.staff()).toEqual(['nurse-1']);
  one.remove();
  writeFileSync(two.settingsFile, named('中央'));
  for (const agent of [one, two, one]) await agent.share();
  expect([await one.staff(), await two.staff()]).toEqual([[], []]);
  expect([one.settings(), two.settings()]).toEqual([named('中央'), named('中央')]);
  expect(existsSync(`${one.settingsFile}.not-taken`) || existsSync(`${two.staffFile}.not-taken`)).toBe(false);
});

test('changed at two at once: the first one stands at both, the other lies beside it', async () => {
  const [one, two] = [agentAt('agent-1'), agentAt('agent-2')];
  for (const agent of [one, two]) await agent.share();
  await one.add('nurse-1');
  await two.add('nurse-2');
  for (const agent of [one, two, one]) await agent.share();
  expect([await one.staff(), await two.staff()]).toEqual([['nurse-1'], ['nurse-1']]);
  expect(JSON.parse(readFileSync(`${two.staffFile}.not-taken`, 'utf8'))).toMatchObject([{ approver: 'nurse-2' }]);
});

test('settings that no agent can run with stay where they were typed, and hold up nothing else', async () => {
  const [one, two] = [agentAt('agent-1'), agentAt('agent-2')];
  for (const agent of [one, two]) await agent.share();
  writeFileSync(one.settingsFile, 'facilityName: [');
  await one.add('nurse-1');
  await expect(one.share()).rejects.toThrow();
  await two.share();
  expect(await two.staff()).toEqual(['nurse-1']);
  expect(two.settings()).toBe(JSON.stringify(testSettings));
});

test('a file that was deleted comes back as the others have it', async () => {
  const [one, two] = [agentAt('agent-1'), agentAt('agent-2')];
  await one.add('nurse-1');
  for (const agent of [one, two]) await agent.share();
  rmSync(two.staffFile);
  await two.share();
  expect(await two.staff()).toEqual(['nurse-1']);
});

test('what was common is not to be read any more: the facility’s stands, and what is here lies beside it', async () => {
  const [one, two] = [agentAt('agent-1'), agentAt('agent-2')];
  await one.add('nurse-1');
  for (const agent of [one, two]) await agent.share();
  writeFileSync(join(folder, 'agent-2', 'facility-files.json'), '\0\0\0');
  await two.add('nurse-2');
  await two.share();
  expect(await two.staff()).toEqual(['nurse-1']);
  expect(readFileSync(`${two.staffFile}.not-taken`, 'utf8')).toContain('nurse-2');
  await two.add('nurse-3');
  for (const agent of [two, one]) await agent.share();
  expect(await one.staff()).toEqual(['nurse-1', 'nurse-3']);
});
