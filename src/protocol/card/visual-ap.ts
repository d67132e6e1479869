import { failure } from '../../core/failure.ts';
import { endOfJapanDay, type JapanDate, parseJapanDate } from '../../core/japan-time.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { VisualEvidence } from '../../core/visit/identity.ts';
import { concatBytes, equalBytes, toAscii } from '../bytes.ts';
import {
  type CardCryptography,
  digestInfo,
  type RsaPublicKey,
  sha256DigestInfo,
  verifyRsaSignature,
} from './digest-info.ts';
import { encodeTlv, readTlv, readTlvs, type Tlv } from './tlv.ts';

/** EF 0002 of 券面事項確認 AP: FF20 with DF21 … DF2A. Tags mean something else in 券面事項入力補助 AP. */
export const visualTags = {
  record: 0xff20,
  offsets: 0xdf21,
  birthDate: 0xdf22,
  sex: 0xdf23,
  publicKey: 0xdf24,
  nameImage: 0xdf25,
  addressImage: 0xdf26,
  photo: 0xdf27,
  signature: 0xdf28,
  expiryDate: 0xdf29,
  securityCodeImage: 0xdf2a,
} as const;

/** The parsed visual record. `photoJp2` is empty on a card without a photo. */
type Visual = {
  readonly birthDate: string;
  readonly sex: CardSex;
  readonly publicKey: RsaPublicKey;
  readonly photoJp2: Uint8Array;
  readonly expiryDate: JapanDate;
  readonly evidence: VisualEvidence;
};

/** ISO/IEC 5218 as the card has it. The national service counts 1 male, 2 female, 3 unknown. */
type CardSex = '1' | '2' | '9';

const unreadable = (detail: string) => err(failure('card.photo-unreadable', detail));

/** 90 = exponent, 91 = modulus. */
const readCardPublicKey = (value: Uint8Array): Result<RsaPublicKey> => {
  const parts = readTlvs(value);
  if (!parts.ok) return unreadable('public key');
  const [exponent, modulus] = parts.value;
  if (exponent?.tag !== 0x90 || modulus?.tag !== 0x91 || parts.value.length !== 2) return unreadable('public key');
  const [leading = 0] = modulus.value;
  if (modulus.value.length !== 256 || leading < 0x80) return unreadable('public key is not RSA-2048');
  if (exponent.value.length < 1 || exponent.value.length > 4) return unreadable('public exponent');
  return ok({ modulus: modulus.value, exponent: exponent.value });
};

export const encodeCardPublicKey = (key: RsaPublicKey): Uint8Array =>
  concatBytes(encodeTlv(0x90, key.exponent), encodeTlv(0x91, key.modulus));

/** Size of the photo from the ihdr box of a JP2 (ISO/IEC 15444-1, annex I); null when it is no JP2. */
export const jp2Size = (jp2: Uint8Array): { width: number; height: number; components: number } | null => {
  const view = new DataView(jp2.buffer, jp2.byteOffset, jp2.byteLength);
  if (jp2.length < 62 || view.getUint32(4) !== 0x6a502020 || view.getUint32(0) !== 12) return null;
  // The ihdr box is the first one of jp2h, which follows ftyp; ftyp's own length may vary.
  const ftypLength = view.getUint32(12);
  const ihdr = 12 + ftypLength + 8;
  if (ftypLength < 16 || ihdr + 22 > jp2.length || view.getUint32(ihdr + 4) !== 0x69686472) return null;
  return { height: view.getUint32(ihdr + 8), width: view.getUint32(ihdr + 12), components: view.getUint16(ihdr + 16) };
};

const photoLimit = 1024;

const checkPhoto = (jp2: Uint8Array): Result<void> => {
  if (jp2.length === 0) return ok(undefined);
  const size = jp2Size(jp2);
  if (size === null) return unreadable('photo is no JP2');
  const { width, height, components } = size;
  if (width < 16 || height < 16 || width > photoLimit || height > photoLimit)
    return unreadable(`photo of ${width}×${height}`);
  return components === 1 || components === 3 ? ok(undefined) : unreadable(`photo with ${components} components`);
};

/**
 * Parses FF20 and reduces it to what the face path needs. The hashes follow DF28: SHA-256(DF25‖DF26) and SHA-256(DF27)
 * over whole TLVs. Nothing is verified here: `checkVisualEvidence` does that. Of the copies that are made on the way
 * nothing stays but what is handed out; `bytes` are their owner's to overwrite.
 * Failure: `card.photo-unreadable`.
 */
