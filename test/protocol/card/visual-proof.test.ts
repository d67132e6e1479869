import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeVisual } from '../../../drivers/virtual/card-maker.ts';
import { encodeGreyJp2 } from '../../../drivers/virtual/jp2.ts';
import { personaById } from '../../../drivers/virtual/personas.ts';
import {
  issueCardCertificate,
  makeCvCertificate,
  makeRsaKey,
  rsaPublicKeyOf,
  signDigestInfo,
} from '../../../drivers/virtual/test-authority.ts';
import { authority, drawnPhoto, trustedCvIssuers } from '../../../scripts/beds/test-cards.ts';
import type { VisualEvidence } from '../../../src/core/visit/identity.ts';
import { concatBytes, fromAscii } from '../../../src/protocol/bytes.ts';
import { checkAuthCertificate, parseCertificate } from '../../../src/protocol/card/certificate.ts';
import { digestInfo } from '../../../src/protocol/card/digest-info.ts';
import { encodeTlv, readTlv, readTlvs } from '../../../src/protocol/card/tlv.ts';
import {
  checkCardExpiry,
  checkPresenceProof,
  checkSamePerson,
  checkVisualEvidence,
  encodeCardPublicKey,
  jp2Size,
  parseVisual,
} from '../../../src/protocol/card/visual-ap.ts';
import { cardCryptography } from '../../../src/trust/card-cryptography.ts';
import { parseCvIssuers } from '../../../src/trust/cv-trust.ts';

let visualKey: KeyObject;
let foreignKey: KeyObject;
let photo: Uint8Array;
let faceFile: Uint8Array;
let evidence: VisualEvidence;

const flipped = (bytes: Uint8Array, at = bytes.length - 1): Uint8Array =>
  bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
const children = (bytes: Uint8Array): readonly Uint8Array[] => {
  const objects = readTlvs(bytes);
  return objects.ok ? objects.value.map(({ value }) => value) : [];
};
const check = (changed: Partial<VisualEvidence>, trusted = trustedCvIssuers) =>
  checkVisualEvidence({ ...evidence, ...changed }, trusted, cardCryptography);
const refused = (detail: string) => ({ ok: false, failure: { code: 'card.visual-proof-failed', detail } });
const readRecord = (bytes: Uint8Array) => parseVisual(bytes, authority.cvCertificate, cardCryptography.sha256);
const evidenceOf = (bytes: Uint8Array): VisualEvidence => {
  const face = readRecord(bytes);
  if (!face.ok) throw new Error(face.failure.detail);
  return face.value.evidence;
};

beforeAll(async () => {
  [visualKey, foreignKey, photo] = await Promise.all([makeRsaKey(), makeRsaKey(), encodeGreyJp2(drawnPhoto)]);
  faceFile = makeVisual(personaById('hanako'), authority, visualKey, photo, '20350217');
  evidence = evidenceOf(faceFile);
});

