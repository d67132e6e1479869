import { X509Certificate } from 'node:crypto';
import { dateError, type KnownTime } from './server-chain.ts';

// id-kp-clientAuth
const clientAuth = '1.3.6.1.5.5.7.3.2';

/** The only name in a certificate of ours. */
export const commonNameOf = (certificate: X509Certificate): string | null =>
  /^CN=(.+)$/m.exec(certificate.subject)?.[1] ?? null;

export const certificateOf = (pem: string): X509Certificate | null => {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
};

/**
 * Whether the chain of a client (end first) leads to one of the facility's authorities, by the time as it is known.
 * @returns null = it does; else a word as OpenSSL's
 */
export const clientChainError = (
  [leaf, ...above]: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  time: KnownTime,
): string | null => {
  if (leaf === undefined) return 'UNABLE_TO_GET_ISSUER_CERT';
  if (leaf.ca || !(leaf.keyUsage ?? []).includes(clientAuth)) return 'INVALID_PURPOSE';
  let certificate = leaf;
  for (const issuer of [...above, null]) {
    const wrongDate = dateError(certificate, time);
    if (wrongDate !== null) return wrongDate;
    const child = certificate;
    const authority = authorities.find((each) => each.ca && child.checkIssued(each) && child.verify(each.publicKey));
    if (authority !== undefined) return dateError(authority, time);
    if (issuer === null) break;
    if (!issuer.ca || !child.checkIssued(issuer) || !child.verify(issuer.publicKey)) return 'INVALID_CA';
    certificate = issuer;
  }
  return 'UNABLE_TO_GET_ISSUER_CERT';
};
