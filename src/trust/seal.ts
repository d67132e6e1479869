import {
  CompactEncrypt,
  type CompactJWEHeaderParameters,
  CompactSign,
  type CryptoKey,
  compactDecrypt,
  compactVerify,
  decodeProtectedHeader,
} from 'jose';
import type { z } from 'zod';
import { failure } from '../core/failure.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { TopicLeaf } from '../wire/topics.ts';
import { takeKnown } from '../wire/translate.ts';

/**
 * Signing and sealing of everything that travels. Signed: compact JWS, ES256. Sealed: compact JWE, ECDH-ES, A256GCM.
 * The protected `typ` names the topic's leaf (or `staff-approval`), so that nothing made for one topic is of use on another.
 */
type PaperKind = 'rollout-order' | 'rollout-word' | 'rollout-consent';
type SignedKind = TopicLeaf | 'staff-approval' | PaperKind;

export type SigningKey = { readonly kid: string; readonly key: CryptoKey };
/** `owner`: the device or agent whose key it is. */
export type VerificationKey = { readonly owner: string; readonly kid: string; readonly key: CryptoKey };
export type SealingPublicKey = { readonly kid: string; readonly key: CryptoKey };
export type SealingPrivateKey = { readonly kid: string; readonly key: CryptoKey };

/** Nothing on these topics is longer. A face request with a photo-less proof has about 12 kB. */
const maximumBytes = 96 * 1024;
/** A file of a chain's operator, with the names of some 10,000 facilities */
const maximumPaperBytes = 1_000_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

const typeOf = (kind: SignedKind): string => `uketsuke-${kind}`;

const forged = (detail: string) => err(failure('message.forged', detail));
const malformed = (detail: string) => err(failure('message.malformed', detail));

const hasOnly = (header: object, names: readonly string[]): boolean =>
  Object.keys(header).length === names.length && names.every((name) => name in header);

/** Compact JWS over the JSON of `message`, UTF-8. */
export const sign = async (kind: SignedKind, message: object, key: SigningKey): Promise<Uint8Array> =>
  encoder.encode(
    await new CompactSign(encoder.encode(JSON.stringify(message)))
      .setProtectedHeader({ alg: 'ES256', typ: typeOf(kind), kid: key.kid })
      .sign(key.key),
  );

type Opened<T> = { readonly message: T /** Whose key signed it */; readonly signer: string };

/**
 * The message of a compact JWS by one of `keys`, made for this kind.
 * `message.malformed`: not such a JWS, or a payload outside the schema; `message.forged`: unknown key, wrong signature, another
 * kind.
 */
const openJws = async <T>(
  kind: SignedKind,
  bytes: Uint8Array,
  schema: z.ZodType<T>,
  keys: readonly VerificationKey[],
  /** Keys outside the schema are left out and told here, instead of refusing the message. */
  overlook?: (keys: readonly string[]) => void,
): Promise<Result<Opened<T>>> => {
  try {
    const text = decoder.decode(bytes);
    const header = decodeProtectedHeader(text);
    if (!hasOnly(header, ['alg', 'typ', 'kid'])) return malformed(`${kind}: header fields`);
    if (header.typ !== typeOf(kind)) return forged(`${kind}: made for another topic`);
    const key = keys.find(({ kid }) => kid === header.kid);
    if (key === undefined) return forged(`${kind}: unknown key`);
    const verified = await compactVerify(text, key.key, { algorithms: ['ES256'] }).catch(() => null);
    if (verified === null) return forged(`${kind}: signature`);
    const content: unknown = JSON.parse(decoder.decode(verified.payload));
    const known = overlook === undefined ? null : takeKnown(schema, content);
    if (known !== null && known.unknown.length > 0) overlook?.(known.unknown);
    const parsed = known === null ? schema.safeParse(content) : { success: true as const, data: known.value };
    if (!parsed.success) return malformed(`${kind}: ${parsed.error.issues[0]?.path.join('.') || 'shape'}`);
    return ok({ message: parsed.data, signer: key.owner });
  } catch {
    return malformed(`${kind}: not a signed message`);
  }
};

