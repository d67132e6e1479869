import 'reflect-metadata';
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, privateEncrypt } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import {
  BasicConstraintsExtension,
  CertificatePolicyExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { dayMs } from '../../src/core/time-units.ts';
import { concatBytes, fromAscii, toHex } from '../../src/protocol/bytes.ts';
import { oids } from '../../src/protocol/card/certificate.ts';
import { type RsaPublicKey, sha256DigestInfo } from '../../src/protocol/card/digest-info.ts';
import { encodeTlv } from '../../src/protocol/card/tlv.ts';
import { encodeCardPublicKey } from '../../src/protocol/card/visual-ap.ts';
import { makeFolderSync } from '../../src/storage/make-folder.ts';
import { cardCryptography } from '../../src/trust/card-cryptography.ts';

/**
 * A stand-in for J-LIS: a certificate authority for 利用者証明用 certificates and the keys behind the visual record. Every
 * name in it says that it is a test. Private keys are files of the directory it was made in and go nowhere else.
 */
export type TestAuthority = {
  /** Goes into the agent's trust store. */
  readonly caCertificatePem: string;
  /** JSON for `parseCvIssuers`: the trust store of the passive proof. */
  readonly cvIssuersJson: string;
  readonly caKey: KeyObject;
  /** Signs visual records (DF28); its public half is in the CV certificate. */
  readonly visualSigningKey: KeyObject;
  /** 7F21, as EF 0004 holds it. */
  readonly cvCertificate: Uint8Array;
};

const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const;
const makePair = promisify(generateKeyPair);

/**
 * The authority's own certificate: older than any card made for a simulated day, and in force for 20 years from now, to a
 * midnight: an instant stands in it in digits, and one made at 11:23:45 held 1234, which is the PIN of its cards.
 */
const authorityBegan = new Date('2010-01-01');
const authorityEnds = (): Date => new Date((Math.floor(Date.now() / dayMs) + 20 * 365.25) * dayMs);

export const makeRsaKey = async (): Promise<KeyObject> => (await makePair('rsa', { modulusLength: 2048 })).privateKey;

/** A key kept as a PEM file, so that it is made once: two seconds of RSA for a wallet of cards are too many at each start. */
export const cachedRsaKey = async (path: string): Promise<KeyObject> => {
  if (existsSync(path)) return createPrivateKey(readFileSync(path));
  const key = await makeRsaKey();
  const unfinished = `${path}.${process.pid}`;
  makeFolderSync(dirname(path));
  writeFileSync(unfinished, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  renameSync(unfinished, path);
  return createPrivateKey(readFileSync(path));
};

/** Throws on a key that is not RSA. */
export const rsaPublicKeyOf = (key: KeyObject): RsaPublicKey => {
  const { n, e } = createPublicKey(key).export({ format: 'jwk' });
  if (n === undefined || e === undefined) throw new Error('not an RSA key');
  return {
    modulus: new Uint8Array(Buffer.from(n, 'base64url')),
    exponent: new Uint8Array(Buffer.from(e, 'base64url')),
  };
};

/** PKCS#1 v1.5 signature over a DigestInfo given whole, as the chip makes it. */
export const signDigestInfo =
  (key: KeyObject) =>
  (digestInfo: Uint8Array): Uint8Array =>
    new Uint8Array(privateEncrypt(key, digestInfo));

const issuerName = 'C=JP, O=UKETSUKE TEST - NOT A REAL CARD, OU=Test issuer for user authentication';

const makeCaCertificate = async (caKey: KeyObject): Promise<string> => {
  const certificate = await X509CertificateGenerator.create({
    serialNumber: '01',
    subject: issuerName,
    issuer: issuerName,
    notBefore: authorityBegan,
    notAfter: authorityEnds(),
    signingAlgorithm: algorithm,
    publicKey: createPublicKey(caKey).toCryptoKey(algorithm, true, ['verify']),
    signingKey: caKey.toCryptoKey(algorithm, true, ['sign']),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return certificate.toString('pem');
};

const issuerId = fromAscii('UKETSUKE-TEST-01');
const visualSignerId = fromAscii('UKETSUKE-TEST-02');

/** 5F37's algorithm is not public: PKCS#1 v1.5 with SHA-256 over the value of 5F4E is our choice. */
export const makeCvCertificate = (issuerKey: KeyObject, subjectKey: KeyObject): Uint8Array => {
  const body = concatBytes(issuerId, visualSignerId, encodeCardPublicKey(rsaPublicKeyOf(subjectKey)));
  const signature = signDigestInfo(issuerKey)(sha256DigestInfo(cardCryptography.sha256(body)));
  return encodeTlv(0x7f21, encodeTlv(0x5f4e, body), encodeTlv(0x5f37, signature));
};

const fileNames = {
  caCertificate: 'card-ca.pem',
  caKey: 'card-ca.key.pem',
  cvIssuers: 'cv-issuers.json',
  visualSigningKey: 'card-face.key.pem',
  cvCertificate: 'cv-certificate.bin',
} as const;

const create = async (folder: string): Promise<void> => {
  const [caKey, cvIssuerKey, visualSigningKey] = await Promise.all([makeRsaKey(), makeRsaKey(), makeRsaKey()]);
  const { modulus, exponent } = rsaPublicKeyOf(cvIssuerKey);
  const issuers = [{ issuerId: toHex(issuerId), modulus: toHex(modulus), exponent: toHex(exponent) }];
  const write = (name: string, content: string | Uint8Array): void =>
    writeFileSync(join(folder, name), content, { mode: 0o600 });
  const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
  makeFolderSync(folder);
  write(fileNames.caCertificate, await makeCaCertificate(caKey));
  write(fileNames.caKey, pem(caKey));
  write(fileNames.cvIssuers, JSON.stringify(issuers));
  write(fileNames.visualSigningKey, pem(visualSigningKey));
  // The issuer's own key is not kept: nothing else will ever be signed with it.
  write(fileNames.cvCertificate, makeCvCertificate(cvIssuerKey, visualSigningKey));
};

/**
 * The authority that lives in `folder`; made there when it is not (about a second of RSA). Others are given the files
 * `card-ca.pem` (trust store for certificates) and `cv-issuers.json` (trust store for visual records). Throws where the folder cannot be written.
 */
export const ensureTestAuthority = async (folder: string): Promise<TestAuthority> => {
  if (!existsSync(join(folder, fileNames.caCertificate))) {
    // Made aside and moved in one step: two processes may start at once.
    const unfinished = `${folder}.${process.pid}`;
    await create(unfinished);
    try {
      renameSync(unfinished, folder);
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true });
      if (!existsSync(join(folder, fileNames.caCertificate))) throw error;
    }
  }
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  return {
    caCertificatePem: read(fileNames.caCertificate).toString(),
    cvIssuersJson: read(fileNames.cvIssuers).toString(),
    caKey: createPrivateKey(read(fileNames.caKey)),
    visualSigningKey: createPrivateKey(read(fileNames.visualSigningKey)),
    cvCertificate: new Uint8Array(read(fileNames.cvCertificate)),
  };
};

type CertificateRequest = {
  /** Hexadecimal */
  readonly serial: string;
  /** 23 characters: the real ones are a running number without a name. */
  readonly commonName: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly key: KeyObject;
  /** Whether the certificate is for signing (署名用) rather than for authentication. */
  readonly forSigning?: boolean;
};

/** A certificate shaped like the card's, as DER: v3, critical keyUsage and policy (the policy from OID's example arc), EKU clientAuth. */
export const issueCardCertificate = async (
  authority: TestAuthority,
  request: CertificateRequest,
): Promise<Uint8Array> => {
  const usage =
    request.forSigning === true
      ? KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation
      : KeyUsageFlags.digitalSignature;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: request.serial,
    subject: `C=JP, CN=${request.commonName}`,
    issuer: issuerName,
    notBefore: new Date(request.notBeforeMs),
    notAfter: new Date(request.notAfterMs),
    signingAlgorithm: algorithm,
    publicKey: createPublicKey(request.key).toCryptoKey(algorithm, true, ['verify']),
    signingKey: authority.caKey.toCryptoKey(algorithm, true, ['sign']),
    extensions: [
      new KeyUsagesExtension(usage, true),
      ...(request.forSigning === true ? [] : [new ExtendedKeyUsageExtension([oids.clientAuth])]),
      new CertificatePolicyExtension(['2.999.1'], true),
      new BasicConstraintsExtension(false, undefined, false),
    ],
  });
  return new Uint8Array(certificate.rawData);
};

export const caCertificateDer = (authority: TestAuthority): Uint8Array =>
  new Uint8Array(new X509Certificate(authority.caCertificatePem).rawData);
