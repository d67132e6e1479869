import { concatBytes, equalBytes } from '../bytes.ts';

/** RSASSA-PKCS1-v1_5 (RFC 8017, 8.2 and 9.2), the part that needs no cryptography. */

const sha256Algorithm = [0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00];

/** DigestInfo naming SHA-256 over an octet string that need not be one hash long: DF28 carries three of them (96 bytes). Throws on more. */
export const digestInfo = (octets: Uint8Array): Uint8Array => {
  if (octets.length > 96) throw new RangeError('DigestInfo of up to 96 bytes');
  return concatBytes(
    Uint8Array.of(0x30, sha256Algorithm.length + 2 + octets.length, ...sha256Algorithm, 0x04, octets.length),
    octets,
  );
};

/** Throws on anything but 32 bytes. */
export const sha256DigestInfo = (sha256: Uint8Array): Uint8Array => {
  if (sha256.length !== 32) throw new RangeError('a SHA-256 has 32 bytes');
  return digestInfo(sha256);
};

/** EMSA-PKCS1-v1_5: 00 01 FF … FF 00 ‖ DigestInfo, as long as the key. Verifying means building this and comparing whole. */
export const encodedMessage = (info: Uint8Array, keyLength: number): Uint8Array | null => {
  const padding = keyLength - info.length - 3;
  if (padding < 8) return null;
  return concatBytes(Uint8Array.of(0x00, 0x01), new Uint8Array(padding).fill(0xff), Uint8Array.of(0x00), info);
};

export type RsaPublicKey = { readonly modulus: Uint8Array; readonly exponent: Uint8Array };

/** What the pure checks need of cryptography, passed in: `rsaPublic` is signature^e mod n, as long as the modulus, or null. */
export type CardCryptography = {
  readonly sha256: (bytes: Uint8Array) => Uint8Array;
  readonly rsaPublic: (key: RsaPublicKey, signature: Uint8Array) => Uint8Array | null;
};

/** True when `signature` is the key's over `info`. A signature of another length than the key is refused. */
export const verifyRsaSignature = (
  cryptography: CardCryptography,
  key: RsaPublicKey,
  info: Uint8Array,
  signature: Uint8Array,
): boolean => {
  if (signature.length !== key.modulus.length) return false;
  const expected = encodedMessage(info, key.modulus.length);
  const opened = cryptography.rsaPublic(key, signature);
  return expected !== null && opened !== null && equalBytes(opened, expected);
};
