import type { FacilitySettings } from '../../wire/facility-settings.ts';
import type { Consent, ConsentCode, LookupResult } from '../../wire/messages.ts';
import type { ConsentCatalogue, ConsentQuestionRule, ConsentSubject } from './consent-catalogue.ts';

/** One question about consents as this facility asks it: a catalogue rule with the items that are switched on. */
export type ConsentTopic = {
  readonly id: string;
  readonly screen: ConsentQuestionRule['screen'];
  readonly codes: readonly ConsentCode[];
  /** May be answered together with others (包括同意); 手術 and 特定疾病 never are. */
  readonly bundled: boolean;
  /** Which texts name it */
  readonly subject: ConsentSubject;
};

/** One screen of the consent step. */
export type Question =
  | { readonly kind: 'consent-bundle'; readonly topics: readonly ConsentTopic[] }
  | { readonly kind: 'consent-item'; readonly topic: ConsentTopic }
  | { readonly kind: 'medical-subsidy' }
  | { readonly kind: 'prescription-form' }
  | { readonly kind: 'referral-documents'; readonly documents: NonNullable<LookupResult['pendingDocuments']> }
  /** 薬局: the e-prescriptions that wait for this patient; the chosen ones are dispensed here */
  | { readonly kind: 'waiting-prescriptions'; readonly documents: NonNullable<LookupResult['pendingDocuments']> }
  | { readonly kind: 'certificate-notice'; readonly state: 'near-expiry' | 'grace' }
  | PreCheckInQuestion
  | { readonly kind: 'summary' };

/** What was answered beforehand, to be confirmed as it stands or changed (answered-before.ts). */
export type PreCheckInQuestion = {
  readonly kind: 'pre-check-in';
  readonly answers: readonly { readonly topic: ConsentTopic; readonly given: boolean }[];
};

type ConsentQuestion = Extract<Question, { kind: 'consent-bundle' | 'consent-item' | 'pre-check-in' }>;

