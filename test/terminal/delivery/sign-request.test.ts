import { createHash, type KeyObject, verify } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { cardKeys, faceCard, pinCard, visualEvidence } from '../../../scripts/beds/evidence-fixtures.ts';
import { simulatedStartMs } from '../../../scripts/beds/simulated-clock.ts';
import { testRequest } from '../../../scripts/beds/test-facility.ts';
import { failure } from '../../../src/core/failure.ts';
import { err, ok } from '../../../src/core/result.ts';
import { parseDocument } from '../../../src/protocol/evidence.ts';
import { type CardEvidence, type SignedRequest, signRequest } from '../../../src/terminal/delivery/sign-request.ts';
import { visitMark } from '../../../src/terminal/delivery/visit-mark.ts';
import { openSealed } from '../../../src/trust/seal.ts';
import type { EligibilityRequest } from '../../../src/wire/messages.ts';

type Method = EligibilityRequest['verificationMethod'];

const kid = 'k'.repeat(43);
const facilityKid = 'f'.repeat(43);
const certificate = Uint8Array.from({ length: 900 }, (_, at) => at % 251);
const device = await generateKeyPair('ES256');
const facility = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
const keys = {
  device: { kid, key: device.privateKey },
  facility: { kid: facilityKid, key: facility.publicKey },
};
const requestOf = (verificationMethod: Method): EligibilityRequest =>
  testRequest({ issuedAt: simulatedStartMs, verificationMethod });

let chips: Readonly<Record<Method, { readonly card: CardEvidence; readonly key: KeyObject | null }>>;
beforeAll(async () => {
  const { auth, visual } = await cardKeys();
  chips = {
    pin: { card: pinCard(certificate, auth), key: auth },
    face: { card: faceCard(visualEvidence(visual), visual), key: visual },
    staff: { card: { method: 'staff' }, key: null },
  };
});

const signed = async (request: EligibilityRequest, card: CardEvidence): Promise<SignedRequest> => {
  const made = await signRequest(request, card, keys);
  if (!made.ok) throw new Error(made.failure.detail);
  return made.value;
};

describe.each<Method>(['pin', 'face', 'staff'])('a request by %s', (method) => {
  test('is signed by whoever vouches for it, and nobody else', async () => {
    const { card, key } = chips[method];
    const request = requestOf(method);
    const { document, ...made } = await signed(request, card);
    const parsed = parseDocument(document);
    if (!parsed.ok) throw new Error(parsed.failure.detail);
    const { request: read, payload, card: byCard, device: byDevice } = parsed.value;
    expect(read).toEqual(request);
    expect(byDevice.kid).toBe(kid);
    const covered = (header: string): Buffer => Buffer.from(`${header}.${payload}`);
    const signature = (jws: { readonly signature: string }): Buffer => Buffer.from(jws.signature, 'base64url');
    const deviceKey = await exportJWK(device.publicKey);
    const p256 = { key: deviceKey as never, format: 'jwk', dsaEncoding: 'ieee-p1363' } as const;
    expect(verify('sha256', covered(byDevice.jws.protected), p256, signature(byDevice.jws))).toBe(true);
    if (key === null) expect(byCard).toBeNull();
    else {
      if (byCard === null) throw new Error('no signature by the card');
      expect(byCard).toMatchObject(
        card.method === 'face' ? { method, visual: card.visual } : { method, authCertificate: certificate },
      );
      expect(verify('sha256', covered(byCard.jws.protected), key, signature(byCard.jws))).toBe(true);
    }
    const { requestId, session, expiresAt } = request;
    expect(made).toMatchObject({ requestId, session, expiresAt });
    expect(made.documentHash).toBe(createHash('sha256').update(document).digest('base64url'));
  });

  test('is sealed to the facility', async () => {
    const { document, sealed } = await signed(requestOf(method), chips[method].card);
    const opened = await openSealed('request', sealed, [{ kid: facilityKid, key: facility.privateKey }]);
    if (!opened.ok) throw new Error(opened.failure.detail);
    expect(Buffer.from(opened.value).equals(Buffer.from(document))).toBe(true);
    expect(Buffer.from(sealed).includes(Buffer.from(document).subarray(0, 40))).toBe(false);
  });

  test('says how its patient was verified: by another way is a fault of whoever asks', async () => {
    for (const other of (['pin', 'face', 'staff'] as const).filter((one) => one !== method))
      await expect(signRequest(requestOf(other), chips[method].card, keys)).rejects.toThrow();
  });

  test('that says what no request may is a fault of whoever asks, and the card is not asked to sign it', async () => {
    let asked = 0;
    const { card } = chips[method];
    const counting = card.method === 'staff' ? card : { ...card, sign: async () => ok(new Uint8Array(256 + asked++)) };
    await expect(signRequest({ ...requestOf(method), lane: 0 }, counting, keys)).rejects.toThrow();
    expect(asked).toBe(0);
  });
});

test('a card that refuses, or was pulled, is the answer; one that answers with another length did not sign', async () => {
  const by = (sign: Extract<CardEvidence, { method: 'pin' }>['sign']) =>
    signRequest(requestOf('pin'), { method: 'pin', authCertificate: certificate, sign }, keys);
  for (const code of ['card.removed', 'card.security-status-lost'] as const)
    expect(await by(async () => err(failure(code, 'x')))).toEqual(err(failure(code, 'x')));
  for (const length of [0, 255, 257])
    expect(await by(async () => ok(new Uint8Array(length)))).toMatchObject({
      ok: false,
      failure: { code: 'card.communication' },
    });
  expect(await by(async () => ok(new Uint8Array(256)))).toMatchObject({ ok: true });
});

test('the mark of a visit is of its card and its session: the same again, another for another of either', () => {
  const other = Uint8Array.from(certificate).fill(7, 0, 1);
  const marks = [
    visitMark('session-1', certificate),
    visitMark('session-2', certificate),
    visitMark('session-1', other),
    visitMark('session-2', other),
  ];
  expect(new Set(marks).size).toBe(4);
  expect(visitMark('session-1', Uint8Array.from(certificate))).toBe(marks[0]);
  for (const mark of marks) expect(mark).toMatch(/^[\w-]{43}$/);
});

test('the card is asked once, for the digest of what its header and the request say', async () => {
  const digests: Uint8Array[] = [];
  const { document } = await signed(requestOf('pin'), {
    ...{ method: 'pin', authCertificate: certificate },
    sign: async (digest) => {
      digests.push(digest);
      return ok(new Uint8Array(256));
    },
  });
  const { payload, signatures } = JSON.parse(new TextDecoder().decode(document)) as {
    readonly payload: string;
    readonly signatures: readonly { readonly protected: string }[];
  };
  const expected = createHash('sha256').update(`${signatures[0]?.protected}.${payload}`).digest();
  expect(digests.map((digest) => Buffer.from(digest).toString('hex'))).toEqual([expected.toString('hex')]);
});
