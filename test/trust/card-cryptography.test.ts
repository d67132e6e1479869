import { createHash, createSign, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { cardCryptography } from '../../src/trust/card-cryptography.ts';

const pair = () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const key = { modulus: Buffer.from(n, 'base64url'), exponent: Buffer.from(e, 'base64url') };
  return { key, sign: (text: string) => createSign('sha256').update(text).sign(privateKey) };
};
const [issuer, other] = [pair(), pair()];
const hashOf = (text: string) => createHash('sha256').update(text).digest();
/** RFC 8017, 9.2: what a signature opens to ends with the hash of what was signed. */
const opened = (key: typeof issuer.key, text: string) =>
  Buffer.from(cardCryptography.rsaPublic(key, issuer.sign(text)) ?? []).subarray(-32);

test('an issuer’s signature opens to the hash of what was signed, each time and by its key alone', () => {
  for (const text of ['one', 'two', 'one']) expect(opened(issuer.key, text)).toEqual(hashOf(text));
  // As read from the next card: the same numbers, another object.
  expect(opened({ ...issuer.key }, 'one')).toEqual(hashOf('one'));
  expect(opened(other.key, 'one')).not.toEqual(hashOf('one'));
  expect(opened(issuer.key, 'one')).toEqual(hashOf('one'));
});

test('what is no number below the modulus, and no key, verify nothing', () => {
  expect(cardCryptography.rsaPublic(issuer.key, new Uint8Array(256).fill(0xff))).toBe(null);
  const even = { ...issuer.key, modulus: Uint8Array.from(issuer.key.modulus.map((byte) => byte & 0xfe)) };
  expect(cardCryptography.rsaPublic(even, issuer.sign('one'))).toBe(null);
  expect(cardCryptography.rsaPublic({ ...issuer.key, modulus: new Uint8Array() }, issuer.sign('one'))).toBe(null);
});

test('hashes as everybody does', () => {
  expect(Buffer.from(cardCryptography.sha256(Buffer.from('abc')))).toEqual(hashOf('abc'));
});
