import { constants, createHash, createPublicKey, publicDecrypt } from 'node:crypto';
import type { CardCryptography } from '../protocol/digest-info.ts';

/** The two primitives that the pure card checks take from outside, by OpenSSL. */
export const cardCryptography: CardCryptography = {
  sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
  rsaPublic: (key, signature) => {
    try {
      const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
      const publicKey = createPublicKey({
        key: { kty: 'RSA', n: base64url(key.modulus), e: base64url(key.exponent) },
        format: 'jwk',
      });
      return new Uint8Array(publicDecrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, signature));
    } catch {
      // A key or a signature that OpenSSL will not touch (even modulus, value above the modulus) verifies nothing.
      return null;
    }
  },
};