export const parseVisual = (
  bytes: Uint8Array,
  cvCertificate: Uint8Array,
  sha256: CardCryptography['sha256'],
): Result<Visual> => {
  const whole = readTlv(bytes);
  if (!whole.ok) return unreadable('no FF20');
  const parts = readTlvs(whole.value.value);
  const read =
    whole.value.tag !== visualTags.record
      ? unreadable('no FF20')
      : parts.ok
        ? readVisualObjects(parts.value, cvCertificate, sha256)
        : unreadable('FF20 structure');
  const kept = new Set(read.ok ? [read.value.photoJp2, ...Object.values(read.value.evidence)] : []);
  for (const { value, raw } of [whole.value, ...(parts.ok ? parts.value : [])])
    for (const copy of [value, raw]) if (!kept.has(copy)) copy.fill(0);
  return read;
};

const readVisualObjects = (
  objects: readonly Tlv[],
  cvCertificate: Uint8Array,
  sha256: CardCryptography['sha256'],
): Result<Visual> => {
  const byTag = new Map<number, Tlv>();
  for (const part of objects) {
    if (byTag.has(part.tag)) return unreadable('object twice in FF20');
    byTag.set(part.tag, part);
  }
  const { birthDate: df22, sex: df23, publicKey: df24, nameImage: df25, addressImage: df26 } = visualTags;
  const [birth, sex, key, name, address] = [df22, df23, df24, df25, df26].map((tag) => byTag.get(tag));
  const photo = byTag.get(visualTags.photo);
  const signature = byTag.get(visualTags.signature);
  const expiry = byTag.get(visualTags.expiryDate);
  if (!birth || !sex || !key || !name || !address || !photo || !signature || !expiry)
    return unreadable('object missing in FF20');

  const publicKey = readCardPublicKey(key.value);
  if (!publicKey.ok) return publicKey;
  const photoCheck = checkPhoto(photo.value);
  if (!photoCheck.ok) return photoCheck;
  const sexCode = toAscii(sex.value);
  if (sexCode !== '1' && sexCode !== '2' && sexCode !== '9') return unreadable('sex');
  const birthDate = toAscii(birth.value);
  if (!/^\d{8}$/.test(birthDate)) return unreadable('birth date');
  const expiryDate = parseJapanDate(toAscii(expiry.value));
  if (expiryDate === null) return unreadable('expiry date');
  if (signature.value.length !== 256) return unreadable('signature of the visual record');
  const pictures = concatBytes(name.raw, address.raw);
  const hash2 = sha256(pictures);
  pictures.fill(0);
  return ok({
    birthDate,
    sex: sexCode,
    publicKey: publicKey.value,
    photoJp2: photo.value,
    expiryDate,
    evidence: {
      df22: birth.raw,
      df23: sex.raw,
      df24: key.raw,
      hash2,
      hash3: sha256(photo.raw),
      df28: signature.value,
      cvCertificate,
    },
  });
};

/** EF 0004: a card-verifiable certificate of 5F4E (issuer id 16 ‖ subject id 16 ‖ key 265) and 5F37. Whose it is is not asked. */
type CvCertificate = {
  readonly issuerId: Uint8Array;
  readonly key: RsaPublicKey;
  readonly signedPart: Uint8Array;
  readonly signature: Uint8Array;
};

const proofFailed = (detail: string) => err(failure('card.visual-proof-failed', detail));

/** Whatever stands behind the object (padding) is left alone. */
const readCvCertificate = (bytes: Uint8Array): Result<CvCertificate> => {
  const whole = readTlv(bytes);
  if (!whole.ok || whole.value.tag !== 0x7f21) return proofFailed('CV certificate: no 7F21');
  const parts = readTlvs(whole.value.value);
  if (!parts.ok) return proofFailed('CV certificate: structure');
  const [body, signature] = parts.value;
  if (body?.tag !== 0x5f4e || signature?.tag !== 0x5f37) return proofFailed('CV certificate: objects');
  if (body.value.length !== 297 || signature.value.length !== 256) return proofFailed('CV certificate: lengths');
  const key = readCardPublicKey(body.value.slice(32));
  if (!key.ok) return proofFailed('CV certificate: key');
  return ok({
    issuerId: body.value.slice(0, 16),
    key: key.value,
    signedPart: body.value,
    signature: signature.value,
  });
};

/** A key that may sign CV certificates: the configured trust store is a list of these. */
export type CvIssuer = { readonly issuerId: Uint8Array; readonly key: RsaPublicKey };

