import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509CertificateGenerator } from '@peculiar/x509';
import { validFor } from './certificate-authority.ts';

const algorithm = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};

/**
 * Trust anchors for a facility that is being tried out: their private keys are thrown away, no card exists for them. The
 * test visit needs none; for whole visits the demo's own chain is given by --card-trust.
 */
export const makeTestCardTrust = async () => {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const { notBeforeMs, notAfterMs } = validFor(Date.now(), 1);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: `41${randomBytes(8).toString('hex')}`,
    name: 'C=JP, O=Uketsuke TEST, CN=TEST only no real cards',
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notAfterMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificateIssuersPem: certificate.toString('pem'), cvIssuersJson: '[]' };
};
