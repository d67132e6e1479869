import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readBackup, writeBackup } from '../../src/cli/provision-move.ts';

let folder: string;
let place: string;
let file: string;
const passphrase = 'correct horse battery';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-move-'));
  place = join(folder, 'agent');
  file = join(folder, 'clinic.uketsuke');
  mkdirSync(join(place, 'card-trust'), { recursive: true });
  writeFileSync(join(place, 'signing-key.jwk.json'), 'SECRET-OF-THE-AGENT', { mode: 0o600 });
  writeFileSync(join(place, 'card-trust/card-ca.pem'), 'anchor');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a backup brings everything to another machine, and tells nobody what is in it', async () => {
  await writeBackup(file, passphrase, [place]);
  expect(readFileSync(file).includes('SECRET-OF-THE-AGENT')).toBe(false);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).sort()).toEqual(['agent', 'clinic.uketsuke']);
  const other = join(folder, 'other');
  mkdirSync(other);
  await readBackup(file, passphrase, other);
  expect(readFileSync(join(other, place, 'signing-key.jwk.json'), 'utf8')).toBe('SECRET-OF-THE-AGENT');
  expect(statSync(join(other, place, 'signing-key.jwk.json')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(other, place, 'card-trust/card-ca.pem'), 'utf8')).toBe('anchor');
});

test.each([
  ['another passphrase', (): string => 'another passphrase'],
  [
    'a byte that changed',
    (): string => {
      const bytes = readFileSync(file);
      bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      return passphrase;
    },
  ],
  [
    'an end that is missing',
    (): string => {
      writeFileSync(file, readFileSync(file).subarray(0, -600));
      return passphrase;
    },
  ],
])('%s restores nothing', async (_what, spoil) => {
  await writeBackup(file, passphrase, [place]);
  const given = spoil();
  const other = join(folder, 'other');
  mkdirSync(other);
  await expect(readBackup(file, given, other)).rejects.toThrow('nothing was restored');
  expect(readdirSync(other)).toEqual([]);
});

test('a file that is none is named, and a place that is gone leaves no half backup', async () => {
  writeFileSync(file, 'hello');
  await expect(readBackup(file, passphrase, folder)).rejects.toThrow('no backup');
  const unwritten = join(folder, 'unwritten');
  await expect(writeBackup(unwritten, passphrase, [join(folder, 'nowhere')])).rejects.toThrow('is not written');
  expect(existsSync(unwritten)).toBe(false);
});
