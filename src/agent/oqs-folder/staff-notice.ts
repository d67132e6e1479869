import { parseCertificate } from '../../protocol/card/certificate.ts';
import type { EligibilityAnswer, PatientChoices } from '../eligibility/eligibility-service.ts';
import type { JournalVisit, Personal } from '../journal/journal.ts';
import type { EncodingNote } from './oqs-encoding.ts';

/**
 * Something staff should know of a visit, as a word and nothing of the person. With a character where one was special:
 * `name-character:lacking:U+20BB7`.
 */
export type StaffNotice =
  | 'file-not-writable'
  /** The folder stayed shut until the personal data had to be deleted */
  | 'file-given-up'
  | 'several-qualifications'
  | 'ticket-of-another-institution'
  | 'consent-lapsed'
  | 'consent-not-obtainable'
  | 'medical-subsidy-wanted'
  | `documents-opened:${number}`
  /** 薬局: so many e-prescriptions are to be dispensed here */
  | `prescriptions-chosen:${number}`
  /** A name is kept under this 照会番号, and another one was sent */
  | 'kept-name-differs'
  /** The card's certificate ends soon or has ended, with its last day yyyyMMdd */
  | `certificate:${'near-expiry' | 'grace'}:${string}`
  | `name-character:${EncodingNote['what']}:${string}`;

export const noticesOf = (
  answer: EligibilityAnswer,
  choices: PatientChoices,
  notes: readonly EncodingNote[],
  documents: 'referrals' | 'prescriptions',
): StaffNotice[] => {
  const tickets = answer.qualifications.flatMap((one) => one.PublicExpenseResultList?.MedicalTicketInfo ?? []);
  const notices: StaffNotice[] = notes.map(({ what, codePoint }) => `name-character:${what}:${codePoint}` as const);
  // 指定医療機関確認フラグ: anything but 1 means the ticket names another institution
  if (tickets.some((one) => (one.DesignatedMedicalInstitutionFlag ?? '1') !== '1'))
    notices.push('ticket-of-another-institution');
  if (answer.qualificationValidity === 5) notices.push('several-qualifications');
  if (answer.consentSituation === 'lapsed') notices.push('consent-lapsed');
  if (answer.consentSituation === 'not-obtainable') notices.push('consent-not-obtainable');
  if (choices.medicalSubsidyUse === true) notices.push('medical-subsidy-wanted');
  const chosen = choices.approvedDocuments.length;
  if (chosen > 0)
    notices.push(documents === 'referrals' ? `documents-opened:${chosen}` : `prescriptions-chosen:${chosen}`);
  return [...new Set(notices)];
};

/** When the card's certificate ends or ended, where that is near. ms since 1970 */
export const soonEndOf = (
  { certificateState: state }: JournalVisit,
  { authCertificate }: Personal,
): { readonly state: 'near-expiry' | 'grace'; readonly atMs: number } | null => {
  if (authCertificate === undefined || (state !== 'near-expiry' && state !== 'grace')) return null;
  const parsed = parseCertificate(new Uint8Array(Buffer.from(authCertificate, 'base64url')));
  return parsed.ok ? { state, atMs: parsed.value.notAfterMs } : null;
};