/** The same, made for this facility and device, too: of another it is `message.forged`. */
export const openSigned = async <T extends { facility: string; device: string }>(
  kind: Exclude<SignedKind, PaperKind>,
  bytes: Uint8Array,
  schema: z.ZodType<T>,
  keys: readonly VerificationKey[],
  addressee: { readonly facility: string; readonly device: string },
  overlook?: (keys: readonly string[]) => void,
): Promise<Result<Opened<T>>> => {
  if (bytes.length > maximumBytes) return malformed(`${kind}: ${bytes.length} bytes`);
  const opened = await openJws(kind, bytes, schema, keys, overlook);
  if (!opened.ok) return opened;
  const { facility, device } = opened.value.message;
  return facility === addressee.facility && device === addressee.device
    ? opened
    : forged(`${kind}: for another device`);
};

/** What a chain's operator has signed; whom it is for stands in it. */
export const openPaper = async <T>(
  kind: PaperKind,
  text: string,
  schema: z.ZodType<T>,
  keys: readonly VerificationKey[],
): Promise<Result<Opened<T>>> => {
  const bytes = encoder.encode(text);
  if (bytes.length > maximumPaperBytes) return malformed(`${kind}: ${bytes.length} bytes`);
  return openJws(kind, bytes, schema, keys);
};

/** Whose key a compact JWS names; nothing is verified. undefined: none of these. */
export const signerOf = (text: string, keys: readonly VerificationKey[]): string | undefined => {
  try {
    const { kid } = decodeProtectedHeader(text);
    return keys.find((key) => key.kid === kid)?.owner;
  } catch {
    return undefined;
  }
};

/** Compact JWE. The same plain text never looks the same twice: the ephemeral key is new each time. */
export const seal = async (kind: TopicLeaf, plain: Uint8Array, key: SealingPublicKey): Promise<Uint8Array> =>
  encoder.encode(
    await new CompactEncrypt(plain)
      .setProtectedHeader({
        alg: 'ECDH-ES',
        enc: 'A256GCM',
        typ: typeOf(kind),
        kid: key.kid,
      } as CompactJWEHeaderParameters)
      .encrypt(key.key),
  );

/** The plain text of a compact JWE sealed to one of `keys` for this kind. */
export const openSealed = async (
  kind: TopicLeaf,
  bytes: Uint8Array,
  keys: readonly SealingPrivateKey[],
): Promise<Result<Uint8Array>> => {
  if (bytes.length > maximumBytes) return malformed(`${kind}: ${bytes.length} bytes`);
  try {
    const text = decoder.decode(bytes);
    const header = decodeProtectedHeader(text);
    if (!hasOnly(header, ['alg', 'enc', 'typ', 'kid', 'epk'])) return malformed(`${kind}: header fields`);
    if (header.typ !== typeOf(kind)) return forged(`${kind}: sealed for another topic`);
    const key = keys.find(({ kid }) => kid === header.kid);
    if (key === undefined) return forged(`${kind}: sealed to an unknown key`);
    const opened = await compactDecrypt(text, key.key, {
      keyManagementAlgorithms: ['ECDH-ES'],
      contentEncryptionAlgorithms: ['A256GCM'],
    }).catch(() => null);
    return opened === null ? forged(`${kind}: seal`) : ok(opened.plaintext);
  } catch {
    return malformed(`${kind}: not a sealed message`);
  }
};

/** Signed, then sealed: lookup, lookup-result, result. */
export const signAndSeal = async (
  kind: TopicLeaf,
  message: object,
  signing: SigningKey,
  sealing: SealingPublicKey,
): Promise<Uint8Array> => seal(kind, await sign(kind, message, signing), sealing);

export const openSealedAndSigned = async <T extends { facility: string; device: string }>(
  kind: TopicLeaf,
  bytes: Uint8Array,
  schema: z.ZodType<T>,
  sealing: readonly SealingPrivateKey[],
  signers: readonly VerificationKey[],
  addressee: { readonly facility: string; readonly device: string },
): Promise<Result<Opened<T>>> => {
  const opened = await openSealed(kind, bytes, sealing);
  return opened.ok ? openSigned(kind, opened.value, schema, signers, addressee) : opened;
};