describe('passive proof of the visual record, from TLVs and hashes alone', () => {
  test('a genuine face is proven', () => {
    expect(check({})).toMatchObject({ ok: true, value: { birthDate: '19800217', sex: '2' } });
  });

  test('wrong signature', () => {
    expect(check({ df28: flipped(evidence.df28) })).toMatchObject(refused('DF28 signature'));
  });

  test("another card's photo", async () => {
    const other = { ...drawnPhoto, grey: drawnPhoto.grey.map((grey) => 255 - grey) };
    const theirs = evidenceOf(
      makeVisual(personaById('hanako'), authority, visualKey, await encodeGreyJp2(other), '20350217'),
    );
    expect(check({ hash3: theirs.hash3 })).toMatchObject(refused('DF28 signature'));
    expect(check({ hash3: theirs.hash3, df28: theirs.df28 })).toMatchObject({ ok: true });
  });

  test("another card's key, birth date, sex or name", () => {
    const theirs = evidenceOf(makeVisual(personaById('taro'), authority, foreignKey, photo, '20350217'));
    for (const part of ['df22', 'df23', 'df24', 'hash2'] as const)
      expect(check({ [part]: theirs[part] }), part).toMatchObject(refused('DF28 signature'));
  });

  test('a face signed by somebody with a key of their own', () => {
    const forged = evidenceOf(
      makeVisual(personaById('hanako'), { ...authority, visualSigningKey: foreignKey }, visualKey, photo, '20350217'),
    );
    expect(check(forged)).toMatchObject(refused('DF28 signature'));
    const ownCertificate = makeCvCertificate(foreignKey, foreignKey);
    expect(check({ ...forged, cvCertificate: ownCertificate })).toMatchObject(refused('CV certificate signature'));
  });

  test('wrong issuer: an empty trust store trusts nobody, another name is not known', () => {
    expect(check({}, [])).toMatchObject(refused('CV issuer not trusted'));
    const renamed = trustedCvIssuers.map((issuer) => ({ ...issuer, issuerId: fromAscii('SOMEBODY-ELSE-01') }));
    expect(check({}, renamed)).toMatchObject(refused('CV issuer not trusted'));
    const otherKey = trustedCvIssuers.map((issuer) => ({ ...issuer, key: rsaPublicKeyOf(foreignKey) }));
    expect(check({}, otherKey)).toMatchObject(refused('CV certificate signature'));
  });

  test('a generation change: two keys under one name, either may have signed', () => {
    const both = [
      { ...(trustedCvIssuers[0] as (typeof trustedCvIssuers)[0]), key: rsaPublicKeyOf(foreignKey) },
      ...trustedCvIssuers,
    ];
    expect(check({}, both)).toMatchObject({ ok: true });
  });

  test('a key in the signed face is a modulus of 2048 bits with the highest one set, and an exponent', () => {
    const modulus = new Uint8Array(256).fill(0xff);
    const exponent = Uint8Array.of(1, 0, 1);
    const withKey = (...objects: readonly Uint8Array[]) => check({ df24: encodeTlv(0xdf24, ...objects) });
    for (const objects of [
      [],
      [encodeTlv(0x90, exponent)],
      [encodeTlv(0x90, exponent), encodeTlv(0x91)],
      [encodeTlv(0x90, exponent), encodeTlv(0x91, modulus.subarray(1))],
      [encodeTlv(0x90, exponent), encodeTlv(0x91, modulus.with(0, 0x7f))],
      [encodeTlv(0x90), encodeTlv(0x91, modulus)],
      [encodeTlv(0x90, new Uint8Array(5)), encodeTlv(0x91, modulus)],
      [encodeTlv(0x91, modulus), encodeTlv(0x90, exponent)],
      [encodeTlv(0x90, exponent), encodeTlv(0x91, modulus), encodeTlv(0x92)],
    ])
      expect(withKey(...objects)).toMatchObject(refused('DF24 malformed'));
    // Whole, but not the one that was signed.
    for (const other of [exponent, new Uint8Array(1), new Uint8Array(4)])
      expect(withKey(encodeTlv(0x90, other), encodeTlv(0x91, modulus.with(0, 0x80)))).toMatchObject(
        refused('DF28 signature'),
      );
  });

  test('weak key: a 1024-bit key in the signed face is not taken', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const df24 = encodeTlv(0xdf24, encodeCardPublicKey(rsaPublicKeyOf(weak)));
    expect(check({ df24 })).toMatchObject(refused('DF24 malformed'));
  });

  test('SHA-1, or a DigestInfo of another shape, under a genuine key', () => {
    const { sha256 } = cardCryptography;
    const hash1 = sha256(concatBytes(evidence.df22, evidence.df23, evidence.df24));
    const sign = signDigestInfo(authority.visualSigningKey);
    expect(check({ df28: sign(digestInfo(concatBytes(hash1, evidence.hash2, evidence.hash3))) })).toMatchObject({
      ok: true,
    });
    for (const octets of [
      concatBytes(hash1, evidence.hash2),
      sha256(concatBytes(hash1, evidence.hash2, evidence.hash3)),
    ])
      expect(check({ df28: sign(digestInfo(octets)) })).toMatchObject(refused('DF28 signature'));
  });

  test('what is signed is still asked for its form: tag, end, and a sex that a card can say', () => {
    const { sha256 } = cardCryptography;
    const signed = (changed: Partial<VisualEvidence>) => {
      const all = { ...evidence, ...changed };
      const hash1 = sha256(concatBytes(all.df22, all.df23, all.df24));
      const df28 = signDigestInfo(authority.visualSigningKey)(digestInfo(concatBytes(hash1, all.hash2, all.hash3)));
      return check({ ...changed, df28 });
    };
    const sex = (code: string) => ({ df23: encodeTlv(0xdf23, fromAscii(code)) });
    for (const code of ['1', '2', '9'] as const) expect(signed(sex(code))).toMatchObject({ value: { sex: code } });
    for (const code of ['', '0', '3', '22', 'x']) expect(signed(sex(code))).toMatchObject(refused('sex'));
    for (const part of ['df22', 'df23', 'df24'] as const)
      for (const wrong of [
        new Uint8Array(),
        concatBytes(Uint8Array.of(0xdf, 0x2f), evidence[part].slice(2)),
        concatBytes(evidence[part], Uint8Array.of(0)),
      ])
        expect(signed({ [part]: wrong }), part).toMatchObject(refused('DF22, DF23 or DF24 malformed'));
  });

  test('a CV certificate whose signed part has another tag is none, though its signature covers the content alone', () => {
    const parts = readTlv(evidence.cvCertificate);
    const [body, signature] = parts.ok ? children(parts.value.value) : [];
    if (body === undefined || signature === undefined) throw new Error('no CV certificate');
    const certificate = (tag: number) => encodeTlv(0x7f21, encodeTlv(tag, body), encodeTlv(0x5f37, signature));
    expect(check({ cvCertificate: certificate(0x5f4e) })).toMatchObject({ ok: true });
    expect(check({ cvCertificate: certificate(0x5f4f) })).toMatchObject(refused('CV certificate: objects'));
  });

  test('every truncation of every part is refused', () => {
    for (const part of ['df22', 'df23', 'df24', 'hash2', 'hash3', 'df28', 'cvCertificate'] as const) {
      const bytes = evidence[part];
      const step = Math.max(1, Math.floor(bytes.length / 40));
      for (let length = 0; length < bytes.length; length += step)
        expect(check({ [part]: bytes.slice(0, length) }).ok, `${part} cut to ${length}`).toBe(false);
    }
  });

  test('a CV certificate is a signed part and a signature, each as long as it must be', () => {
    const [part, signature] = [encodeTlv(0x5f4e, new Uint8Array(297)), encodeTlv(0x5f37, new Uint8Array(256))];
    for (const [step, ...objects] of [
      ['objects'],
      ['objects', part],
      ['objects', signature, part],
      ['objects', part, encodeTlv(0x5f38, new Uint8Array(256))],
      ['lengths', encodeTlv(0x5f4e, new Uint8Array(296)), signature],
      ['lengths', encodeTlv(0x5f4e, new Uint8Array(298)), signature],
      ['lengths', part, encodeTlv(0x5f37, new Uint8Array(255))],
      ['lengths', part, encodeTlv(0x5f37, new Uint8Array(257))],
      ['key', part, signature],
    ] as const)
      expect(check({ cvCertificate: encodeTlv(0x7f21, ...objects) })).toMatchObject(refused(`CV certificate: ${step}`));
    expect(check({ cvCertificate: encodeTlv(0x7f22, part, signature) })).toMatchObject(
      refused('CV certificate: no 7F21'),
    );
    expect(check({ cvCertificate: encodeTlv(0x7f21, Uint8Array.of(0x5f)) })).toMatchObject(
      refused('CV certificate: structure'),
    );
  });

  test('bytes added to a TLV are refused', () => {
    for (const part of ['df22', 'df23', 'df24', 'hash2', 'hash3', 'df28'] as const)
      expect(check({ [part]: concatBytes(evidence[part], Uint8Array.of(0)) }).ok, part).toBe(false);
  });

  test('any one bit turned in any part is noticed', () => {
    const parts = ['df22', 'df23', 'df24', 'hash2', 'hash3', 'df28', 'cvCertificate'] as const;
    fc.assert(
      fc.property(fc.constantFrom(...parts), fc.nat(), fc.integer({ min: 0, max: 7 }), (part, position, bit) => {
        const at = position % evidence[part].length;
        expect(
          check({ [part]: evidence[part].map((byte, index) => (index === at ? byte ^ (1 << bit) : byte)) }).ok,
        ).toBe(false);
      }),
      { numRuns: 400 },
    );
  });
});

