import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CryptoKey, importJWK } from 'jose';
import { z } from 'zod';
import { parseJsonFile } from '../storage/parse-file.ts';
import { naming } from '../storage/read-given.ts';
import { identifier, type PublicJwk, publicJwkSchema } from '../wire/messages.ts';
import type { SealingPrivateKey, SealingPublicKey, SigningKey, VerificationKey } from './seal.ts';

/**
 * Files of a provisioned device, made by `uketsuke provision`; mode 0600 in two directories of mode 0700, each its
 * process's own:
 *   link/      tls-key.pem tls-certificate.pem facility-ca.pem   mutual TLS to the broker (CN = device id)
 *   terminal/  signing-key.jwk.json                              ES256, private
 *              sealing-key.jwk.json                              ECDH-ES P-256, private
 *              attestation-key.json                              ES256, of the TPM where there is one: only it can load it
 *              trust.json                                        who this terminal is and whom it believes
 *              cv-issuers.json                                   trust anchors of the card's face (cv-trust.ts)
 * `kid` is the RFC 7638 thumbprint everywhere. An agent has the same names in one directory.
 */
export const keyFolders = { link: 'link', terminal: 'terminal' } as const;

export const keyFiles = {
  tlsKey: 'tls-key.pem',
  tlsCertificate: 'tls-certificate.pem',
  facilityCa: 'facility-ca.pem',
  signingKey: 'signing-key.jwk.json',
  sealingKey: 'sealing-key.jwk.json',
  attestationKey: 'attestation-key.json',
  trust: 'trust.json',
} as const;

export const privateJwkSchema = publicJwkSchema.extend({ d: z.string() });
export type PrivateJwk = z.infer<typeof privateJwkSchema>;

const trustSchema = z.strictObject({
  facility: identifier,
  device: identifier,
  lane: z.number().int().min(1).max(99),
  agents: z.array(z.strictObject({ agent: identifier, signingKey: publicJwkSchema })).min(1),
  /** Where requests are sealed to until settings name newer keys; the first is the current one. */
  facilityKeys: z.array(publicJwkSchema).min(1),
});
export type Trust = z.infer<typeof trustSchema>;

/** PEM text for `tls.connect` and `tls.createServer`. */
export type TlsFiles = { readonly key: string; readonly certificate: string; readonly ca: string };

/** What the terminal knows: keys to sign with and to open, and nothing that opens the way to the broker. */
export type TerminalKeys = {
  readonly facility: string;
  readonly device: string;
  readonly lane: number;
  readonly signing: SigningKey;
  readonly sealing: SealingPrivateKey;
  readonly agents: readonly VerificationKey[];
  readonly facilityKeys: readonly SealingPublicKey[];
};

export const readJsonFile = async <T>(schema: z.ZodType<T>, path: string): Promise<T> =>
  parseJsonFile(path, await readFile(path, 'utf8').catch(naming(path)), schema);

export const readTlsFiles = async (directory: string): Promise<TlsFiles> => ({
  key: await readFile(join(directory, keyFiles.tlsKey), 'utf8'),
  certificate: await readFile(join(directory, keyFiles.tlsCertificate), 'utf8'),
  ca: await readFile(join(directory, keyFiles.facilityCa), 'utf8'),
});

const asKey = async (jwk: PublicJwk | PrivateJwk, algorithm: 'ES256' | 'ECDH-ES'): Promise<CryptoKey> => {
  const key = await importJWK(jwk, algorithm);
  if (key instanceof Uint8Array) throw new Error('a symmetric key where a P-256 key is due');
  return key;
};

export const importSigningKey = async (jwk: PrivateJwk): Promise<SigningKey> => ({
  kid: jwk.kid,
  key: await asKey(jwk, 'ES256'),
});
export const importVerificationKey = async (owner: string, jwk: PublicJwk): Promise<VerificationKey> => ({
  owner,
  kid: jwk.kid,
  key: await asKey(jwk, 'ES256'),
});
export const importSealingPublicKey = async (jwk: PublicJwk): Promise<SealingPublicKey> => ({
  kid: jwk.kid,
  key: await asKey(jwk, 'ECDH-ES'),
});
export const importSealingPrivateKey = async (jwk: PrivateJwk): Promise<SealingPrivateKey> => ({
  kid: jwk.kid,
  key: await asKey(jwk, 'ECDH-ES'),
});

/**
 * The terminal's keys below a device's directory. Throws with the file's name when one is missing or wrong: nobody can
 * run with that.
 */
export const readTerminalKeys = async (deviceDirectory: string): Promise<TerminalKeys> => {
  const directory = join(deviceDirectory, keyFolders.terminal);
  const trust = await readJsonFile(trustSchema, join(directory, keyFiles.trust));
  const signing = await readJsonFile(privateJwkSchema, join(directory, keyFiles.signingKey));
  const sealing = await readJsonFile(privateJwkSchema, join(directory, keyFiles.sealingKey));
  return {
    facility: trust.facility,
    device: trust.device,
    lane: trust.lane,
    signing: await importSigningKey(signing),
    sealing: await importSealingPrivateKey(sealing),
    agents: await Promise.all(trust.agents.map(({ agent, signingKey }) => importVerificationKey(agent, signingKey))),
    facilityKeys: await Promise.all(trust.facilityKeys.map(importSealingPublicKey)),
  };
};

/** The link's keys below a device's directory. */
export const readLinkKeys = (deviceDirectory: string): Promise<TlsFiles> =>
  readTlsFiles(join(deviceDirectory, keyFolders.link));
