import { flattenedVerify, importJWK } from 'jose';
import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { certificateStateAt } from '../../core/visit/certificate-state.ts';
import type { CertificateState } from '../../core/visit/identity.ts';
import { fromBase64url, toBase64url } from '../../protocol/base64url.ts';
import { equalBytes } from '../../protocol/bytes.ts';
import { type AuthCertificate, checkAuthCertificate, parseCertificate } from '../../protocol/card/certificate.ts';
import type { RsaPublicKey } from '../../protocol/card/digest-info.ts';
import { checkVisualEvidence, type ProvenVisual } from '../../protocol/card/visual-ap.ts';
import { type JwsSignature, type ParsedDocument, parseDocument } from '../../protocol/evidence.ts';
import { cardCryptography } from '../../trust/card-cryptography.ts';
import { hashOf } from '../../trust/document-hash.ts';
import { openSigned, type VerificationKey } from '../../trust/seal.ts';
import { type EligibilityRequest, type StaffApproval, staffApprovalSchema } from '../../wire/messages.ts';
import { type CardTrust, issuerOf } from '../provisioning/card-trust.ts';
import { forgetOldest } from './recent-ids.ts';

export type EvidenceContext = {
  readonly facility: string;
  /** The device on whose topic the request came, from the registry */
  readonly device: { readonly device: string; readonly lane: number; readonly signing: VerificationKey };
  /** Whose approvals stand in this journal, where the one use of each is kept: all agents' where they share it */
  readonly approvers: readonly string[];
  readonly agents: readonly VerificationKey[];
  readonly trust: CardTrust;
  /** The agent's clock */
  readonly nowMs: number;
  /** That clock may refuse by a date; default true. Otherwise dates are left to the national service. */
  readonly datesCount?: boolean;
};

export type CheckedCertificate = {
  readonly certificate: AuthCertificate;
  readonly state: Exclude<CertificateState, 'dead'>;
};

/** What is proven once every required signature held. */
export type EvidenceVerdict = {
  readonly request: EligibilityRequest;
  /** null only on the staff path, when the chip could not be read */
  readonly certificate: CheckedCertificate | null;
  /** Face path: birth date and sex for the comparison with the service's answer (`checkSamePerson`); forget them after it. */
  readonly visual: ProvenVisual | null;
  readonly approval: StaffApproval | null;
};

const forged = (detail: string) => err(failure('message.forged', detail));
const malformed = (detail: string) => err(failure('message.malformed', detail));
const invalid = (detail: string) => err(failure('card.certificate-invalid', detail));

export const rsaKey = ({ modulus, exponent }: RsaPublicKey) =>
  importJWK({ kty: 'RSA', n: toBase64url(modulus), e: toBase64url(exponent) }, 'RS256');

/** One signature by one key and one algorithm. `generalVerify` would stop at the first valid one of a document. */
const holds = async (
  payload: string,
  jws: JwsSignature,
  key: Parameters<typeof flattenedVerify>[1],
  algorithm: 'RS256' | 'ES256',
): Promise<boolean> =>
  flattenedVerify({ payload, ...jws }, key, { algorithms: [algorithm] }).then(
    () => true,
    () => false,
  );

/** Of the patients at the terminals now: the certificate of a lookup comes again with the request. */
const rememberedCertificates = 8;
const provenBy = new WeakMap<CardTrust, Map<string, AuthCertificate>>();

/** What of a certificate does not change with time: structure, usage, issuer. By the hash of its bytes. */
const proveCertificate = (der: Uint8Array, trust: CardTrust): Result<AuthCertificate> => {
  const proven = provenBy.get(trust) ?? new Map<string, AuthCertificate>();
  provenBy.set(trust, proven);
  const hash = hashOf(der);
  const known = proven.get(hash);
  if (known !== undefined) return ok(known);
  const parsed = parseCertificate(der);
  if (!parsed.ok) return parsed;
  const checked = checkAuthCertificate(parsed.value);
  if (!checked.ok) return checked;
  if (issuerOf(checked.value, trust.certificateIssuers) === null)
    return invalid('no trusted issuer made the signature');
  proven.set(hash, checked.value);
  forgetOldest(proven, rememberedCertificates);
  return checked;
};

/**
 * Structure, usage, issuer by signature, dates. Revocation is asked of the national service, not told by the bytes.
 * `card.certificate-invalid`, `card.certificate-expired`.
 */
export const checkCardCertificate = (
  der: Uint8Array,
  trust: CardTrust,
  nowMs: number,
  datesCount = true,
): Result<CheckedCertificate> => {
  const proven = proveCertificate(der, trust);
  if (!proven.ok) return proven;
  const certificate = proven.value;
  if (!datesCount) return ok({ certificate, state: 'valid' });
  if (nowMs < certificate.notBeforeMs) return invalid('not yet valid');
  const state = certificateStateAt('my-number-card', certificate.notAfterMs, nowMs);
  return state === 'dead'
    ? err(failure('card.certificate-expired', 'beyond the months of grace'))
    : ok({ certificate, state });
};

