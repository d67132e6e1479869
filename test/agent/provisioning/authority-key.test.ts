import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  authorityKeyState,
  lockAuthorityKey,
  newPassphrase,
  takeAuthorityKeyAway,
} from '../../../src/agent/provisioning/authority-key.ts';
import {
  addAgent,
  addDevice,
  createFacility,
  revokeDevice,
} from '../../../src/agent/provisioning/facility-authority.ts';
import { authorityKeyAccess } from '../../../src/cli/authority-key.ts';

let folder: string;
let directory: string;
const passphrase = newPassphrase();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-ca-'));
  directory = join(folder, 'facility');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const make = async (caPassphrase?: string): Promise<void> => {
  await createFacility(directory, {
    facility: 'clinic-1',
    brokerNames: ['localhost'],
    ...(caPassphrase && { caPassphrase }),
  });
  await addAgent(directory, 'agent-1', { passphrase });
};

/** Every private key in clear in any file, by whose certificate it belongs to: an independent look at the disk. */
const clearKeysOfTheAuthority = (): string[] => {
  const authority = new X509Certificate(readFileSync(join(directory, 'facility-ca.pem'))).publicKey;
  const own = authority.export({ type: 'spki', format: 'pem' });
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) =>
      [...readFileSync(path, 'latin1').matchAll(/-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----/g)].some(
        ([pem]) => createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' }) === own,
      ),
    );
};

test('under its passphrase: no clear key on the disk, terminals with it alone', async () => {
  await make(passphrase);
  expect(await authorityKeyState(directory)).toBe('locked');
  expect(clearKeysOfTheAuthority()).toEqual([]);
  await expect(addDevice(directory, 'terminal-1', 1)).rejects.toThrow('--ca-passphrase-file');
  await expect(addDevice(directory, 'terminal-1', 1, { passphrase: newPassphrase() })).rejects.toThrow('is wrong');
  await addDevice(directory, 'terminal-1', 1, { passphrase });
  await expect(revokeDevice(directory, 'terminal-1')).rejects.toThrow('locked');
  await revokeDevice(directory, 'terminal-1', { passphrase });
});

test('a facility of before, whose key lies in clear, is locked; the look at the disk finds the difference', async () => {
  await make();
  expect(clearKeysOfTheAuthority()).toHaveLength(1);
  await lockAuthorityKey(directory, {}, passphrase);
  expect(clearKeysOfTheAuthority()).toEqual([]);
  await addDevice(directory, 'terminal-1', 1, { passphrase });
});

test('taken away to a stick: none is left, and the stick serves', async () => {
  await make(passphrase);
  const stick = join(folder, 'stick', 'ca.pem');
  await expect(takeAuthorityKeyAway(directory, { passphrase }, stick)).rejects.toThrow('is the stick in');
  expect(await authorityKeyState(directory)).toBe('locked');
  expect(existsSync(join(folder, 'stick'))).toBe(false);
  mkdirSync(join(folder, 'stick'));
  await takeAuthorityKeyAway(directory, { passphrase }, stick);
  expect(await authorityKeyState(directory)).toBe('away');
  expect(clearKeysOfTheAuthority()).toEqual([]);
  await expect(addDevice(directory, 'terminal-1', 1, { passphrase })).rejects.toThrow('--ca-key');
  await addDevice(directory, 'terminal-1', 1, { file: stick });
  await expect(takeAuthorityKeyAway(directory, { file: stick }, stick)).rejects.toThrow('exists');
});

test("the service manager's credential serves as well as a file", async () => {
  writeFileSync(join(folder, 'facility-ca-passphrase'), `${passphrase}\n`);
  expect(await authorityKeyAccess({}, { CREDENTIALS_DIRECTORY: folder })).toEqual({ passphrase });
  expect(await authorityKeyAccess({}, { CREDENTIALS_DIRECTORY: join(folder, 'none') })).toEqual({});
  expect(await authorityKeyAccess({ caPassphraseFile: join(folder, 'facility-ca-passphrase') }, {})).toEqual({
    passphrase,
  });
  await expect(authorityKeyAccess({ caPassphraseFile: join(folder, 'none') }, {})).rejects.toThrow('ENOENT');
});
