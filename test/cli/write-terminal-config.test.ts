import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { wayToBroker } from '../../src/cli/provision-terminal.ts';
import { writeTerminalConfig } from '../../src/cli/write-terminal-config.ts';
import { loadConfig } from '../../src/processes/terminal-config.ts';

const identity = {
  ...{ facility: 'clinic-0001', device: 'terminal-01', lane: 1, host: '192.0.2.10', brokerPort: 8883 },
  ...{ test: false, acceptedModels: ['fr_feature'] },
};
const none = { faceCamera: false, cardCamera: false, keypad: false, statusLight: false, loudspeaker: false };

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-config-'));
  file = join(folder, 'terminal.yaml');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = () => {
  const loaded = loadConfig(readFileSync(file, 'utf8'));
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.failure));
  return loaded.value;
};
const byHand = `---
# counter 3, camera on the left arm
facility: clinic-0001
device: terminal-01
lane: 3
broker:
  host: old-pc
  port: 8883
  keepaliveSeconds: 20
camera:
  device: /dev/uketsuke-left-camera
face:
  threshold: 0.5
  acceptUnverifiedModels:
    - fr_feature
keypad:
  driver: none # the pad is broken
screen:
  diagonalInches: 13.3
...
`.replace(' # the pad is broken', '');

test('a terminal without a file gets one that can be run with, and nothing is laid beside it', async () => {
  await writeTerminalConfig(file, identity, { ...none, keypad: true, loudspeaker: true }, false);
  expect(read()).toMatchObject({
    ...{ profile: 'release', facility: 'clinic-0001', device: 'terminal-01', lane: 1 },
    ...{
      broker: { host: '192.0.2.10', port: 8883, protocolVersion: 5 },
      face: { acceptUnverifiedModels: ['fr_feature'] },
    },
    ...{ keypad: { driver: 'hid' }, statusLight: { driver: 'none' }, speaker: { driver: 'alsa' } },
  });
  expect(existsSync(`${file}.before`)).toBe(false);
  expect(statSync(file).mode & 0o777).toBe(0o644);
});

test('a new code changes what the enrolment decides, and keeps what was set by hand, comments and all', async () => {
  writeFileSync(file, byHand);
  const moved = { ...identity, device: 'terminal-03', lane: 3, host: '192.0.2.11', test: true, acceptedModels: [] };
  await writeTerminalConfig(file, moved, { ...none, keypad: true, statusLight: true }, false);
  expect(read()).toMatchObject({
    ...{ profile: 'test', device: 'terminal-03', lane: 3 },
    broker: { host: '192.0.2.11', keepaliveSeconds: 20 },
    camera: { device: '/dev/uketsuke-left-camera' },
    face: { threshold: 0.5, acceptUnverifiedModels: [] },
    // The keypad was switched off by somebody; the light by nobody.
    ...{ keypad: { driver: 'none' }, statusLight: { driver: 'serial' } },
    screen: { diagonalInches: 13.3 },
  });
  expect(readFileSync(file, 'utf8')).toContain('# counter 3, camera on the left arm');
  expect(readFileSync(`${file}.before`, 'utf8')).toBe(byHand);
  // After the trial.
  await writeTerminalConfig(file, { ...moved, test: false }, none, false);
  expect(read().profile).toBe('release');
});

test('the same code again writes nothing, and the file of before stays', async () => {
  writeFileSync(file, byHand);
  await writeTerminalConfig(file, { ...identity, lane: 3 }, none, false);
  const [after, before] = [readFileSync(file, 'utf8'), readFileSync(`${file}.before`, 'utf8')];
  await writeTerminalConfig(file, { ...identity, lane: 3 }, none, false);
  expect([readFileSync(file, 'utf8'), readFileSync(`${file}.before`, 'utf8')]).toEqual([after, before]);
});

test('a search for parts takes back what an earlier search wrote, and nothing else', async () => {
  await writeTerminalConfig(file, identity, { ...none, keypad: true, cardCamera: true, loudspeaker: true }, false);
  await writeTerminalConfig(file, identity, { ...none, statusLight: true }, true);
  expect(read()).toMatchObject({
    ...{ keypad: { driver: 'none' }, cardFrontReader: { driver: 'none' } },
    ...{ statusLight: { driver: 'serial' }, speaker: { driver: 'page' } },
  });
});

test('at a clinic whose agent runs the broker itself, the terminal speaks what that one speaks', async () => {
  await writeTerminalConfig(file, { ...identity, brokerProtocol: 4 }, none, false);
  expect(read().broker.protocolVersion).toBe(4);
});

test('another facility’s name of the broker does not come along', async () => {
  writeFileSync(file, byHand.replace('  keepaliveSeconds', '  serverName: broker-of-another\n  keepaliveSeconds'));
  await writeTerminalConfig(file, identity, none, false);
  expect(read().broker.serverName).toBe('broker-of-another');
  await writeTerminalConfig(file, { ...identity, facility: 'clinic-0002' }, none, false);
  expect(read().broker.serverName).toBe('');
});

test('a file that nobody can read keeps no terminal out: it is laid aside', async () => {
  const broken = 'facility: clinic-0001\nkeypd:\n  driver: hid\n';
  writeFileSync(file, broken);
  await writeTerminalConfig(file, identity, none, false);
  expect(read().facility).toBe('clinic-0001');
  expect(readFileSync(`${file}.before`, 'utf8')).toBe(broken);
});

test('the link reaches every address of the broker’s name and whoever tells it, and nothing else', async () => {
  const addresses = [{ address: '192.0.2.10' }, { address: '2001:db8::10' }];
  const find = async (name: string) => (name === 'clinic-pc' ? addresses : []);
  // A router that is name server and knows the broker: once.
  const text = await wayToBroker('clinic-pc', find, ['192.0.2.1', '192.0.2.10']);
  expect(text).toBe('[Service]\nIPAddressAllow=192.0.2.10\nIPAddressAllow=2001:db8::10\nIPAddressAllow=192.0.2.1\n');
  expect(await wayToBroker('192.0.2.7', find, ['192.0.2.1'])).toBe('[Service]\nIPAddressAllow=192.0.2.7\n');
});