const checkPayload = ({ request }: ParsedDocument, context: EvidenceContext): Result<void> => {
  const { device, lane } = context.device;
  if (request.facility !== context.facility || request.device !== device) return forged('request for another lane');
  if (request.lane !== lane) return malformed('lane number of another device');
  const codes = request.consents.map(({ code }) => code);
  if (new Set(codes).size !== codes.length) return malformed('a consent twice');
  const isStaff = request.verificationMethod === 'staff';
  if (isStaff !== (request.staffApproval !== undefined)) return malformed('staff approval and method do not fit');
  if (!isStaff && request.authCertificate === undefined) return malformed('no authCertificate');
  if (context.datesCount !== false && request.expiresAt <= context.nowMs)
    return err(failure('delivery.expired', 'the request outlived its challenge'));
  return ok(undefined);
};

const checkCardSignature = async (
  { card, payload }: ParsedDocument,
  certificate: CheckedCertificate | null,
  authCertificate: Uint8Array | null,
  trust: CardTrust,
): Promise<Result<ProvenVisual | null>> => {
  if (card === null) return ok(null);
  if (card.method === 'face') {
    const proven = checkVisualEvidence(card.visual, trust.visualIssuers, cardCryptography);
    if (!proven.ok) return proven;
    const genuine = await holds(payload, card.jws, await rsaKey(proven.value.publicKey), 'RS256');
    return genuine ? proven : err(failure('card.presence-proof-failed', 'signature of the 券面 key'));
  }
  if (certificate === null || authCertificate === null || !equalBytes(card.authCertificate, authCertificate))
    return forged('x5c is not the authCertificate of the payload');
  const { publicKey } = certificate.certificate;
  return (await holds(payload, card.jws, await rsaKey(publicKey.key), 'RS256')) ? ok(null) : forged('card signature');
};

const checkApproval = async (
  request: EligibilityRequest,
  { facility, device, approvers, agents, nowMs, datesCount = true }: EvidenceContext,
): Promise<Result<StaffApproval | null>> => {
  if (request.staffApproval === undefined) return ok(null);
  const addressee = { facility, device: device.device };
  const bytes = new TextEncoder().encode(request.staffApproval);
  const opened = await openSigned('staff-approval', bytes, staffApprovalSchema, agents, addressee);
  if (!opened.ok) return opened;
  const approval = opened.value.message;
  if (!approvers.includes(opened.value.signer)) return forged('staff approval of another agent');
  if (approval.session !== request.session) return forged('staff approval of another visit');
  return datesCount && approval.expiresAt <= nowMs ? err(failure('delivery.expired', 'staff approval')) : ok(approval);
};

/** Whose request it is: without this nothing else that a document says counts. `message.forged`. */
export const verifyDevice = async (
  { payload, device }: ParsedDocument,
  { signing }: EvidenceContext['device'],
): Promise<Result<void>> =>
  device.kid === signing.kid && (await holds(payload, device.jws, signing.key, 'ES256'))
    ? ok(undefined)
    : forged('device signature');

/** All but the device's signature: payload, certificate, card signature or approval. */
export const verifyPatient = async (
  document: ParsedDocument,
  context: EvidenceContext,
): Promise<Result<EvidenceVerdict>> => {
  const { request } = document;
  const plausible = checkPayload(document, context);
  if (!plausible.ok) return plausible;
  const authCertificate = request.authCertificate === undefined ? null : fromBase64url(request.authCertificate);
  if (request.authCertificate !== undefined && authCertificate === null) return malformed('authCertificate');
  const checked =
    authCertificate === null
      ? null
      : checkCardCertificate(authCertificate, context.trust, context.nowMs, context.datesCount);
  if (checked !== null && !checked.ok) return checked;
  const certificate = checked === null ? null : checked.value;
  if (certificate?.state === 'grace' && request.consents.some(({ given }) => given))
    return invalid('consents with a certificate in grace');

  const visual = await checkCardSignature(document, certificate, authCertificate, context.trust);
  if (!visual.ok) return visual;
  const approval = await checkApproval(request, context);
  if (!approval.ok) return approval;
  return ok({ request, certificate, visual: visual.value, approval: approval.value });
};

/**
 * Verifies each signature that the request's method asks for, the chain behind it, and what can be told from the
 * document alone. The caller still checks the challenge (its own, once), the catalogue version and the journal.
 *
 * Failures: `message.malformed` (shape), `message.forged` (device, PIN-path or approval signature, another lane or
 * visit), `delivery.expired`, `card.certificate-invalid`, `card.certificate-expired`, `card.visual-proof-failed`,
 * `card.presence-proof-failed`.
 */
export const verifyEvidence = async (
  document: Uint8Array,
  context: EvidenceContext,
): Promise<Result<EvidenceVerdict>> => {
  const parsed = parseDocument(document);
  if (!parsed.ok) return parsed;
  const [device, patient] = await Promise.all([
    verifyDevice(parsed.value, context.device),
    verifyPatient(parsed.value, context),
  ]);
  return device.ok ? patient : device;
};
