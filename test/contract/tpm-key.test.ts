import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { expect, it } from 'vitest';
import { rawSignature } from '../../drivers/host/tpm-key.ts';

it('signatures of the TPM become the form of a JWS, also those whose numbers are short', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const lengths = new Set<number>();
  // One in 128 has a number of 31 bytes or less.
  for (let index = 0; index < 1_500; index += 1) {
    const message = Buffer.from(`${index}`);
    const der = sign('sha256', message, privateKey);
    lengths.add(der.length);
    const raw = rawSignature(der);
    if (raw === null) throw new Error('refused');
    expect(verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw)).toBe(true);
  }
  expect(Math.min(...lengths)).toBeLessThan(70);
});

it('anything else is no signature', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = sign('sha256', Buffer.from('x'), privateKey);
  for (let length = 0; length < der.length; length += 1) expect(rawSignature(der.subarray(0, length))).toBeNull();
  expect(rawSignature(Buffer.concat([der, Buffer.from([0])]))).toBeNull();
  const { privateKey: other } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  expect(rawSignature(sign('sha256', Buffer.from('x'), other))).toBeNull();
});
