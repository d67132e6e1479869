import { constants, createHash, generateKeyPairSync, privateEncrypt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { cardCryptography } from '../../src/trust/card-cryptography.ts';
import { isTestCvIssuer, parseCvIssuers } from '../../src/trust/cv-trust.ts';
import { hashOf } from '../../src/trust/document-hash.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('the two primitives of the card checks', () => {
  // 1,024 bits: as good as any for what is asked here, and made at once.
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 });
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const key = { modulus: Buffer.from(n, 'base64url'), exponent: Buffer.from(e, 'base64url') };
  const plain = Buffer.alloc(128, 7);
  const signature = privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, plain);

  test('SHA-256', () => {
    expect(Buffer.from(cardCryptography.sha256(bytesOf('abc'))).toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  test('RSA without padding, the same each time', () => {
    for (const _ of [1, 2]) expect(cardCryptography.rsaPublic(key, signature)).toEqual(new Uint8Array(plain));
  });

  test('what OpenSSL will not touch verifies nothing', () => {
    expect(cardCryptography.rsaPublic(key, Buffer.alloc(128, 0xff))).toBeNull();
    expect(cardCryptography.rsaPublic(key, Buffer.alloc(129, 1))).toBeNull();
    expect(cardCryptography.rsaPublic({ modulus: new Uint8Array(), exponent: new Uint8Array() }, signature)).toBeNull();
  });
});

test("a document's name is the SHA-256 of its bytes, base64url", () => {
  expect(hashOf(bytesOf('abc'))).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
  expect(hashOf(bytesOf('abc'))).toBe(createHash('sha256').update('abc').digest('base64url'));
});

describe('the trust store of the passive proof', () => {
  const issuer = { issuerId: '0123456789ABCDEF'.repeat(2), modulus: 'C5'.repeat(256), exponent: '010001' };
  const parse = (more: object) => parseCvIssuers(JSON.stringify([{ ...issuer, ...more }]));

  test('names its issuers in bytes; an empty one trusts nobody', () => {
    const [read, ...others] = parse({});
    expect(others).toEqual([]);
    expect(read?.key).toEqual({
      modulus: new Uint8Array(256).fill(0xc5),
      exponent: Uint8Array.of(1, 0, 1),
    });
    expect(Buffer.from(read?.issuerId ?? []).toString('hex')).toBe('0123456789abcdef'.repeat(2));
    expect(parseCvIssuers('[]')).toEqual([]);
  });

  test('a number of another length is told with the length that is due, by its place', () => {
    expect(() => parse({ issuerId: 'AB' })).toThrow(/16 bytes/);
    expect(() => parse({ modulus: 'AB' })).toThrow(/256 bytes/);
  });

  test('refused: other lengths, other letters, other fields, no list', () => {
    for (const [name, value] of Object.entries(issuer))
      for (const wrong of [
        `${value}00`,
        value.slice(2),
        `${value.slice(1)}g`,
        ` ${value}`,
        `${value} `,
        value.replace(/C5|CD|01/, 'cd'),
      ])
        expect(() => parse({ [name]: wrong }), `${name} ${wrong}`).toThrow();
    expect(() => parse({ more: 1 })).toThrow();
    for (const text of ['', '{}', 'null']) expect(() => parseCvIssuers(text)).toThrow();
  });

  test('a key calls itself a test key where its id says so, wherever', () => {
    const isTest = (id: string): boolean => {
      const [read] = parse({ issuerId: Buffer.from(id.padEnd(16)).toString('hex').toUpperCase() });
      return read !== undefined && isTestCvIssuer(read);
    };
    expect(['TEST', '0000TEST', 'xxxxxxxxxxxxTEST'].map(isTest)).toEqual([true, true, true]);
    expect(['test', 'TES T', 'J-LIS'].map(isTest)).toEqual([false, false, false]);
  });
});
