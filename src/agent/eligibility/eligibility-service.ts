import type { Result } from '../../core/result.ts';
import type { AnswerForFile } from '../../protocol/oqs/oqs-xml-face.ts';
import type { ConsentCode, LookupResult } from '../../wire/messages.ts';

/** A card in the reader. `authCertificate`: DER of the 利用者証明用電子証明書; `certificateSerial`: upper-case hexadecimal. */
export type CardReference = {
  readonly certificateSerial: string;
  readonly authCertificate: Uint8Array;
  /** The request on whose behalf the service is asked (before there is one, the visit's session): the same id in every log */
  readonly requestId: string;
};

/** Birth date yyyyMMdd, and Sex1 of the file (1 男 2 女 3 未設定): for the comparison with the signed 券面 alone. */
export type PersonOfService = { readonly birthdate: string; readonly sex: '1' | '2' | '3' };

export type LookupAnswer = {
  readonly registered: 'yes' | 'no' | 'unknown';
  readonly certificateStatus: 'good' | 'revoked' | 'unknown';
  /** The patient has a 受給者証 of a 医療費助成 that this site may ask for (PMH) */
  readonly medicalSubsidy: boolean;
  /** 特定疾病療養受療証; left out: not known before the visit */
  readonly specificDisease?: boolean;
  /** 診療情報提供書 that wait for the patient's consent (同意保留文書一覧) */
  readonly pendingDocuments: NonNullable<LookupResult['pendingDocuments']>;
  /** 電子処方箋 that wait for this patient, for a 薬局 to dispense. The field of the official interface is not public. */
  readonly waitingPrescriptions: NonNullable<LookupResult['pendingDocuments']>;
  /** Never sent to a terminal */
  readonly person: PersonOfService;
};

export type EligibilityAnswer = AnswerForFile & PersonOfService & { readonly certificateStatus: 'good' | 'revoked' };

/** What the patient decided at the reader: the national service keeps consents, and opens the documents that were chosen. */
export type PatientChoices = {
  readonly consents: readonly { readonly code: ConsentCode; readonly given: boolean; readonly at: number }[];
  /** Ids of `pendingDocuments` that become 閲覧可, or of `waitingPrescriptions` that are dispensed here */
  readonly approvedDocuments: readonly string[];
  /** 医療費助成の受給者証を利用する; undefined: not asked */
  readonly medicalSubsidyUse?: boolean;
  /** The pre-check-in that this visit was offered: it has served */
  readonly preCheckIn?: string;
};

/** What a number inquiry asks (照会番号 excepted): from `req/OQSsiquc01req_…xml` or one line of a 一括照会. */
export type NumberInquiry = {
  readonly insurerNumber: string;
  readonly insuredCardSymbol?: string;
  readonly insuredIdentificationNumber: string;
  readonly insuredBranchNumber?: string;
  readonly birthdate?: string;
};

/**
 * The national service (オンライン資格確認等システム) as the clinic's end needs it.
 *
 * Public: that the reader's software calls マイナンバーカード処理ソフト on the 資格確認端末 with
 * 「PIN無し認証による資格確認API」「暗証番号入力による資格確認API」「PIN無し認証による初回登録API」; the codes and the
 * files that come out (`src/protocol/oqs/oqs-xml-schema.ts`); that an answer takes 3 to 7 s.
 * Not public: the signatures of these calls, how the card's proof is handed over, the error codes in full. Whoever holds
 * the contract writes a second implementation of this interface; nothing else in the house knows which one runs.
 *
 * Failures: `eligibility.not-registered`, `eligibility.not-found` (該当資格なし), `eligibility.unavailable` (the service
 * itself says that it is down, or an answer nobody can read), `eligibility.line-down` (its address is not reached),
 * `eligibility.jpki-unavailable` (it cannot ask JPKI), `eligibility.maintenance`; what cannot be told apart is
 * `eligibility.no-answer`: staff telephone by these. Every call may be repeated with the same effect.
 */
export interface EligibilityService {
  /**
   * What the reader must know before it asks: runs while the patient is being verified. Changes nothing; whoever shows
   * the face of one person and the certificate of another is found out by its answer, before anything is registered,
   * consented to or told.
   */
  lookup(card: CardReference): Promise<Result<LookupAnswer>>;
  /**
   * What the holder of this card or phone signed beforehand for this facility (`pre-check-in-messages.ts`), newest first, at
   * most 4; whoever asks verifies all of it. A proposal of this project: only a service that knows it has this method, and of
   * all there is the simulated one does.
   */
  preCheckIns?(card: CardReference, medicalInstitutionCode: string): Promise<Result<readonly string[]>>;
  /** 健康保険証利用の申込 (初回登録); again = no effect. */
  register(card: CardReference): Promise<Result<void>>;
  /** 資格確認 by card, with what the patient decided. */
  check(card: CardReference, choices: PatientChoices): Promise<Result<EligibilityAnswer>>;
  /** 照会番号登録: later answers about this person carry the clinic's chart number. Again = the newest holds. */
  registerReference(inquiry: NumberInquiry, referenceNumber: string): Promise<Result<void>>;
  /** Whether its address takes a connection now, whatever it then says; null: that cannot be told here. Within 1 s. */
  isReached(): Promise<boolean | null>;
  /** 資格確認 by number, for the レセコン and 一括照会. */
  inquire(inquiry: NumberInquiry): Promise<Result<EligibilityAnswer>>;
}
