import 'reflect-metadata';
import { createPublicKey, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { hourMs } from '../../core/time-units.ts';

/** The facility's own CA for mutual TLS inside the clinic: ECDSA P-256 throughout. It has nothing to do with the cards' CA. */
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
/** A year with its share of a leap day: certificates are given for whole ones. ms */
export const yearMs = 365.25 * 24 * hourMs;

export type IssuedFiles = { readonly key: string; readonly certificate: string; readonly serial: string };
type Validity = { readonly notBeforeMs: number; readonly notAfterMs: number };

/** A clock that is an hour slow still accepts what was made just now. */
export const validFor = (nowMs: number, years: number): Validity => ({
  notBeforeMs: nowMs - hourMs,
  notAfterMs: nowMs + years * yearMs,
});

const serial = (): string => {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
};

const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

const privatePem = async (key: webcrypto.CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');

const importPrivatePem = async (pem: string) => {
  const [bytes] = x509.PemConverter.decode(pem);
  if (bytes === undefined) throw new Error('no private key in the PEM file');
  return webcrypto.subtle.importKey('pkcs8', bytes, algorithm, true, ['sign']);
};

export const createAuthority = async (
  commonName: string,
  { notBeforeMs, notAfterMs }: Validity,
): Promise<IssuedFiles> => {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: [{ CN: [commonName] }],
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notAfterMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    key: await privatePem(keys.privateKey),
    certificate: certificate.toString('pem'),
    serial: certificate.serialNumber,
  };
};

/** The same authority (name, key, end), with room for issuers below it; its own certificate where it has that already. */
export const allowingIssuers = async ({
  key,
  certificate: pem,
}: Pick<IssuedFiles, 'key' | 'certificate'>): Promise<string> => {
  const before = new x509.X509Certificate(pem);
  const limit = before.getExtension(x509.BasicConstraintsExtension)?.pathLength;
  if (limit === undefined || limit > 0) return pem;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: before.subjectName,
    notBefore: before.notBefore,
    notAfter: before.notAfter,
    signingAlgorithm: algorithm,
    keys: { privateKey: await importPrivatePem(key), publicKey: await before.publicKey.export() },
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(before.publicKey),
    ],
  });
  return certificate.toString('pem');
};

const pairOf = async (pem: string) => {
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  const publicKey = await webcrypto.subtle.importKey('spki', new Uint8Array(spki), algorithm, true, ['verify']);
  return { privateKey: await importPrivatePem(pem), publicKey };
};

/**
 * An authority below the facility's own: it may make clients and servers, and no further authority. `key`: it had one
 * before, and what that has signed stays good.
 */
export const issueIssuer = async (
  authority: Pick<IssuedFiles, 'key' | 'certificate'>,
  commonName: string,
  { notBeforeMs, notAfterMs, key }: Validity & { readonly key: string | null },
): Promise<IssuedFiles> => {
  const above = new x509.X509Certificate(authority.certificate);
  const keys = key === null ? await newKeys() : await pairOf(key);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [commonName] }],
    issuer: above.subjectName,
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notAfterMs),
    publicKey: keys.publicKey,
    signingKey: await importPrivatePem(authority.key),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(above),
    ],
  });
  return {
    key: await privatePem(keys.privateKey),
    certificate: certificate.toString('pem'),
    serial: certificate.serialNumber,
  };
};

/** A client's certificate for a public key (SPKI, DER, base64) that is not ours. */
export const certify = async (
  authority: Pick<IssuedFiles, 'key' | 'certificate'>,
  leaf: { readonly commonName: string; readonly publicKey: string } & Validity,
): Promise<Omit<IssuedFiles, 'key'>> => {
  const issuer = new x509.X509Certificate(authority.certificate);
  const spki = Buffer.from(leaf.publicKey, 'base64');
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [leaf.commonName] }],
    issuer: issuer.subjectName,
    notBefore: new Date(leaf.notBeforeMs),
    notAfter: new Date(leaf.notAfterMs),
    publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    signingKey: await importPrivatePem(authority.key),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([clientAuth], true),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { certificate: certificate.toString('pem'), serial: certificate.serialNumber };
};

/**
 * A leaf: a client (device, agent; CN = its id, which the brokers' ACL goes by) or a server (`names`: DNS names and IP
 * addresses, RFC 6125: the CN of a server counts for nothing).
 */
export const issueCertificate = async (
  authority: Pick<IssuedFiles, 'key' | 'certificate'>,
  leaf: { readonly commonName: string; readonly names?: readonly string[] } & Validity,
): Promise<IssuedFiles> => {
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = await newKeys();
  const isServer = leaf.names !== undefined;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [leaf.commonName] }],
    issuer: issuer.subjectName,
    notBefore: new Date(leaf.notBeforeMs),
    notAfter: new Date(leaf.notAfterMs),
    publicKey: keys.publicKey,
    signingKey: await importPrivatePem(authority.key),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([isServer ? serverAuth : clientAuth], true),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(leaf.names
        ? [
            new x509.SubjectAlternativeNameExtension(
              leaf.names.map((name) => ({
                type: /^[\d.]+$|:/.test(name) ? ('ip' as const) : ('dns' as const),
                value: name,
              })),
            ),
          ]
        : []),
    ],
  });
  return {
    key: await privatePem(keys.privateKey),
    certificate: certificate.toString('pem'),
    serial: certificate.serialNumber,
  };
};

/** Certificate revocation list, PEM; brokers read it at start. */
export const issueRevocationList = async (
  authority: Pick<IssuedFiles, 'key' | 'certificate'>,
  serials: readonly string[],
  { notBeforeMs, notAfterMs }: Validity,
): Promise<string> => {
  const list = await x509.X509CrlGenerator.create({
    issuer: new x509.X509Certificate(authority.certificate).subjectName,
    thisUpdate: new Date(notBeforeMs),
    nextUpdate: new Date(notAfterMs),
    signingAlgorithm: algorithm,
    signingKey: await importPrivatePem(authority.key),
    entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date(notBeforeMs) })),
  });
  return x509.PemConverter.encode(list.rawData, 'X509 CRL');
};
