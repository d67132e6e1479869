import { z } from 'zod';
import type { FailureCode } from '../../core/failure.ts';
import { type ConsentCode, consentCode } from '../../wire/messages.ts';
import type { NamesByElement } from './kept-names.ts';
import type { Lease } from './leases.ts';

/** `renewed`: issued within days, so that the service may not know it yet */
const certificateWords = ['valid', 'near-expiry', 'grace', 'renewed'] as const;

const consentsSchema = z.record(consentCode, z.boolean());

/** One row of `request`, as the demo, the staff page and the reports read it: no name, no number of a person. */
export const visitSchema = z.object({
  requestId: z.string(),
  device: z.string(),
  lane: z.number(),
  session: z.string(),
  kind: z.enum(['eligibility', 'registration', 'test']),
  documentHash: z.string(),
  method: z.enum(['face', 'pin', 'staff']),
  consents: z.string().transform((text) => consentsSchema.parse(JSON.parse(text))),
  /** The verdict on the document, as the receipt says it */
  verdict: z.enum(['accepted', 'refused']),
  /** Why: of a refusal, or of the outcome `failed` */
  code: z.string().nullable(),
  /** ms since 1970: signed on the device, received here (= the receipt's time), end of the document's life */
  issuedAt: z.number(),
  receivedAt: z.number(),
  expiresAt: z.number(),
  /** What the national service said; null while it has not answered */
  outcome: z.enum(['eligible', 'not-eligible', 'registered', 'failed', 'tested']).nullable(),
  qualificationValidity: z.number().nullable(),
  finishedAt: z.number().nullable(),
  /** Name of the file for the レセコン, and when it was there */
  file: z.string().nullable(),
  handedOverAt: z.number().nullable(),
  /** When what was left to do was given up: the personal data it needed had had its time, or no file can say it */
  givenUpAt: z.number().nullable(),
  /** When the terminal said that the patient had left without the answer */
  lateAt: z.number().nullable(),
  /** How the card's certificate stood when the request came; null: not read, or a row of before 2026-12 */
  certificateState: z.enum(certificateWords).nullable(),
});
export type JournalVisit = z.infer<typeof visitSchema>;

export const visitColumns = `request_id AS requestId, device, lane, session, kind, document_hash AS documentHash, method,
  consents, verdict, code, issued_at AS issuedAt, received_at AS receivedAt, expires_at AS expiresAt,
  outcome, qualification_validity AS qualificationValidity,
  finished_at AS finishedAt, file, handed_over_at AS handedOverAt,
  given_up_at AS givenUpAt, late_at AS lateAt, certificate AS certificateState`;

/** What is needed to ask the service once more after a crash, and nothing that it answered. */
export const personalSchema = z.strictObject({
  /** DER, base64; absent when the chip could not be read */
  authCertificate: z.string().optional(),
  certificateSerial: z.string().optional(),
  /** From the signed 券面, face path only: DF22 yyyyMMdd and DF23 */
  birthdate: z.string().optional(),
  sex: z.enum(['1', '2', '9']).optional(),
  limitApplication: z.boolean(),
  prescriptionForm: z.enum(['electronic', 'paper']).optional(),
  approvedDocuments: z.array(z.string()).default([]),
  medicalSubsidyUse: z.boolean().optional(),
  /** The pre-check-in that this visit was offered */
  preCheckIn: z.string().optional(),
  /** What the consents opened when they were given; absent in rows of before 2026-12 */
  catalogueVersion: z.string().optional(),
  consentTimes: z.array(z.strictObject({ code: consentCode, given: z.boolean(), at: z.number() })),
});
export type Personal = z.infer<typeof personalSchema>;

export type JournalChallenge = { readonly nonce: string; readonly issuedAt: number; readonly expiresAt: number };

