import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { expect, it } from 'vitest';
import { rawSignature } from '../../drivers/host/tpm-key.ts';

/** Bytes of r and s as DER has them: 33 with a zero before the highest bit, 32, or fewer. */
const integersOf = (der: Buffer): readonly [number, number] => [der[3] ?? 0, der[5 + (der[3] ?? 0)] ?? 0];

it('signatures of the TPM become the form of a JWS, also those whose numbers are short', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let shortNumbers = 0;
  // Of a thousand signatures about eight have a number of 31 bytes or less; the search ends with the third.
  for (let index = 0; index < 100_000 && shortNumbers < 3; index += 1) {
    const message = Buffer.from(`${index}`);
    const der = sign('sha256', message, privateKey);
    if (integersOf(der).some((length) => length < 32)) shortNumbers += 1;
    const raw = rawSignature(der);
    if (raw === null) throw new Error('refused');
    expect(verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw)).toBe(true);
  }
  expect(shortNumbers).toBe(3);
});

it('anything else is no signature', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = sign('sha256', Buffer.from('x'), privateKey);
  for (let length = 0; length < der.length; length += 1) expect(rawSignature(der.subarray(0, length))).toBeNull();
  expect(rawSignature(Buffer.concat([der, Buffer.from([0])]))).toBeNull();
  const { privateKey: other } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  expect(rawSignature(sign('sha256', Buffer.from('x'), other))).toBeNull();
});
