import { constants, createPublicKey, hash, type KeyObject, publicDecrypt } from 'node:crypto';
import type { CardCryptography, RsaPublicKey } from '../protocol/card/digest-info.ts';

/** Issuers' keys come back with every card: OpenSSL's form of one is made once. */
const made = new WeakMap<RsaPublicKey, KeyObject>();
const keyObject = (key: RsaPublicKey): KeyObject => {
  const known = made.get(key);
  if (known !== undefined) return known;
  const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  const jwk = { kty: 'RSA', n: base64url(key.modulus), e: base64url(key.exponent) };
  const object = createPublicKey({ key: jwk, format: 'jwk' });
  made.set(key, object);
  return object;
};

/** The two primitives that the pure card checks take from outside, by OpenSSL. */
export const cardCryptography: CardCryptography = {
  sha256: (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')),
  rsaPublic: (key, signature) => {
    try {
      return new Uint8Array(publicDecrypt({ key: keyObject(key), padding: constants.RSA_NO_PADDING }, signature));
    } catch {
      // A key or a signature that OpenSSL will not touch (even modulus, value above the modulus) verifies nothing.
      return null;
    }
  },
};
