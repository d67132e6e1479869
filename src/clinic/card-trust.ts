import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { cardCryptography } from '../app/card-cryptography.ts';
import { fromBase64url, toBase64url } from '../protocol/base64url.ts';
import { equalBytes } from '../protocol/bytes.ts';
import { type Certificate, oids, parseCertificate } from '../protocol/certificate.ts';
import { sha256DigestInfo, verifyRsaSignature } from '../protocol/digest-info.ts';
import type { CvIssuer } from '../protocol/visual-ap.ts';
import { writeFileAtomically } from './facility-authority.ts';

/**
 * Whom the agent believes about cards, from two files of one directory:
 *   certificate-issuers.pem   CA certificates of 利用者証明用電子証明書, one after the other; generations share one DN
 *   visual-issuers.json       keys that sign the CV certificates of 券面事項確認 AP
 */
export type CardTrust = {
  readonly certificateIssuers: readonly Certificate[];
  readonly visualIssuers: readonly CvIssuer[];
};
export const cardTrustFiles = {
  certificateIssuers: 'certificate-issuers.pem',
  visualIssuers: 'visual-issuers.json',
} as const;

const bytes = z.string().transform((text, context) => {
  const value = fromBase64url(text);
  if (value !== null) return value;
  context.addIssue('base64url');
  return z.NEVER;
});
const visualIssuersSchema = z.array(z.strictObject({ issuerId: bytes, modulus: bytes, exponent: bytes }));

const pemBlock = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/** Throws on a file that is missing, empty or wrong: an agent without trust anchors would refuse every card. */
export const readCardTrust = async (directory: string): Promise<CardTrust> => {
  const pem = await readFile(join(directory, cardTrustFiles.certificateIssuers), 'utf8');
  const certificateIssuers = [...pem.matchAll(pemBlock)].map(([, base64 = '']) => {
    const parsed = parseCertificate(new Uint8Array(Buffer.from(base64, 'base64')));
    if (!parsed.ok) throw new Error(`${cardTrustFiles.certificateIssuers}: ${parsed.failure.detail}`);
    return parsed.value;
  });
  if (certificateIssuers.length === 0) throw new Error(`${cardTrustFiles.certificateIssuers}: no certificate`);
  const entries = visualIssuersSchema.parse(
    JSON.parse(await readFile(join(directory, cardTrustFiles.visualIssuers), 'utf8')),
  );
  return {
    certificateIssuers,
    visualIssuers: entries.map(({ issuerId, modulus, exponent }) => ({ issuerId, key: { modulus, exponent } })),
  };
};

/** For a demo's or a test's own CA; the real anchors come from J-LIS. `certificateIssuers` in DER. */
export const writeCardTrust = async (
  directory: string,
  trust: { readonly certificateIssuers: readonly Uint8Array[]; readonly visualIssuers: readonly CvIssuer[] },
): Promise<void> => {
  const pem = trust.certificateIssuers.map((der) => {
    const lines =
      Buffer.from(der)
        .toString('base64')
        .match(/.{1,64}/g) ?? [];
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  });
  const visual = trust.visualIssuers.map(({ issuerId, key }) => ({
    issuerId: toBase64url(issuerId),
    modulus: toBase64url(key.modulus),
    exponent: toBase64url(key.exponent),
  }));
  await writeFileAtomically(join(directory, cardTrustFiles.certificateIssuers), pem.join(''));
  await writeFileAtomically(join(directory, cardTrustFiles.visualIssuers), `${JSON.stringify(visual, null, 2)}\n`);
};

/**
 * The issuer whose key made the certificate's signature. All generations of the JPKI CA share one DN, so the name
 * narrows the choice and the signature decides. A CA counts while it is valid, with keyCertSign, RSA ≥ 2048, SHA-256.
 */
export const issuerOf = (leaf: Certificate, issuers: readonly Certificate[]): Certificate | null =>
  issuers.find((issuer) => {
    const { publicKey, keyUsage } = issuer;
    if (!equalBytes(issuer.subject, leaf.issuer) || keyUsage?.keyCertSign !== true) return false;
    if (publicKey.type !== 'rsa' || publicKey.bits < 2048 || leaf.signatureAlgorithm !== oids.sha256WithRsa)
      return false;
    if (leaf.notBeforeMs < issuer.notBeforeMs || leaf.notBeforeMs > issuer.notAfterMs) return false;
    const signed = sha256DigestInfo(cardCryptography.sha256(leaf.tbs));
    return verifyRsaSignature(cardCryptography, publicKey.key, signed, leaf.signature);
  }) ?? null;