type ConsentAnswer = {
  readonly topic: ConsentTopic;
  /** The question as it stood on the screen: what the text hash of the record is made from */
  readonly question: Question;
  readonly given: boolean;
  /** When, on the clock that nobody sets: a wall clock that is put right meanwhile moves no answer. monotonic ms */
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

/** Whether this facility asks for an item: its own word, else the default of its kind at this date. */
export const isAsked = (
  code: ConsentCode,
  { items, kinds }: Pick<ConsentCatalogue, 'items' | 'kinds'>,
  { asks, institutionType }: Pick<FacilitySettings, 'asks' | 'institutionType'>,
): boolean =>
  asks[code] ?? kinds[institutionType].asks[code] ?? items.find((item) => item.code === code)?.facilityDefault ?? false;

/** The questions this facility asks, in the order of its kind; a rule whose items are all switched off falls out. */
export const askedTopics = (catalogue: ConsentCatalogue, settings: FacilitySettings): readonly ConsentTopic[] => {
  const { order } = catalogue.kinds[settings.institutionType];
  const rank = ({ id }: ConsentTopic): number => (order.includes(id) ? order.indexOf(id) : order.length);
  return catalogue.questions
    .flatMap((rule) => {
      const codes = rule.codes.filter((code) => isAsked(code, catalogue, settings));
      const subject = rule.subjects[codes.join('+')];
      return subject === undefined ? [] : [{ id: rule.id, screen: rule.screen, codes, bundled: rule.bundled, subject }];
    })
    .sort((a, b) => rank(a) - rank(b));
};

/**
 * The screens of the consent step. In the months of grace the card gives 資格情報 only: no consent is asked, the patient
 * is told why. A lookup without an answer skips what only it could know (PMH, prescription form, documents).
 * `certificateState` undefined: the chip could not be read. 資格情報 rests on the staff check alone: no consents are asked.
 */
export const questionsOf = (
  catalogue: ConsentCatalogue,
  settings: FacilitySettings,
  lookup: LookupResult | null,
  certificateState: 'valid' | 'near-expiry' | 'grace' | 'dead' | undefined,
): readonly Question[] => {
  if (certificateState === undefined) return [];
  if (certificateState === 'grace') return [{ kind: 'certificate-notice', state: 'grace' }];
  // Who holds no 特定疾病療養受療証 is not asked about one.
  const topics = askedTopics(catalogue, settings).filter(
    ({ screen }) => screen !== 'specific-disease' || lookup?.specificDisease !== false,
  );
  const bundled = topics.filter((topic) => topic.bundled);
  const questions: Question[] = [];
  if (bundled.length > 1) questions.push({ kind: 'consent-bundle', topics: bundled });
  for (const topic of topics) {
    if (bundled.length > 1 && topic.bundled) continue;
    questions.push({ kind: 'consent-item', topic });
  }
  if (settings.medicalSubsidy && lookup?.medicalSubsidy === true) questions.push({ kind: 'medical-subsidy' });
  const kind = catalogue.kinds[settings.institutionType];
  if (kind.prescriptionForm && lookup !== null && lookup.prescription.use !== 0 && lookup.prescription.timing === 2)
    questions.push({ kind: 'prescription-form' });
  const documents = lookup?.pendingDocuments ?? [];
  if (documents.length > 0 && kind.pendingDocuments === 'prescriptions' && lookup?.prescription.use !== 0)
    questions.push({ kind: 'waiting-prescriptions', documents });
  if (documents.length > 0 && kind.pendingDocuments === 'referrals' && settings.referralDocuments)
    questions.push({ kind: 'referral-documents', documents });
  if (certificateState === 'near-expiry') questions.push({ kind: 'certificate-notice', state: 'near-expiry' });
  return questions.length === 0 ? [] : [...questions, { kind: 'summary' }];
};

/** Some of it given and some refused: only then is there something to look over before it is signed. */
export const isMixed = ({ consents, medicalSubsidyUse }: Answers): boolean => {
  const given = [...consents.map((answer) => answer.given), ...(medicalSubsidyUse === null ? [] : [medicalSubsidyUse])];
  return new Set(given).size > 1;
};

/** 「ひとつずつ選ぶ」: the bundle becomes one question for each of its topics, at the same place. */
export const unbundled = (questions: readonly Question[]): readonly Question[] =>
  questions.flatMap((question) =>
    question.kind === 'consent-bundle'
      ? question.topics.map((topic): Question => ({ kind: 'consent-item', topic }))
      : [question],
  );

const topicsOf = (question: ConsentQuestion): readonly ConsentTopic[] => {
  if (question.kind === 'consent-item') return [question.topic];
  return question.kind === 'consent-bundle' ? question.topics : question.answers.map(({ topic }) => topic);
};

/** Answers the topics of one question; a later answer to the same topic replaces the first. */
export const answerQuestion = (
  answers: Answers,
  question: ConsentQuestion,
  given: boolean,
  atMs: number,
  language: string,
): Answers => {
  const topics = topicsOf(question);
  const answered = new Set(topics.map((topic) => topic.id));
  return {
    ...answers,
    consents: [
      ...answers.consents.filter((answer) => !answered.has(answer.topic.id)),
      ...topics.map((topic) => ({ topic, question, given, atMs, language })),
    ],
  };
};

/**
 * The consents as they go into the signed request, one entry for each code. `textHashOf`: SHA-256 of what was shown.
 * `at` is still monotonic: whoever signs knows what time it was then.
 */
export const consentRecord = (
  answers: Answers,
  catalogueVersion: string,
  textHashOf: (question: Question, language: string) => string,
): Consent[] =>
  answers.consents.flatMap((answer) =>
    answer.topic.codes.map((code) => ({
      code,
      given: answer.given,
      at: answer.atMs,
      catalogueVersion,
      textHash: textHashOf(answer.question, answer.language),
      language: answer.language,
    })),
  );
