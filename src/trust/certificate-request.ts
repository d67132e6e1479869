import 'reflect-metadata';
import { createPublicKey, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { CompactSign, compactVerify, decodeJwt, decodeProtectedHeader, importPKCS8 } from 'jose';
import { failure } from '../core/failure.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type CertificateRequest, certificateLeaves, certificateRequestSchema } from '../wire/certificate-messages.ts';
import { certificateOf } from './client-chain.ts';
import type { TlsFiles } from './key-files.ts';
import { certificatesOf } from './server-chain.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const typ = `uketsuke-${certificateLeaves.request}`;
const maximumBytes = 20_000;

/** PKCS #8, PEM */
export const newTlsKey = async (): Promise<string> => {
  const { privateKey } = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY');
};

const keysOf = async (pem: string) => {
  const [bytes = new ArrayBuffer()] = x509.PemConverter.decode(pem);
  const privateKey = await webcrypto.subtle.importKey('pkcs8', bytes, algorithm, true, ['sign']);
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  const publicKey = await webcrypto.subtle.importKey('spki', new Uint8Array(spki), algorithm, true, []);
  return { privateKey, publicKey };
};

/** For the key `newKey` (PEM), signed by the key that is in force. */
export const signCertificateRequest = async (
  { facility, device, requestId }: Pick<CertificateRequest, 'facility' | 'device' | 'requestId'>,
  inForce: TlsFiles,
  newKey: string,
): Promise<Uint8Array> => {
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [device] }],
    keys: await keysOf(newKey),
    signingAlgorithm: algorithm,
  });
  const chain = certificatesOf(inForce.certificate).map((each) => each.toString());
  const signingRequest = Buffer.from(csr.rawData).toString('base64');
  const request: CertificateRequest = { facility, device, requestId, chain, signingRequest };
  const jws = await new CompactSign(new TextEncoder().encode(JSON.stringify(request)))
    .setProtectedHeader({ alg: 'ES256', typ })
    .sign(await importPKCS8(inForce.key, 'ES256'));
  return new TextEncoder().encode(jws);
};

type OpenedRequest = { readonly request: CertificateRequest /** SPKI, DER, base64 */; readonly newPublicKey: string };

/**
 * Signed by the key of the certificate that it shows; whether that certificate counts is for the caller to say. The new key
 * is proven by its own signature. `message.malformed`, `message.forged`.
 */
export const openCertificateRequest = async (bytes: Uint8Array): Promise<Result<OpenedRequest>> => {
  const malformed = err(failure('message.malformed', certificateLeaves.request));
  const forged = (detail: string) => err(failure('message.forged', `${certificateLeaves.request}: ${detail}`));
  if (bytes.length > maximumBytes) return malformed;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (decodeProtectedHeader(text).typ !== typ) return forged('made for another topic');
    // Not proven yet: the certificate that it is to be proven by stands in it.
    const request = certificateRequestSchema.parse(decodeJwt(text));
    const [held] = request.chain.map(certificateOf);
    if (!held) return malformed;
    const verified = await compactVerify(text, held.publicKey, { algorithms: ['ES256'] }).catch(() => null);
    if (verified === null) return forged('signature');
    const csr = new x509.Pkcs10CertificateRequest(Buffer.from(request.signingRequest, 'base64'));
    if (!(await csr.verify())) return forged('the new key is not proven');
    return ok({ request, newPublicKey: Buffer.from(csr.publicKey.rawData).toString('base64') });
  } catch {
    return malformed;
  }
};
