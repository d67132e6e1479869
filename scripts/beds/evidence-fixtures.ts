import { createHash, type KeyObject } from 'node:crypto';
import {
  cachedRsaKey,
  issueCardCertificate,
  rsaPublicKeyOf,
  signDigestInfo,
  type TestAuthority,
} from '../../drivers/virtual/test-authority.ts';
import { ok } from '../../src/core/result.ts';
import type { VisualEvidence } from '../../src/core/visit/identity.ts';
import { concatBytes, fromAscii } from '../../src/protocol/bytes.ts';
import { digestInfo, sha256DigestInfo } from '../../src/protocol/card/digest-info.ts';
import { encodeTlv } from '../../src/protocol/card/tlv.ts';
import { encodeCardPublicKey, visualTags } from '../../src/protocol/card/visual-ap.ts';
import type { CardEvidence } from '../../src/terminal/delivery/sign-request.ts';
import { authority } from './test-cards.ts';

const keyFolder = new URL('../../.cache/virtual-card-keys/', import.meta.url).pathname;
const yearMs = 365.25 * 24 * 3_600_000;
const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());

/** Keys of one card that exists only here. */
export const cardKeys = async () => ({
  auth: await cachedRsaKey(`${keyFolder}evidence-auth.pem`),
  visual: await cachedRsaKey(`${keyFolder}evidence-visual.pem`),
  stranger: await cachedRsaKey(`${keyFolder}evidence-stranger.pem`),
});

export const certificateFor = (
  key: KeyObject,
  nowMs: number,
  more: Partial<Parameters<typeof issueCardCertificate>[1]> = {},
  by: TestAuthority = authority,
): Promise<Uint8Array> =>
  issueCardCertificate(by, {
    serial: '0a0b0c0d',
    commonName: 'UKETSUKETEST00000000001',
    notBeforeMs: nowMs - yearMs,
    notAfterMs: nowMs + 3 * yearMs,
    key,
    ...more,
  });

/** What a visual record says without its photo. `signer` makes DF28. */
export const visualEvidence = (
  visualKey: KeyObject,
  { signer = authority.visualSigningKey, birthDate = '19800217', sex = '1' } = {},
): VisualEvidence => {
  const df22 = encodeTlv(visualTags.birthDate, fromAscii(birthDate));
  const df23 = encodeTlv(visualTags.sex, fromAscii(sex));
  const df24 = encodeTlv(visualTags.publicKey, encodeCardPublicKey(rsaPublicKeyOf(visualKey)));
  const hash2 = sha256(fromAscii('name and address as pictures'));
  const hash3 = sha256(fromAscii('the photo'));
  const df28 = signDigestInfo(signer)(digestInfo(concatBytes(sha256(concatBytes(df22, df23, df24)), hash2, hash3)));
  return { df22, df23, df24, hash2, hash3, df28, cvCertificate: authority.cvCertificate };
};

/** RSASSA-PKCS1-v1_5 over a SHA-256, as the chip makes it. */
export const cardSigner = (key: KeyObject) => async (digest: Uint8Array) =>
  ok(signDigestInfo(key)(sha256DigestInfo(digest)));

export const pinCard = (authCertificate: Uint8Array, key: KeyObject): CardEvidence => ({
  method: 'pin',
  authCertificate,
  sign: cardSigner(key),
});
export const faceCard = (visual: VisualEvidence, key: KeyObject): CardEvidence => ({
  method: 'face',
  visual,
  sign: cardSigner(key),
});
