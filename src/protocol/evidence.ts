import { z } from 'zod';
import { failure } from '../core/failure.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { VisualEvidence } from '../core/visit/identity.ts';
import { type EligibilityRequest, requestSchema } from '../wire/messages.ts';
import { fromBase64url, toBase64url } from './base64url.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

/*
 * The signed document of a visit: a JWS in general JSON serialisation (RFC 7515, 7.2.1) over the request, with one
 * signature by the card (PIN and face path) and one by the device, in this order. No unprotected headers, no `crit`,
 * nothing beside what stands here; one document has exactly one spelling, so that its hash names it.
 */
export const documentType = 'uketsuke-request';

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);
const visualApSchema = z.strictObject({
  df22: base64url,
  df23: base64url,
  df24: base64url,
  hash2: base64url.length(43),
  hash3: base64url.length(43),
  df28: base64url.length(342),
  cvCertificate: base64url,
});
const pinHeaderSchema = z.strictObject({
  alg: z.literal('RS256'),
  typ: z.literal(documentType),
  /** Standard base64 of the DER (RFC 7515, 4.1.6), its spelling is looked at below: the leaf alone, the chain is the agent's to know */
  x5c: z.tuple([z.string().min(1)]),
});
const faceHeaderSchema = z.strictObject({
  alg: z.literal('RS256'),
  typ: z.literal(documentType),
  visualAp: visualApSchema,
});
const deviceHeaderSchema = z.strictObject({
  alg: z.literal('ES256'),
  typ: z.literal(documentType),
  kid: base64url.length(43),
});
const signatureSchema = z.strictObject({ protected: base64url, signature: base64url });
const documentSchema = z.strictObject({
  payload: base64url,
  signatures: z.union([z.tuple([signatureSchema]), z.tuple([signatureSchema, signatureSchema])]),
});

export type JwsSignature = z.infer<typeof signatureSchema>;

/** The payload as bytes: the JSON of the fields in the schema's order. Throws when the request breaks the schema. */
export const encodeRequest = (request: EligibilityRequest): Uint8Array =>
  encodeUtf8(JSON.stringify(requestSchema.parse(request)));

const encodeHeader = (header: object): string => toBase64url(encodeUtf8(JSON.stringify(header)));

const toBase64 = (bytes: Uint8Array): string => {
  const text = toBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/');
  return text + '='.repeat((4 - (text.length % 4)) % 4);
};

/** Protected header of signature 1 on the PIN path, base64url. */
export const pinHeader = (authCertificate: Uint8Array): string =>
  encodeHeader({ alg: 'RS256', typ: documentType, x5c: [toBase64(authCertificate)] });

/** Protected header of signature 1 on the face path: all that DF28 needs but the photo; hash 1 is the agent's to compute. */
export const faceHeader = (visual: VisualEvidence): string =>
  encodeHeader({
    alg: 'RS256',
    typ: documentType,
    visualAp: {
      df22: toBase64url(visual.df22),
      df23: toBase64url(visual.df23),
      df24: toBase64url(visual.df24),
      hash2: toBase64url(visual.hash2),
      hash3: toBase64url(visual.hash3),
      df28: toBase64url(visual.df28),
      cvCertificate: toBase64url(visual.cvCertificate),
    },
  });

/** ASCII(header) ‖ '.' ‖ ASCII(base64url(payload)): what is hashed and signed (RFC 7515, 5.1). */
export const signingInput = (protectedHeader: string, payload: Uint8Array): Uint8Array =>
  encodeUtf8(`${protectedHeader}.${toBase64url(payload)}`);

export const jwsSignature = (protectedHeader: string, signature: Uint8Array): JwsSignature => ({
  protected: protectedHeader,
  signature: toBase64url(signature),
});

/** The document, UTF-8. The card's signature first. */
export const assembleDocument = (payload: Uint8Array, signatures: readonly JwsSignature[]): Uint8Array =>
  encodeUtf8(
    JSON.stringify({
      payload: toBase64url(payload),
      signatures: signatures.map((one) => ({ protected: one.protected, signature: one.signature })),
    }),
  );

