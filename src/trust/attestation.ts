import { CompactSign, compactVerify, decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import { failure } from '../core/failure.ts';
import { err, ok, type Result } from '../core/result.ts';
import { identifier } from '../wire/messages.ts';
import type { SigningKey, VerificationKey } from './seal.ts';

/*
 * What runs on a device, in a word that fits a QR code: signed with the key by which the clinic's end knows it. The key is
 * a file: whoever took the machine over as root can sign whatever he likes. Told apart is what was changed by anybody
 * less, by accident or by a disk; a key inside a TPM with measured boot would be more, and is not here.
 */
const attestationSchema = z.strictObject({
  facility: identifier,
  device: identifier,
  release: z.string().regex(/^[\w.+-]{1,40}$/),
  /** `treeHash` of what is installed */
  tree: z.string().regex(/^[\w-]{43}$/),
  files: z.number().int().min(1).max(1_000_000),
  node: z.string().regex(/^v[\d.]{1,20}$/),
  key: z.literal('file'),
  /** By the device's clock. ms since 1970 UTC */
  at: z.number().int().min(0).max(4_102_444_800_000),
});
type Attestation = z.infer<typeof attestationSchema>;

const typ = 'uketsuke-attestation';
const maximumLength = 2_000;

export const signAttestation = (attestation: Attestation, { kid, key }: SigningKey): Promise<string> =>
  new CompactSign(new TextEncoder().encode(JSON.stringify(attestationSchema.parse(attestation))))
    .setProtectedHeader({ alg: 'ES256', typ, kid })
    .sign(key);

/** Of one of these devices, unchanged. `message.malformed`, `message.forged`. */
export const openAttestation = async (
  text: string,
  devices: readonly VerificationKey[],
): Promise<Result<Attestation>> => {
  const forged = (detail: string) => err(failure('message.forged', `attestation: ${detail}`));
  if (text.length > maximumLength) return err(failure('message.malformed', 'attestation: too long'));
  try {
    const header = decodeProtectedHeader(text);
    if (header.typ !== typ) return forged('made for something else');
    const key = devices.find(({ kid }) => kid === header.kid);
    if (key === undefined) return forged('no device of this facility has this key');
    const verified = await compactVerify(text, key.key, { algorithms: ['ES256'] }).catch(() => null);
    if (verified === null) return forged('signature');
    const attestation = attestationSchema.parse(JSON.parse(new TextDecoder().decode(verified.payload)));
    return attestation.device === key.owner ? ok(attestation) : forged('signed by another device');
  } catch {
    return err(failure('message.malformed', 'attestation: not a signed message'));
  }
};
