import { hash } from 'node:crypto';
import { FlattenedSign } from 'jose';
import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { VisualEvidence } from '../../core/visit/identity.ts';
import {
  assembleDocument,
  documentType,
  encodeRequest,
  faceHeader,
  type JwsSignature,
  jwsSignature,
  pinHeader,
  signingInput,
} from '../../protocol/evidence.ts';
import { hashOf } from '../../trust/document-hash.ts';
import { type SealingPublicKey, type SigningKey, seal } from '../../trust/seal.ts';
import type { EligibilityRequest } from '../../wire/messages.ts';

/** SHA-256 of the JWS signing input in, 256 bytes of RSASSA-PKCS1-v1_5 out. */
type CardSign = (sha256: Uint8Array) => Promise<Result<Uint8Array>>;

/** What makes signature 1. */
export type CardEvidence =
  /** JPKI auth key after VERIFY: `80 2A 00 80` (`signWithAuthKey`) */
  | { readonly method: 'pin'; readonly authCertificate: Uint8Array; readonly sign: CardSign }
  /** 券面 key, no PIN: `80 2A 00 00` (`provePresence`). The challenge is part of what is signed. */
  | { readonly method: 'face'; readonly visual: VisualEvidence; readonly sign: CardSign }
  /** No card signature: the agent's signed approval is in the payload. */
  | { readonly method: 'staff' };

type SigningKeys = { readonly device: SigningKey; readonly facility: SealingPublicKey };

export type SignedRequest = {
  readonly requestId: string;
  readonly session: string;
  /** By the agent's clock */
  readonly expiresAt: number;
  /** SHA-256 of `document`, base64url: receipts name it */
  readonly documentHash: string;
  /** The general JWS in the clear: memory only, never written */
  readonly document: Uint8Array;
  /** The same as a JWE to the facility: what is stored and sent */
  readonly sealed: Uint8Array;
};

const cardSignature = async (payload: Uint8Array, card: CardEvidence): Promise<Result<readonly JwsSignature[]>> => {
  if (card.method === 'staff') return ok([]);
  const header = card.method === 'pin' ? pinHeader(card.authCertificate) : faceHeader(card.visual);
  const signed = await card.sign(new Uint8Array(hash('sha256', signingInput(header, payload), 'buffer')));
  if (!signed.ok) return signed;
  if (signed.value.length !== 256)
    return err(failure('card.communication', `signature of ${signed.value.length} bytes`));
  return ok([jwsSignature(header, signed.value)]);
};

/**
 * The whole document: the card's signature (its failure is the answer: `card.security-status-lost`, `card.removed` …), the
 * device's, which is made while the card works, then the seal. Throws when the payload breaks its schema or names another method than the card evidence.
 */
export const signRequest = async (
  request: EligibilityRequest,
  card: CardEvidence,
  keys: SigningKeys,
): Promise<Result<SignedRequest>> => {
  if (request.verificationMethod !== card.method) throw new Error('payload and card evidence name different methods');
  const payload = encodeRequest(request);
  const [signatures, device] = await Promise.all([
    cardSignature(payload, card),
    new FlattenedSign(payload)
      .setProtectedHeader({ alg: 'ES256', typ: documentType, kid: keys.device.kid })
      .sign(keys.device.key),
  ]);
  if (!signatures.ok) return signatures;
  if (device.protected === undefined) throw new Error('jose made no protected header');
  const document = assembleDocument(payload, [
    ...signatures.value,
    { protected: device.protected, signature: device.signature },
  ]);
  const { requestId, session, expiresAt } = request;
  return ok({
    requestId,
    session,
    expiresAt,
    documentHash: hashOf(document),
    document,
    sealed: await seal('request', document, keys.facility),
  });
};