type CardSignature =
  | { readonly method: 'pin'; readonly authCertificate: Uint8Array; readonly jws: JwsSignature }
  | { readonly method: 'face'; readonly visual: VisualEvidence; readonly jws: JwsSignature };

/** A document whose shape is right. No signature in it has been verified yet. */
export type ParsedDocument = {
  readonly request: EligibilityRequest;
  /** base64url, as both signatures cover it */
  readonly payload: string;
  /** null on the staff path only */
  readonly card: CardSignature | null;
  readonly device: { readonly kid: string; readonly jws: JwsSignature };
};

class Misshapen extends Error {}

const bytesOf = (text: string): Uint8Array => {
  const bytes = fromBase64url(text);
  if (bytes === null) throw new Misshapen('base64url');
  return bytes;
};

/** JSON of exactly one spelling: a second key of the same name, white space or another escape would not come back equal. */
const parseCanonical = <T>(bytes: Uint8Array, schema: z.ZodType<T>, what: string): T => {
  const text = decodeUtf8(bytes);
  if (text === null) throw new Misshapen(`${what}: UTF-8`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Misshapen(`${what}: JSON`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new Misshapen(`${what}: ${parsed.error.issues[0]?.path.join('.') || 'shape'}`);
  if (JSON.stringify(parsed.data) !== text) throw new Misshapen(`${what}: not in its one spelling`);
  return parsed.data;
};

const readVisual = (visualAp: z.infer<typeof visualApSchema>): VisualEvidence => ({
  df22: bytesOf(visualAp.df22),
  df23: bytesOf(visualAp.df23),
  df24: bytesOf(visualAp.df24),
  hash2: bytesOf(visualAp.hash2),
  hash3: bytesOf(visualAp.hash3),
  df28: bytesOf(visualAp.df28),
  cvCertificate: bytesOf(visualAp.cvCertificate),
});

const readCardSignature = (method: 'pin' | 'face', jws: JwsSignature): CardSignature => {
  const header = bytesOf(jws.protected);
  if (method === 'face') {
    const { visualAp } = parseCanonical(header, faceHeaderSchema, 'card header');
    return { method, visual: readVisual(visualAp), jws };
  }
  const { x5c } = parseCanonical(header, pinHeaderSchema, 'card header');
  const authCertificate = bytesOf(x5c[0].replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''));
  if (toBase64(authCertificate) !== x5c[0]) throw new Misshapen('card header: x5c');
  return { method, authCertificate, jws };
};

/** By staff, the device alone; else the card before it. */
const signersOf = (
  method: EligibilityRequest['verificationMethod'],
  [first, second]: z.infer<typeof documentSchema>['signatures'],
): { readonly card: CardSignature | null; readonly device: JwsSignature } => {
  if (method === 'staff') {
    if (second !== undefined) throw new Misshapen('staff: two signatures');
    return { card: null, device: first };
  }
  if (second === undefined) throw new Misshapen(`${method}: one signature`);
  return { card: readCardSignature(method, first), device: second };
};

const parse = (document: Uint8Array): ParsedDocument => {
  const { payload, signatures } = parseCanonical(document, documentSchema, 'document');
  const request = parseCanonical(bytesOf(payload), requestSchema, 'payload');
  for (const { signature } of signatures) bytesOf(signature);
  const { card, device } = signersOf(request.verificationMethod, signatures);
  const { kid } = parseCanonical(bytesOf(device.protected), deviceHeaderSchema, 'device header');
  return { request, payload, card, device: { kid, jws: device } };
};

const maximumDocumentBytes = 64 * 1024;

/** `message.malformed` on anything but the one shape that belongs to the request's verification method; no bytes make it throw. */
export const parseDocument = (document: Uint8Array): Result<ParsedDocument> => {
  if (document.length > maximumDocumentBytes)
    return err(failure('message.malformed', `document of ${document.length} bytes`));
  try {
    return ok(parse(document));
  } catch (error) {
    if (error instanceof Misshapen) return err(failure('message.malformed', error.message));
    throw error;
  }
};
