import type { Challenge, Consent, EligibilityRequest } from '../../wire/messages.ts';
import type { RequestKind, Visit } from './session.ts';

/** Who asks: the terminal and the counter it stands at. */
export type Terminal = { readonly facility: string; readonly device: string; readonly lane: number };

type RequestParts = {
  readonly terminal: Terminal;
  readonly kind: RequestKind;
  readonly visit: Visit;
  readonly requestId: string;
  readonly challenge: Challenge;
  readonly catalogueVersion: string;
  readonly consents: Consent[];
  /** base64url of DER; null when the chip could not be read (staff path) */
  readonly authCertificate: string | null;
  /** By the agent's clock, as told with the challenge */
  readonly issuedAtMs: number;
};

/**
 * The document that card and device sign. Nothing signed outlives its challenge. 限度額適用認定証等 follows the notice of
 * 2024-10-07 (no question at the reader), recorded by name. Throws when the visit is not verified: a programmer's error.
 */
export const buildRequest = (parts: RequestParts): EligibilityRequest => {
  const { visit, challenge } = parts;
  const { verification, answers } = visit;
  if (verification.state !== 'verified') throw new Error('a request is built for a verified visit only');
  const state = visit.identity?.certificateState;
  const asks = parts.kind === 'eligibility' && state !== 'grace';
  return {
    ...parts.terminal,
    kind: parts.kind,
    requestId: parts.requestId,
    session: visit.session,
    agent: challenge.agent,
    challenge: challenge.nonce,
    verificationMethod: verification.method,
    verificationOutcome: 'verified',
    ...(parts.authCertificate === null ? {} : { authCertificate: parts.authCertificate }),
    ...(verification.staffApproval === null ? {} : { staffApproval: verification.staffApproval }),
    ...(state === undefined || state === 'dead' ? {} : { certificateState: state }),
    consents: asks ? parts.consents : [],
    // 資格情報 includes 限度額: it is given in the months of grace, too, where nothing is asked.
    ...(parts.kind === 'eligibility' ? { limitApplicationBasis: 'notice-2024-10-07' as const } : {}),
    ...(asks && answers.medicalSubsidyUse !== null ? { medicalSubsidyUse: answers.medicalSubsidyUse } : {}),
    ...(asks && answers.prescriptionForm !== null ? { prescriptionForm: answers.prescriptionForm } : {}),
    ...(asks && answers.approvedDocuments.length > 0 ? { approvedDocuments: [...answers.approvedDocuments] } : {}),
    ...(asks && visit.preCheckIn !== null ? { preCheckIn: visit.preCheckIn } : {}),
    catalogueVersion: parts.catalogueVersion,
    issuedAt: parts.issuedAtMs,
    expiresAt: challenge.expiresAt,
  };
};