describe('the visual record as a file', () => {
  test('every truncation is refused, no bytes make it throw', () => {
    for (let length = 0; length < faceFile.length; length += 97)
      expect(readRecord(faceFile.slice(0, length)).ok).toBe(false);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void readRecord(concatBytes(fromAscii(''), bytes))),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (position, change) => {
        readRecord(faceFile.map((byte, index) => (index === position % 700 ? byte ^ change : byte)));
      }),
      { numRuns: 300 },
    );
  });

  test('a photo above 1024×1024, of two components or that is no JP2 is refused', () => {
    const sized = (change: (view: DataView) => void): Uint8Array => {
      const copy = photo.slice();
      change(new DataView(copy.buffer));
      return makeVisual(personaById('hanako'), authority, visualKey, copy, '20350217');
    };
    expect(jp2Size(photo)).toEqual({ width: 240, height: 320, components: 1 });
    for (const change of [
      (view: DataView) => view.setUint32(52, 1025),
      (view: DataView) => view.setUint32(48, 100_000),
      (view: DataView) => view.setUint32(48, 0),
      (view: DataView) => view.setUint16(56, 2),
      (view: DataView) => view.setUint32(4, 0),
    ])
      expect(readRecord(sized(change))).toMatchObject({ ok: false, failure: { code: 'card.photo-unreadable' } });
    expect(readRecord(sized((view) => view.setUint16(56, 3))).ok).toBe(true);
  });

  test('expired: a certificate that outlives its card is refused, to the day', () => {
    const end = (text: string): number => Date.parse(`${text}T23:59:59+09:00`);
    const df29 = { year: 2035, month: 2, day: 17 };
    expect(checkCardExpiry(end('2035-02-17'), df29)).toMatchObject({ ok: true });
    expect(checkCardExpiry(end('2035-02-18'), df29)).toMatchObject(refused('certificate outlives the card'));
  });
});

