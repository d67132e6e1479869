import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hourMs } from '../../core/time-units.ts';
import { orMissing } from '../../storage/or-missing.ts';
import { certificateOf } from '../../trust/client-chain.ts';
import { writeFileAtomically } from '../../trust/write-file.ts';
import { identifier } from '../../wire/messages.ts';
import { certify, type IssuedFiles, issueIssuer, issueRevocationList, yearMs } from './certificate-authority.ts';

/**
 * What an agent renews certificates with while the facility's key lies in the safe. In the agent's directory:
 *   issuing-ca-key.pem issuing-ca.pem   an authority below the facility's: it makes clients, no authorities
 *   issuing-revoked.pem                 its revocation list, for the broker
 *   issued-certificates.json            what it has made: written before it is handed out
 */
export const issuingFiles = {
  key: 'issuing-ca-key.pem',
  certificate: 'issuing-ca.pem',
  revoked: 'issuing-revoked.pem',
  issued: 'issued-certificates.json',
} as const;

/** It outlives five years in which nobody brings the facility's key; the facility's own authority has twenty. */
const issuerYears = 6;
/** Of a renewed certificate. */
const renewedYears = 2;

type Authority = Pick<IssuedFiles, 'key' | 'certificate'>;

const issuedSchema = z.array(
  z.strictObject({
    name: identifier,
    serial: z.string(),
    /** SPKI, DER, base64: the same key is answered with the same certificate */
    publicKey: z.string(),
    certificate: z.string(),
    at: z.number().int(),
  }),
);

export const readIssued = async (directory: string): Promise<z.infer<typeof issuedSchema>> => {
  const text = await readFile(join(directory, issuingFiles.issued), 'utf8').catch(orMissing);
  return text === null ? [] : issuedSchema.parse(JSON.parse(text));
};

/** null: none was made for this agent. */
export const readIssuingAuthority = async (directory: string): Promise<Authority | null> => {
  const key = await readFile(join(directory, issuingFiles.key), 'utf8').catch(orMissing);
  const certificate = await readFile(join(directory, issuingFiles.certificate), 'utf8').catch(orMissing);
  return key === null || certificate === null ? null : { key, certificate };
};

/** Signed again with what is revoked now; nothing where this agent has no issuing authority. */
export const writeIssuerRevocations = async (
  directory: string,
  isRevoked: (name: string) => boolean,
  nowMs: number,
): Promise<void> => {
  const issuer = await readIssuingAuthority(directory);
  const ends = certificateOf(issuer?.certificate ?? '')?.validToDate.getTime();
  if (issuer === null || ends === undefined) return;
  const serials = (await readIssued(directory)).filter(({ name }) => isRevoked(name)).map(({ serial }) => serial);
  const list = await issueRevocationList(issuer, serials, { notBeforeMs: nowMs - hourMs, notAfterMs: ends });
  await writeFileAtomically(join(directory, issuingFiles.revoked), list);
};

/** Made, or made to last longer, with the facility's key while that is at hand. Its own key stays: so does what it signed. */
export const giveIssuingAuthority = async (
  directory: string,
  facilityAuthority: Authority,
  name: string,
  nowMs: number,
): Promise<void> => {
  const ends = certificateOf(facilityAuthority.certificate)?.validToDate.getTime() ?? 0;
  const validity = { notBeforeMs: nowMs - hourMs, notAfterMs: Math.min(nowMs + issuerYears * yearMs, ends) };
  const before = await readIssuingAuthority(directory);
  const issuer = await issueIssuer(facilityAuthority, name, { ...validity, key: before?.key ?? null });
  await writeFileAtomically(join(directory, issuingFiles.key), issuer.key);
  await writeFileAtomically(join(directory, issuingFiles.certificate), issuer.certificate);
  await writeIssuerRevocations(directory, () => false, nowMs);
};

/**
 * A client's certificate for a key that it has proven. The same key gets the same certificate: a question that is asked
 * again, because the answer was lost, costs nothing. On the disk before it is answered.
 */
export const issueClient = async (
  directory: string,
  issuer: Authority,
  { name, publicKey, nowMs }: { readonly name: string; readonly publicKey: string; readonly nowMs: number },
): Promise<readonly string[]> => {
  const issued = await readIssued(directory);
  const known = issued.find((each) => each.name === name && each.publicKey === publicKey);
  if (known !== undefined) return [known.certificate, issuer.certificate];
  const ends = certificateOf(issuer.certificate)?.validToDate.getTime() ?? 0;
  const validity = { notBeforeMs: nowMs - hourMs, notAfterMs: Math.min(nowMs + renewedYears * yearMs, ends) };
  const made = await certify(issuer, { commonName: name, publicKey, ...validity });
  const entry = { name, serial: made.serial, publicKey, certificate: made.certificate, at: Math.round(nowMs) };
  await writeFileAtomically(join(directory, issuingFiles.issued), `${JSON.stringify([...issued, entry], null, 2)}\n`);
  return [made.certificate, issuer.certificate];
};