/** What the evidence says once it is proven. */
export type ProvenVisual = {
  readonly birthDate: string;
  readonly sex: CardSex;
  readonly publicKey: RsaPublicKey;
};

const onlyTlv = (raw: Uint8Array, tag: number): Uint8Array | null => {
  const object = readTlv(raw);
  return object.ok && object.value.tag === tag && equalBytes(object.value.raw, raw) ? object.value.value : null;
};

/**
 * The passive proof, the same at the terminal and at the agent, from TLVs and hashes alone: CV certificate by a trusted
 * issuer, DF28 by the certificate's key over the three hashes; hash 1 is computed here. Whether 5F37 is PKCS#1 v1.5
 * with SHA-256 over the value of 5F4E is not public: that is this project's reading of it, for real cards to confirm.
 * Failure: `card.visual-proof-failed`, the detail names the step.
 */
export const checkVisualEvidence = (
  evidence: VisualEvidence,
  trustedIssuers: readonly CvIssuer[],
  cryptography: CardCryptography,
): Result<ProvenVisual> => {
  const birthDate = onlyTlv(evidence.df22, visualTags.birthDate);
  const sex = onlyTlv(evidence.df23, visualTags.sex);
  const keyValue = onlyTlv(evidence.df24, visualTags.publicKey);
  if (birthDate === null || sex === null || keyValue === null) return proofFailed('DF22, DF23 or DF24 malformed');
  if (evidence.hash2.length !== 32 || evidence.hash3.length !== 32) return proofFailed('hash length');
  const sexCode = toAscii(sex);
  if (sexCode !== '1' && sexCode !== '2' && sexCode !== '9') return proofFailed('sex');
  const publicKey = readCardPublicKey(keyValue);
  if (!publicKey.ok) return proofFailed('DF24 malformed');

  const certificate = readCvCertificate(evidence.cvCertificate);
  if (!certificate.ok) return certificate;
  const { issuerId, signedPart, signature, key } = certificate.value;
  const issuers = trustedIssuers.filter((issuer) => equalBytes(issuer.issuerId, issuerId));
  if (issuers.length === 0) return proofFailed('CV issuer not trusted');
  const certificateInfo = sha256DigestInfo(cryptography.sha256(signedPart));
  if (!issuers.some((issuer) => verifyRsaSignature(cryptography, issuer.key, certificateInfo, signature)))
    return proofFailed('CV certificate signature');

  const hash1 = cryptography.sha256(concatBytes(evidence.df22, evidence.df23, evidence.df24));
  const faceInfo = digestInfo(concatBytes(hash1, evidence.hash2, evidence.hash3));
  if (!verifyRsaSignature(cryptography, key, faceInfo, evidence.df28)) return proofFailed('DF28 signature');
  return ok({ birthDate: toAscii(birthDate), sex: sexCode, publicKey: publicKey.value });
};

/** The card-presence proof: the DF24 key's signature over the SHA-256 of what the verifier's challenge is part of. */
export const checkPresenceProof = (
  publicKey: RsaPublicKey,
  sha256OfSigned: Uint8Array,
  signature: Uint8Array,
  cryptography: CardCryptography,
): Result<void> =>
  verifyRsaSignature(cryptography, publicKey, sha256DigestInfo(sha256OfSigned), signature)
    ? ok(undefined)
    : err(failure('card.presence-proof-failed', 'signature'));

/** The authCertificate never outlives its card: notAfter lies on or before the day of DF29 (which is not signed). */
export const checkCardExpiry = (certificateNotAfterMs: number, expiryDate: JapanDate): Result<void> =>
  certificateNotAfterMs <= endOfJapanDay(expiryDate) ? ok(undefined) : proofFailed('certificate outlives the card');

/**
 * The signed 券面 against the national service's answer: birth date yyyyMMdd and sex, the card's 9 being the service's 3
 * (ISO/IEC 5218 against the service's own code). A mismatch may be another person's certificate behind this face: staff decides.
 */
export const checkSamePerson = (
  visual: { readonly birthDate: string; readonly sex: CardSex },
  service: { readonly birthDate: string; readonly sex: '1' | '2' | '3' },
): Result<void> => {
  const cardSex = visual.sex === '9' ? '3' : visual.sex;
  if (visual.birthDate !== service.birthDate) return err(failure('card.identity-mismatch', 'birth date'));
  return cardSex === service.sex ? ok(undefined) : err(failure('card.identity-mismatch', 'sex'));
};
