import { compactVerify, decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import { failure } from '../core/failure.ts';
import { err, ok, type Result } from '../core/result.ts';
import { toBase64url } from '../protocol/base64url.ts';
import { identifier } from '../wire/messages.ts';
import type { SigningKey, VerificationKey } from './seal.ts';

/*
 * What runs on a device, in a word that fits a QR code: signed with a key by which the clinic's end knows it. Where the
 * device had a TPM when it was enrolled, that key was made there and is of no use anywhere else; everywhere else it is the
 * file that signs its requests, and goes wherever a copy of the disk goes. Either way whoever is root on the device can
 * sign what he likes: told apart is what was changed by anybody less, by accident or by a disk. Measured boot would be
 * more, and is not here.
 */
const attestationSchema = z.strictObject({
  facility: identifier,
  device: identifier,
  release: z.string().regex(/^[\w.+-]{1,40}$/),
  /** `treeHash` of what is installed */
  tree: z.string().regex(/^[\w-]{43}$/),
  files: z.number().int().min(1).max(1_000_000),
  node: z.string().regex(/^v[\d.]{1,20}$/),
  /** Where the key is kept that signs this */
  key: z.enum(['tpm', 'file']),
  /** By the device's clock. ms since 1970 UTC */
  at: z.number().int().min(0).max(4_102_444_800_000),
});
type Attestation = z.infer<typeof attestationSchema>;

/** ES256: `sign` answers r and s side by side, for the bytes of a signing input. */
export type AttestationSigner = {
  readonly kept: Attestation['key'];
  readonly kid: string;
  readonly sign: (input: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
};

export const fileSigner = ({ kid, key }: SigningKey): AttestationSigner => ({
  kept: 'file',
  kid,
  sign: async (input) => new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, input)),
});

const typ = 'uketsuke-attestation';
const maximumLength = 2_000;

/** A compact JWS. */
export const signAttestation = async (
  attestation: Omit<Attestation, 'key'>,
  { kept, kid, sign }: AttestationSigner,
): Promise<string> => {
  const encoder = new TextEncoder();
  const encode = (value: unknown): string => toBase64url(encoder.encode(JSON.stringify(value)));
  const input = `${encode({ alg: 'ES256', typ, kid })}.${encode(attestationSchema.parse({ ...attestation, key: kept }))}`;
  return `${input}.${toBase64url(await sign(encoder.encode(input)))}`;
};

/** Whose attestations are believed: `kept` is where the registry says that this device's key lies. */
export type AttestationKey = VerificationKey & { readonly kept: Attestation['key'] };

/** Of one of these devices, unchanged. `message.malformed`, `message.forged`. */
export const openAttestation = async (
  text: string,
  devices: readonly AttestationKey[],
): Promise<Result<Attestation>> => {
  const forged = (detail: string) => err(failure('message.forged', `attestation: ${detail}`));
  if (text.length > maximumLength) return err(failure('message.malformed', 'attestation: too long'));
  try {
    const header = decodeProtectedHeader(text);
    if (header.typ !== typ) return forged('made for something else');
    const key = devices.find(({ kid }) => kid === header.kid);
    if (key === undefined) return forged('no device of this facility attests with this key');
    const verified = await compactVerify(text, key.key, { algorithms: ['ES256'] }).catch(() => null);
    if (verified === null) return forged('signature');
    const attestation = attestationSchema.parse(JSON.parse(new TextDecoder().decode(verified.payload)));
    if (attestation.device !== key.owner) return forged('signed by another device');
    return attestation.key === key.kept ? ok(attestation) : forged(`the key of this device is in its ${key.kept}`);
  } catch {
    return err(failure('message.malformed', 'attestation: not a signed message'));
  }
};
