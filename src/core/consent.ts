import type { FacilitySettings } from '../protocol/facility-settings.ts';
import type { Consent, ConsentCode, LookupResult } from '../protocol/messages.ts';

/** What a patient is asked to consent to, as it stands on the screen; one topic carries one or more consent codes. */
export type ConsentTopicId = 'treatment-and-drugs' | 'drugs' | 'check-ups' | 'operations' | 'specific-disease';

/** A topic as the catalogue describes it. `textHashes`: SHA-256 (base64url) of the text shown, by language. */
export type ConsentTopic = {
  readonly id: ConsentTopicId;
  readonly codes: readonly ConsentCode[];
  /** May be answered together with others (包括同意); 手術 and 特定疾病 never are. */
  readonly bundled: boolean;
  /** Asked only when every one of these codes is switched on, and none of `unlessAsked`. */
  readonly whenAsked: readonly ConsentCode[];
  readonly unlessAsked: readonly ConsentCode[];
  readonly textHashes: Readonly<Record<string, string>>;
};

/** The consents of one dated catalogue. Valid for `validMs` from the answer. */
export type ConsentCatalogue = {
  readonly version: string;
  readonly validMs: number;
  readonly topics: readonly ConsentTopic[];
};

/** One screen of the consent step. */
export type Question =
  | { readonly kind: 'consent-bundle'; readonly topics: readonly ConsentTopic[] }
  | { readonly kind: 'consent-item'; readonly topic: ConsentTopic }
  | { readonly kind: 'medical-subsidy' }
  | { readonly kind: 'prescription-form' }
  | { readonly kind: 'referral-documents'; readonly documents: NonNullable<LookupResult['pendingDocuments']> }
  | { readonly kind: 'certificate-notice'; readonly state: 'near-expiry' | 'grace' }
  | { readonly kind: 'summary' };

export type ConsentAnswer = {
  readonly topic: ConsentTopic;
  readonly given: boolean;
  readonly atMs: number;
  readonly language: string;
};

/** What has been answered so far; nothing is pre-selected, so an unanswered question simply is not in here. */
export type Answers = {
  readonly consents: readonly ConsentAnswer[];
  readonly medicalSubsidyUse: boolean | null;
  readonly prescriptionForm: 'electronic' | 'paper' | null;
  readonly approvedDocuments: readonly string[];
};

export const noAnswers: Answers = {
  consents: [],
  medicalSubsidyUse: null,
  prescriptionForm: null,
  approvedDocuments: [],
};

const askedCodes = (settings: FacilitySettings): ReadonlySet<ConsentCode> =>
  new Set(
    (
      [
        ['TKK', settings.askTKK],
        ['YZK', settings.askYZK],
        ['SRJ', settings.askSRJ],
        ['SHJ', settings.askSHJ],
        ['TSR', settings.askTSR],
      ] as const
    ).flatMap(([code, asked]) => (asked ? [code] : [])),
  );

/** Topics this facility asks about, in the catalogue's order. */
export const askedTopics = (catalogue: ConsentCatalogue, settings: FacilitySettings): readonly ConsentTopic[] => {
  const asked = askedCodes(settings);
  return catalogue.topics.filter(
    (topic) => topic.whenAsked.every((code) => asked.has(code)) && !topic.unlessAsked.some((code) => asked.has(code)),
  );
};

/**
 * The screens of the consent step. In the months of grace the card gives 資格情報 only: no consent is asked, the patient
 * is told why. A lookup without an answer skips what only it could know (PMH, prescription form, documents).
 */
export const questionsOf = (
  catalogue: ConsentCatalogue,
  settings: FacilitySettings,
  lookup: LookupResult | null,
  certificateState: 'valid' | 'near-expiry' | 'grace' | null,
): readonly Question[] => {
  if (certificateState === 'grace') return [{ kind: 'certificate-notice', state: 'grace' }];
  const topics = askedTopics(catalogue, settings);
  const bundled = topics.filter((topic) => topic.bundled);
  const questions: Question[] = [];
  if (bundled.length > 1) questions.push({ kind: 'consent-bundle', topics: bundled });
  for (const topic of topics) {
    if (bundled.length > 1 && topic.bundled) continue;
    questions.push({ kind: 'consent-item', topic });
  }
  if (settings.medicalSubsidy && lookup?.medicalSubsidy === true) questions.push({ kind: 'medical-subsidy' });
  if (lookup !== null && lookup.prescription.use !== 0 && lookup.prescription.timing === 2)
    questions.push({ kind: 'prescription-form' });
  const documents = settings.referralDocuments ? (lookup?.pendingDocuments ?? []) : [];
  if (documents.length > 0) questions.push({ kind: 'referral-documents', documents });
  if (certificateState === 'near-expiry') questions.push({ kind: 'certificate-notice', state: 'near-expiry' });
  return questions.length === 0 ? [] : [...questions, { kind: 'summary' }];
};

/** 「ひとつずつ選ぶ」: the bundle becomes one question for each of its topics, at the same place. */
export const unbundled = (questions: readonly Question[]): readonly Question[] =>
  questions.flatMap((question) =>
    question.kind === 'consent-bundle'
      ? question.topics.map((topic): Question => ({ kind: 'consent-item', topic }))
      : [question],
  );

/** Answers a topic; a second answer to the same topic replaces the first. */
export const answerTopics = (
  answers: Answers,
  topics: readonly ConsentTopic[],
  given: boolean,
  atMs: number,
  language: string,
): Answers => {
  const answered = new Set(topics.map((topic) => topic.id));
  return {
    ...answers,
    consents: [
      ...answers.consents.filter((answer) => !answered.has(answer.topic.id)),
      ...topics.map((topic) => ({ topic, given, atMs, language })),
    ],
  };
};

/** The consents as they go into the signed request: one entry for each code. */
export const consentRecord = (answers: Answers, catalogueVersion: string): readonly Consent[] =>
  answers.consents.flatMap((answer) =>
    answer.topic.codes.map((code) => ({
      code,
      given: answer.given,
      at: answer.atMs,
      catalogueVersion,
      textHash: answer.topic.textHashes[answer.language] ?? answer.topic.textHashes['ja'] ?? '',
      language: answer.language,
    })),
  );