describe('presence proof', () => {
  const digest = new Uint8Array(32).fill(9);
  const sign = (key: KeyObject, of = digest) => signDigestInfo(key)(digestInfo(of));
  test('by the key of this card over this digest, nothing else', () => {
    const key = rsaPublicKeyOf(visualKey);
    const proof = (signature: Uint8Array) => checkPresenceProof(key, digest, signature, cardCryptography);
    expect(proof(sign(visualKey)).ok).toBe(true);
    for (const wrong of [
      sign(foreignKey),
      sign(visualKey, new Uint8Array(32)),
      flipped(sign(visualKey)),
      sign(visualKey).slice(1),
      new Uint8Array(),
    ])
      expect(proof(wrong)).toMatchObject({ ok: false, failure: { code: 'card.presence-proof-failed' } });
  });
});

describe('the same person at card and service', () => {
  test.each([
    ['1', '1', true],
    ['2', '2', true],
    ['9', '3', true],
    ['1', '2', false],
    ['2', '3', false],
    ['9', '1', false],
  ] as const)('sex %s on the card, %s at the service', (card, service, same) => {
    expect(checkSamePerson({ birthDate: '19800217', sex: card }, { birthDate: '19800217', sex: service }).ok).toBe(
      same,
    );
  });
  test('another birth date is a mismatch', () => {
    expect(checkSamePerson({ birthDate: '19800217', sex: '2' }, { birthDate: '19800218', sex: '2' })).toMatchObject({
      ok: false,
      failure: { code: 'card.identity-mismatch', actor: 'staff' },
    });
  });
});

describe('authCertificate', () => {
  let der: Uint8Array;
  const request = {
    serial: '5E57FFFF',
    commonName: 'TEST',
    notBeforeMs: Date.UTC(2024, 0, 1),
    notAfterMs: Date.UTC(2029, 0, 1),
  };
  const verdict = (bytes: Uint8Array) => {
    const certificate = parseCertificate(bytes);
    return certificate.ok ? checkAuthCertificate(certificate.value) : certificate;
  };
  beforeAll(async () => {
    der = await issueCardCertificate(authority, { ...request, key: foreignKey });
  });

  test('its fields', () => {
    expect(verdict(der)).toMatchObject({
      ok: true,
      value: {
        serial: '5E57FFFF',
        notBeforeMs: request.notBeforeMs,
        notAfterMs: request.notAfterMs,
        publicKey: { type: 'rsa', bits: 2048 },
        keyUsage: { critical: true, digitalSignature: true, keyCertSign: false },
        extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'],
      },
    });
  });

  test('wrong usage: the signing certificate', async () => {
    expect(
      verdict(await issueCardCertificate(authority, { ...request, key: foreignKey, forSigning: true })),
    ).toMatchObject({
      ok: false,
      failure: { code: 'card.certificate-invalid', detail: 'usage without clientAuth' },
    });
  });

  test('weak key: RSA of 1024 bits', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    expect(verdict(await issueCardCertificate(authority, { ...request, key: weak }))).toMatchObject({
      ok: false,
      failure: { code: 'card.certificate-invalid', detail: 'RSA key of 1024 bits' },
    });
  });

  test('every truncation and every added byte is refused, no change of a byte throws', () => {
    for (let length = 0; length < der.length; length++) expect(parseCertificate(der.slice(0, length)).ok).toBe(false);
    expect(parseCertificate(concatBytes(der, Uint8Array.of(0xff))).ok).toBe(false);
    for (let at = 0; at < der.length; at++)
      for (const change of [0x01, 0x80, 0xff]) verdict(der.map((byte, index) => (index === at ? byte ^ change : byte)));
  });

  test('generalised and two-digit years', async () => {
    const long = await issueCardCertificate(authority, {
      ...request,
      notAfterMs: Date.UTC(2061, 4, 6, 7, 8, 9),
      key: foreignKey,
    });
    expect(verdict(long)).toMatchObject({ ok: true, value: { notAfterMs: Date.UTC(2061, 4, 6, 7, 8, 9) } });
  });
});

test('a trust store that is none does not let the terminal start', () => {
  for (const text of ['', '{}', '[{}]', '[{"issuerId":"00","modulus":"00","exponent":"010001"}]'])
    expect(() => parseCvIssuers(text)).toThrow();
  expect(parseCvIssuers('[]')).toEqual([]);
});
