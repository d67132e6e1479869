import 'reflect-metadata';
import { createPrivateKey, createPublicKey, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { CompactSign, importPKCS8 } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTestFacility, type TestFacility } from '../../scripts/beds/test-facility.ts';
import { newTlsKey, openCertificateRequest, signCertificateRequest } from '../../src/trust/certificate-request.ts';
import { readLinkKeys, type TlsFiles } from '../../src/trust/key-files.ts';
import type { CertificateRequest } from '../../src/wire/certificate-messages.ts';

let place: TestFacility;
let inForce: TlsFiles;
let newKey: string;
let bytes: Uint8Array;
const requestId = crypto.randomUUID();
const named = { facility: 'test-clinic', device: 'front-1', requestId };
beforeAll(async () => {
  place = await makeTestFacility();
  inForce = await readLinkKeys(place.deviceDirectory);
  newKey = await newTlsKey();
  bytes = await signCertificateRequest(named, inForce, newKey);
});
afterAll(() => place.remove());

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const open = async (text: Uint8Array) => {
  const opened = await openCertificateRequest(text);
  return opened.ok ? 'opened' : opened.failure.code;
};
const payload = (): CertificateRequest => {
  const [, body = ''] = new TextDecoder().decode(bytes).split('.');
  return JSON.parse(Buffer.from(body, 'base64url').toString()) as CertificateRequest;
};
/** What the product would never sign itself. */
const signed = async (content: object | string, header: object = {}, key = inForce.key): Promise<Uint8Array> =>
  encode(
    await new CompactSign(encode(typeof content === 'string' ? content : JSON.stringify(content)))
      .setProtectedHeader({ alg: 'ES256', typ: 'uketsuke-certificate-request', ...header })
      .sign(await importPKCS8(key, 'ES256')),
  );

test('comes back whole, with the chain that is in force and the new key', async () => {
  const opened = await openCertificateRequest(bytes);
  if (!opened.ok) throw new Error(opened.failure.detail);
  const { request, newPublicKey } = opened.value;
  expect(request).toMatchObject(named);
  expect(request.chain.map((each) => each.trim())).toEqual(
    inForce.certificate.match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/g),
  );
  const spki = createPublicKey(createPrivateKey(newKey)).export({ type: 'spki', format: 'der' });
  expect(newPublicKey).toBe(spki.toString('base64'));
  expect(await open(await signed(payload()))).toBe('opened');
});

test('the new key is for the device that asks, by name', () => {
  const { subject } = new x509.Pkcs10CertificateRequest(Buffer.from(payload().signingRequest, 'base64'));
  expect(subject).toBe('CN=front-1');
});

test('signed by another algorithm than ours, with a certificate of its own, it is forged', async () => {
  const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(
    { ...rsa, modulusLength: 2_048, publicExponent: Uint8Array.of(1, 0, 1) },
    true,
    ['sign', 'verify'],
  );
  const own = await x509.X509CertificateGenerator.createSelfSigned({ name: 'CN=front-1', keys, signingAlgorithm: rsa });
  const message = await new CompactSign(encode(JSON.stringify({ ...payload(), chain: [own.toString('pem')] })))
    .setProtectedHeader({ alg: 'RS256', typ: 'uketsuke-certificate-request' })
    .sign(keys.privateKey);
  expect(await open(encode(message))).toBe('message.forged');
});

test('a key is new each time, and of P-256', async () => {
  const [a, b] = [await newTlsKey(), await newTlsKey()];
  expect(a).not.toBe(b);
  expect(createPrivateKey(a).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
});

test("forged: another key's signature, another topic, a new key that is not proven", async () => {
  expect(await open(await signed(payload(), {}, await newTlsKey()))).toBe('message.forged');
  expect(await open(await signed(payload(), { typ: 'uketsuke-receipt' }))).toBe('message.forged');
  const request = Buffer.from(payload().signingRequest, 'base64');
  // The last byte is of its own signature.
  request[request.length - 1] = (request.at(-1) ?? 0) ^ 1;
  expect(await open(await signed({ ...payload(), signingRequest: request.toString('base64') }))).toBe('message.forged');
});

test('malformed: what is no such message, and none that is longer than any', async () => {
  for (const text of ['', 'nothing', 'a.b.c']) expect(await open(encode(text)), text).toBe('message.malformed');
  const notText = bytes.slice();
  notText[notText.length - 1] = 0xff;
  expect(await open(notText)).toBe('message.malformed');
  const [end = ''] = payload().chain;
  const spoilt = `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`;
  for (const wrong of [
    { chain: [] },
    { chain: [spoilt] },
    { chain: [end, end, end, end] },
    { signingRequest: 'AAAA' },
    { signingRequest: '!' },
    { requestId: 'x' },
    { more: 1 },
  ])
    expect(await open(await signed({ ...payload(), ...wrong })), JSON.stringify(wrong)).toBe('message.malformed');
});

test('20,000 bytes are read, one more is not', async () => {
  // The header may be as long as it likes, and blanks may follow the JSON; nothing else of the message changes.
  const content = JSON.stringify(payload());
  const sized = async (length: number): Promise<Uint8Array> => {
    const bare = (await signed(content, { cty: '' })).length;
    const about = Math.floor(((length - bare) * 3) / 4);
    for (let letters = about - 6; letters < about + 6; letters += 1)
      for (const blanks of ['', ' ', '  ']) {
        const made = await signed(content + blanks, { cty: 'x'.repeat(letters) });
        if (made.length === length) return made;
      }
    throw new Error(`no message of ${length} bytes`);
  };
  expect(await open(await sized(20_000))).toBe('opened');
  expect(await open(await sized(20_001))).toBe('message.malformed');
});
