import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseCardTrust, readCardTrust } from '../../../src/agent/provisioning/card-trust.ts';
import { makeTestCardTrust } from '../../../src/agent/provisioning/test-card-trust.ts';
import { chainsFrom } from '../../../src/cli/clinic-card-trust.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-trust-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** An issuer of this name, by OpenSSL. `mask`: how it spells letters (man req, string_mask) */
const issuerCalled = (name: string, mask = 'utf8only'): string => {
  const config = join(folder, 'openssl.cnf');
  writeFileSync(
    config,
    `[req]\nstring_mask=${mask}\nutf8=yes\nprompt=no\ndistinguished_name=dn\n[dn]\nC=JP\nO=${name}\n`,
  );
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', join(folder, 'key.pem'), '-days', '30'];
  return execFileSync('openssl', [...words, '-config', config, '-addext', 'keyUsage=critical,keyCertSign'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
};
const chain = (pem: string): string => {
  const place = join(folder, 'chain');
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'card-ca.pem'), pem);
  writeFileSync(join(place, 'cv-issuers.json'), '[]');
  return place;
};

test.each([
  ['JPKI', 'utf8only', false],
  ['Japan Agency for Local Authority Information Systems', 'utf8only', false],
  // Letters that only look like the word.
  ['Contested Attestation GmbH', 'utf8only', false],
  ['UKETSUKE TEST - NOT A REAL CARD', 'utf8only', true],
  ['Some Body (test)', 'utf8only', true],
  ['テスト認証局', 'utf8only', true],
  ['ＴＥＳＴ認証局', 'utf8only', true],
  // BMPString: two bytes a letter.
  ['Ünder TEST', 'MASK:0x800', true],
  ['Überall', 'MASK:0x800', false],
])('an issuer called %s (%s) is a test’s: %s', (name, mask, isTest) => {
  expect(parseCardTrust(issuerCalled(name, mask), '[]').isTest).toBe(isTest);
});

test('a trial refuses the chain of real cards, and a facility at work that of test cards', async () => {
  const real = chain(issuerCalled('JPKI'));
  await expect(chainsFrom(real, true)).rejects.toThrow('a chain of real cards');
  expect((await chainsFrom(real, false)).cvIssuersJson).toBe('[]');
  const trial = chain((await makeTestCardTrust()).certificateIssuersPem);
  await expect(chainsFrom(trial, false)).rejects.toThrow('a chain of test cards');
  expect((await chainsFrom(trial, true)).certificateIssuersPem).toContain('BEGIN CERTIFICATE');
});

const provision = (trust: string, ...more: string[]) =>
  execFileSync(
    process.execPath,
    [
      ...['--disable-warning=ExperimentalWarning', 'src/main.ts', 'provision', '--dir', join(folder, 'facility')],
      ...['--facility', 'clinic-0001', '--name', 'x', '--institution-code', '1310000001', '--kind', 'medical'],
      ...['--terminals', '0', '--card-trust', trust, ...more],
    ],
    { encoding: 'utf8', stdio: 'pipe' },
  );

test('`uketsuke provision` hands over what an agent starts with, or nothing at all', async () => {
  const trial = chain((await makeTestCardTrust()).certificateIssuersPem);
  expect(() => provision(trial)).toThrow('a chain of test cards');
  expect(() => provision(join(folder, 'nowhere'))).toThrow('card-ca.pem: there is no such file');
  expect(existsSync(join(folder, 'facility'))).toBe(false);
  const { agent } = JSON.parse(provision(trial, '--test')) as { agent: string };
  expect((await readCardTrust(join(agent, 'card-trust'))).isTest).toBe(true);
});