export type NewRequest = {
  readonly requestId: string;
  readonly device: string;
  readonly lane: number;
  readonly session: string;
  readonly kind: JournalVisit['kind'];
  readonly documentHash: string;
  readonly method: 'face' | 'pin' | 'staff';
  readonly consents: Record<ConsentCode, boolean>;
  readonly challenge: string;
  /** Staff path: hash of the certificate that the approval is used for, '' without one */
  readonly certificate: string;
  readonly certificateState?: JournalVisit['certificateState'];
  /** `code` undefined = accepted, if the challenge holds */
  readonly code: FailureCode | undefined;
  readonly issuedAt: number;
  readonly receivedAt: number;
  readonly expiresAt: number;
  /** Kept for an accepted request until hand-over, and no longer than this. ms of the journal's age */
  readonly personal: Personal;
  readonly personalLifeMs: number;
  /** Of several agents on one journal: this one goes on with it after the receipt, unless it dies */
  readonly recordedBy?: string;
  /** The wall clock may end a challenge; else its age by the journal alone does. Default true */
  readonly datesCount?: boolean;
};

/** The row that `record` writes, as `visit` would read it. */
export const visitOf = (request: NewRequest, code: FailureCode | undefined): JournalVisit => ({
  requestId: request.requestId,
  device: request.device,
  lane: request.lane,
  session: request.session,
  kind: request.kind,
  documentHash: request.documentHash,
  method: request.method,
  consents: request.consents,
  verdict: code === undefined ? 'accepted' : 'refused',
  code: code ?? null,
  issuedAt: request.issuedAt,
  receivedAt: request.receivedAt,
  expiresAt: request.expiresAt,
  outcome: null,
  qualificationValidity: null,
  finishedAt: null,
  file: null,
  handedOverAt: null,
  givenUpAt: null,
  lateAt: null,
  certificateState: request.certificateState ?? null,
});

/**
 * `other-document`: the id is taken by a document with another hash; nothing was written. `lease`: with which whoever recorded it
 * goes on; null: nobody does.
 */
export type RecordOutcome =
  | { readonly kind: 'recorded'; readonly visit: JournalVisit; readonly lease: Lease | null }
  | { readonly kind: 'repeated'; readonly visit: JournalVisit }
  | { readonly kind: 'other-document' };

/** Of a request that was recorded a moment ago: what it holds, and that it is ours to go on with */
export type Fresh = { readonly personal: Personal; readonly lease: Lease };

export type Outcome = {
  readonly outcome: NonNullable<JournalVisit['outcome']>;
  readonly code?: FailureCode;
  readonly qualificationValidity?: number;
  readonly at: number;
};

/**
 * `failedBefore`: a failure that was told already has given its place. `visit`: as it stands now; undefined: there is none.
 * `isAnsweredOtherwise`: another request of the visit has its answer
 */
export type Finished = {
  readonly failedBefore: boolean;
  readonly visit: JournalVisit | undefined;
  readonly isAnsweredOtherwise: boolean;
};

/** 一括照会 in work. `source`: which file asked, so that the same file again is the same inquiry. */
export type BulkInquiry = { readonly receptionNumber: string; readonly source: string; readonly questions: string };

/** `referenceNumber`: 照会番号, '' = a new chart. `notices`: words of `staff-notice.ts`. `openNames`: as sent, with ●, by qualification. */
export type TodayNote = {
  readonly referenceNumber: string;
  readonly notices: readonly string[];
  readonly openNames?: readonly NamesByElement[];
};

export const todayNoteOf = (row: Record<string, unknown>): TodayNote => ({
  referenceNumber: String(row.reference_number),
  notices: JSON.parse(String(row.notices)) as string[],
  // A day's note of a release that kept one for all qualifications is a list of one.
  openNames: [JSON.parse(String(row.open_names ?? '[]')) as NamesByElement | NamesByElement[]].flat(),
});

export type UsageRow = {
  readonly month: string;
  readonly lane: number;
  readonly kind: JournalVisit['kind'];
  readonly method: JournalVisit['method'];
  readonly outcome: string;
  readonly code: string;
  readonly times: number;
};
export type OfficialUsage = { readonly month: string; readonly cardUses: number; readonly confirmations: number };
