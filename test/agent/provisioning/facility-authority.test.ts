import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readDeviceKeys } from '../../../scripts/beds/device-keys.ts';
import { makeTestFacility, type TestFacility } from '../../../scripts/beds/test-facility.ts';
import { readAgentKeys, readDeviceRegistry } from '../../../src/agent/provisioning/agent-keys.ts';
import { brokerUsers, renderMosquittoConfiguration } from '../../../src/agent/provisioning/broker-configuration.ts';
import {
  addAgent,
  addDevice,
  createFacility,
  deviceDirectory,
  revokeDevice,
  rollFacilityKey,
} from '../../../src/agent/provisioning/facility-authority.ts';

let made: TestFacility;
beforeAll(async () => {
  made = await makeTestFacility();
});
afterAll(() => made.remove());

test('every file is for its owner only, and nothing unfinished is left', () => {
  const files = readdirSync(made.directory, { recursive: true, encoding: 'utf8' });
  for (const name of files) {
    const { mode } = statSync(join(made.directory, name));
    expect(mode & 0o077, name).toBe(0);
    expect(name.endsWith('.part'), name).toBe(false);
  }
});

test('no private key leaves its owner: a device directory holds none of the facility, an agent none of a device', () => {
  const privateValues = (path: string): string[] =>
    [...readFileSync(path, 'utf8').matchAll(/"d": "([^"]+)"/g)].map(([, value = '']) => value);
  const facilityPrivate = privateValues(join(made.directory, 'facility-keys.json'));
  expect(facilityPrivate).toHaveLength(1);
  const textOf = (folder: string): string =>
    readdirSync(join(made.deviceDirectory, folder))
      .map((name) => readFileSync(join(made.deviceDirectory, folder, name), 'utf8'))
      .join();
  const deviceText = textOf('terminal') + textOf('link');
  expect(facilityPrivate.some((value) => deviceText.includes(value))).toBe(false);
  const agentText = readdirSync(made.agentDirectory)
    .map((name) => readFileSync(join(made.agentDirectory, name), 'utf8'))
    .join();
  for (const name of ['signing-key.jwk.json', 'sealing-key.jwk.json'])
    expect(agentText).not.toContain(privateValues(join(made.deviceDirectory, 'terminal', name))[0]);
  const caKey = readFileSync(join(made.directory, 'facility-ca-key.pem'), 'utf8');
  expect(agentText).not.toContain(caKey.split('\n')[1]);
});

test('an id is given once, and only ids that fit topics and ACLs', async () => {
  for (const taken of ['front-1', 'agent-1']) {
    await expect(addDevice(made.directory, taken, 3)).rejects.toThrow('taken');
    await expect(addAgent(made.directory, taken)).rejects.toThrow('taken');
  }
  for (const bad of ['', '+', '#', 'a/b', 'A', '-a', 'a'.repeat(64), 'a\nuser b'])
    await expect(addDevice(made.directory, bad, 3)).rejects.toThrow();
  await expect(createFacility(made.directory, { facility: 'x', brokerNames: [] })).rejects.toThrow('already');
});

test('a missing or broken key file is told by its name', async () => {
  const other = await makeTestFacility();
  rmSync(join(other.deviceDirectory, 'terminal', 'trust.json'));
  await expect(readDeviceKeys(other.deviceDirectory)).rejects.toThrow('trust.json');
  other.remove();
});

test('a revoked device: marked in the registry, gone from the ACL, on the list that OpenSSL checks', async () => {
  const other = await makeTestFacility();
  await revokeDevice(other.directory, 'front-2');
  expect((await readDeviceRegistry(other.agentDirectory)).get('front-2')?.revoked).toBe(true);
  expect((await brokerUsers(other.directory)).devices).toEqual(['front-1']);
  const verify = (device: string) =>
    spawnSync('openssl', [
      'verify',
      '-crl_check',
      '-CAfile',
      join(other.directory, 'facility-ca.pem'),
      '-CRLfile',
      join(other.directory, 'revoked.pem'),
      join(deviceDirectory(other.directory, device), 'link', 'tls-certificate.pem'),
    ]);
  const [good, bad] = [verify('front-1'), verify('front-2')];
  if (good.error) console.warn('skipped: "OpenSSL checks the list" needs the Debian package openssl');
  else {
    expect(good.status).toBe(0);
    expect(bad.stderr.toString()).toContain('certificate revoked');
  }
  other.remove();
});

test('the facility key rolls in two steps, and what was sealed to the old one still opens', async () => {
  const other = await makeTestFacility();
  const before = await readAgentKeys(other.agentDirectory);
  expect(await rollFacilityKey(other.directory)).toBe('announced');
  const announced = await readAgentKeys(other.agentDirectory);
  expect(announced.facilityKeys.current).toEqual(before.facilityKeys.current);
  expect(await rollFacilityKey(other.directory)).toBe('promoted');
  const after = await readAgentKeys(other.agentDirectory);
  expect(after.facilityKeys.current).toEqual(announced.facilityKeys.next);
  expect(after.sealing.map(({ kid }) => kid)).toContain(before.facilityKeys.current.kid);
  expect((await readDeviceKeys(other.deviceDirectory)).facilityKeys[0]?.kid).toBe(after.facilityKeys.current.kid);
  other.remove();
});

test('mosquitto.conf takes no value that would begin a line of its own', async () => {
  const place = { address: '127.0.0.1', port: 8883, directory: '/etc/x', state: '/var/x' };
  const text = await renderMosquittoConfiguration(place);
  expect(text).toContain('listener 8883 127.0.0.1');
  expect(text).toContain('set_tcp_nodelay true');
  expect(text).not.toContain('{{');
  await expect(renderMosquittoConfiguration({ ...place, address: '0.0.0.0\nallow_anonymous true' })).rejects.toThrow(
    'address',
  );
});
