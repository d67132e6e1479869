import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { readableIn } from '../../../scripts/trials/readable.ts';

const certificate = new Uint8Array(randomBytes(900));
const isReadable = readableIn(certificate);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const on = (leaf: string, payload: Uint8Array) =>
  isReadable({ topic: `uketsuke/v1/test-clinic/front-1/${leaf}`, payload });
const jwe = (body: string): Uint8Array =>
  bytes(
    `${Buffer.from('{"alg":"ECDH-ES","enc":"A256GCM","typ":"t","kid":"k","epk":{}}').toString('base64url')}..AAAA.${body}.AAAA`,
  );

test('the hostile broker sees what is readable: the certificate however encoded, words of the content, a missing seal', () => {
  expect(on('request', jwe(randomBytes(900).toString('base64url')))).toBe(false);
  expect(on('receipt', bytes('a.b.c'))).toBe(false);
  for (const skip of [0, 1, 2]) {
    const shifted = Buffer.concat([randomBytes(skip), certificate]).toString('base64url');
    expect(on('request', jwe(shifted))).toBe(true);
    expect(on('receipt', bytes(`a.${Buffer.from(`{"x":"${shifted}"}`).toString('base64url')}.c`))).toBe(true);
  }
  expect(on('state', bytes(Buffer.from(certificate).toString('hex')))).toBe(true);
  expect(on('receipt', bytes(`a.${Buffer.from('{"consents":[]}').toString('base64url')}.c`))).toBe(true);
  expect(on('request', bytes(`${Buffer.from('{"alg":"ES256"}').toString('base64url')}.AAAA.AAAA`))).toBe(true);
});
