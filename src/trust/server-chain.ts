import { X509Certificate } from 'node:crypto';
import type { TrustedTime } from '../core/trusted-time.ts';

/** Certificates above the leaf that are looked at; the facility has one authority and at most one issuer below it. */
const longestChain = 4;

/** The words of OpenSSL for a certificate that is refused by its dates alone. */
export const refusedByDate: ReadonlySet<string> = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED']);

/** PEM file with one or several certificates. */
export const certificatesOf = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map(
    (text) => new X509Certificate(text),
  );

export type KnownTime = Pick<TrustedTime, 'wallMs' | 'floorMs' | 'certainty'>;

/** By what is known of the time: the last day counts whenever that day is surely over, the first only where it is sure. */
export const dateError = (certificate: X509Certificate, { wallMs, floorMs, certainty }: KnownTime): string | null => {
  if ((certainty === 'confirmed' ? wallMs : floorMs) > certificate.validToDate.getTime()) return 'CERT_HAS_EXPIRED';
  if (certainty === 'confirmed' && wallMs < certificate.validFromDate.getTime()) return 'CERT_NOT_YET_VALID';
  return null;
};

/**
 * A server's chain against the facility's authority, by a time of our own: OpenSSL knows only the machine's clock, and a
 * terminal whose clock stands at its build date would refuse a broker that was set up later, and with it the one who can
 * tell it the time. Signatures, authority and purpose are checked as strictly as OpenSSL checks them; the name is the
 * caller's (`checkServerIdentity`).
 * @returns null = trusted; else a word as OpenSSL's
 */
export const serverChainError = (
  leaf: X509Certificate,
  authorities: readonly X509Certificate[],
  time: KnownTime,
): string | null => {
  // id-kp-serverAuth
  if (leaf.ca || !(leaf.keyUsage ?? []).includes('1.3.6.1.5.5.7.3.1')) return 'INVALID_PURPOSE';
  let certificate = leaf;
  for (let height = 0; height < longestChain; height += 1) {
    const wrongDate = dateError(certificate, time);
    if (wrongDate !== null) return wrongDate;
    const child = certificate;
    const authority = authorities.find((each) => child.checkIssued(each) && child.verify(each.publicKey));
    if (authority !== undefined) return authority.ca ? dateError(authority, time) : 'INVALID_CA';
    const issuer = child.issuerCertificate;
    if (issuer === undefined || issuer.fingerprint256 === child.fingerprint256) return 'UNABLE_TO_GET_ISSUER_CERT';
    if (!issuer.ca || !child.checkIssued(issuer) || !child.verify(issuer.publicKey)) return 'INVALID_CA';
    certificate = issuer;
  }
  return 'CERT_CHAIN_TOO_LONG';
};
