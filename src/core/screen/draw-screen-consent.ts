import type { FacilitySettings } from '../../wire/facility-settings.ts';
import { confirmed } from '../catalogue/answered-before.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import {
  type Answers,
  type ConsentTopic,
  noAnswers,
  type PreCheckInQuestion,
  type Question,
} from '../catalogue/consent.ts';
import type { Visit } from '../visit/session.ts';
import { control, type DrawnControl, type Part, part } from './draw-screen-part.ts';
import { type Dictionary, dictionaryOf, together, type Words } from './draw-screen-words.ts';
import { spokenDate, spokenTitle } from './japanese-reading.ts';

type Institution = FacilitySettings['institutionType'];

const agreeOrDecline = (d: Dictionary, agree: string, decline: string): readonly DrawnControl[] => [
  control('agree', 'equal', d.words(agree)),
  control('decline', 'equal', d.words(decline)),
];

const itemOf = (d: Dictionary, topic: ConsentTopic): { label: Words; note: Words } => ({
  label: d.words(`subject.${topic.subject}`),
  note: d.words(`subject.${topic.subject}.note`),
});

type ConsentWords = {
  readonly heading: Words;
  readonly lead: readonly Words[];
  readonly note: Words;
  readonly items: readonly { readonly label: Words; readonly note: Words }[];
  readonly controls: readonly DrawnControl[];
};

/** The words of a question about consents: drawn, spoken, and hashed into the record. */
const consentWords = (
  d: Dictionary,
  question: Extract<Question, { kind: 'consent-bundle' | 'consent-item' }>,
  institution: Institution,
): ConsentWords => {
  const note = d.words(`consent.free.${institution}`);
  if (question.kind === 'consent-bundle')
    return {
      heading: d.words(`consent.heading.${institution}`),
      lead: [d.words('consent.lead')],
      note,
      items: question.topics.map((topic) => itemOf(d, topic)),
      controls: agreeOrDecline(d, 'control.agree', 'control.decline'),
    };
  const item = itemOf(d, question.topic);
  if (question.topic.screen === 'specific-disease')
    return {
      heading: d.words('specific-disease.heading'),
      lead: [d.words('specific-disease.lead')],
      note,
      items: [item],
      controls: agreeOrDecline(d, 'control.provide', 'control.withhold'),
    };
  return {
    heading: d.words(`consent.item-heading.${institution}`, { subject: item.label }),
    lead: [],
    note,
    items: [item],
    controls: agreeOrDecline(d, 'control.agree', 'control.decline'),
  };
};

/**
 * The text of a consent question as it stood on the screen, line by line: what the consent record's `textHash` is the
 * SHA-256 of (UTF-8). Throws on other kinds of question: they carry no consent.
 */
export const consentTextOf = (
  catalogue: Catalogue,
  language: string,
  question: Question,
  institution: Institution,
): string => {
  if (question.kind !== 'consent-bundle' && question.kind !== 'consent-item' && question.kind !== 'pre-check-in')
    throw new Error(`no consent is given on ${question.kind}`);
  const d = dictionaryOf(catalogue, language);
  const texts =
    question.kind === 'pre-check-in'
      ? preCheckInTexts(d, question, institution)
      : consentTexts(consentWords(d, question, institution));
  return [...texts, d.words('consent.validity')].map((each) => each.text).join('\n');
};

const consentTexts = (words: ConsentWords): readonly Words[] => [
  words.heading,
  ...words.lead,
  ...words.items.flatMap((item) => [item.label, item.note]),
  words.note,
  ...words.controls.map((each) => each.label),
];

/**
 * What was answered beforehand, one topic to a line of its own: its text, for the record, is that of the screen as far as it
 * speaks of this topic.
 */
const preCheckInWords = (d: Dictionary, institution: Institution) => ({
  heading: d.words('pre-check-in.heading'),
  lead: [d.words('pre-check-in.lead')],
  note: d.words(`consent.free.${institution}`),
  controls: [
    control('confirm', 'equal', d.words('control.confirm')),
    control('start-over', 'equal', d.words('control.pre-check-in-change')),
  ],
});

const preCheckInTexts = (
  d: Dictionary,
  { answers }: PreCheckInQuestion,
  institution: Institution,
): readonly Words[] => {
  const words = preCheckInWords(d, institution);
  return [
    words.heading,
    ...words.lead,
    ...answers.flatMap(({ topic, given }) => [
      d.words(given ? 'summary.provided' : 'summary.withheld'),
      d.words(`subject.${topic.subject}`),
    ]),
    words.note,
    ...words.controls.map((each) => each.label),
  ];
};

const remainingOf = (d: Dictionary, visit: Visit): Words | null => {
  const isAsked = ({ kind }: Question): boolean => kind !== 'summary' && kind !== 'certificate-notice';
  const questions = visit.questions ?? [];
  const left = questions.slice(visit.questionIndex).filter(isAsked).length;
  if (left === 0 || questions.filter(isAsked).length < 2) return null;
  return left > 1 ? d.words('remaining', { count: left }) : d.words('remaining.last');
};

const summaryPart = (d: Dictionary, visit: Visit, controls: readonly DrawnControl[]): Part => {
  const closing = closingOf(d, visit.answers);
  return part('summary', 3, d, d.words('summary.heading'), {
    body: closing.body,
    bodyWords: closing.words,
    lead: closing.lead,
    controls: [control('confirm', 'primary', d.words('control.confirm')), ...controls],
    promises: [d.words('consent.validity'), d.words('help')],
  });
};

/** What was answered beforehand, as it would be sent: one touch says yes to exactly this, the other begins anew. */
const preCheckInPart = (d: Dictionary, question: PreCheckInQuestion, institution: Institution): Part => {
  const words = preCheckInWords(d, institution);
  const closing = closingOf(d, confirmed(noAnswers, question, 0, d.language));
  return part('pre-check-in', 3, d, words.heading, {
    lead: words.lead,
    note: words.note,
    body: closing.body,
    bodyWords: closing.words,
    controls: words.controls,
    promises: [d.words('consent.validity'), d.words('help')],
  });
};

/** 「今日 提供する情報 / 提供しない情報」 as answered. */
const closingOf = (
  d: Dictionary,
  answers: Answers,
): { readonly body: Part['body']; readonly words: readonly Words[]; readonly lead: readonly Words[] } => {
  const names = (given: boolean): readonly Words[] => {
    const consents = answers.consents
      .filter((answer) => answer.given === given)
      .map((answer) => d.words(`subject.${answer.topic.subject}`));
    const subsidy = answers.medicalSubsidyUse === given ? [d.words('summary.medical-subsidy')] : [];
    const all = [...consents, ...subsidy];
    return all.length === 0 ? [d.words('summary.none')] : all;
  };
  const form = answers.prescriptionForm;
  const providedTitle = d.words('summary.provided');
  const withheldTitle = d.words('summary.withheld');
  return {
    body: {
      kind: 'summary',
      providedTitle: providedTitle.text,
      provided: names(true).map((each) => each.text),
      withheldTitle: withheldTitle.text,
      withheld: names(false).map((each) => each.text),
    },
    words: [providedTitle, ...names(true), withheldTitle, ...names(false)],
    lead: form === null ? [] : [d.words(`summary.prescription.${form}`)],
  };
};

const noticePart = (d: Dictionary, state: 'near-expiry' | 'grace'): Part => {
  const keys =
    state === 'grace'
      ? ['certificate-notice.grace.lead', 'certificate-notice.grace.renew']
      : ['certificate-notice.lead', 'certificate-notice.today'];
  return part(
    'certificate-notice',
    3,
    d,
    d.words(state === 'grace' ? 'certificate-notice.grace.heading' : 'certificate-notice.heading'),
    {
      tone: 'attention',
      lead: keys.map((key) => d.words(key)),
      controls: [control('next', 'primary', d.words('control.understood'))],
    },
  );
};

/** Documents of which the patient picks those that the clinic may have. */
const documentsPart = (
  d: Dictionary,
  { kind, documents }: Extract<Question, { kind: 'waiting-prescriptions' | 'referral-documents' }>,
  chosen: readonly string[],
  {
    remaining,
    startOver,
  }: { readonly remaining: ReturnType<typeof remainingOf>; readonly startOver: readonly ReturnType<typeof control>[] },
): Part =>
  part(kind, 3, d, d.words(`${kind}.heading`), {
    isPrivate: true,
    lead: [d.words(`${kind}.lead`)],
    remaining,
    controls: [
      ...documents.map((document, index) =>
        control('toggle-document', 'row', d.words('referral-documents.item', document), {
          value: document.id,
          pressed: chosen.includes(document.id),
          said: d.words('speech.document', {
            // No foreign voice reads a Japanese title.
            title: d.language.startsWith('ja') ? spokenTitle(document.title) : index + 1,
            date: spokenDate(document.date),
          }),
          note: d.words(chosen.includes(document.id) ? 'referral-documents.chosen' : 'referral-documents.not-chosen'),
        }),
      ),
      control('next', 'primary', d.words('control.next')),
      ...startOver,
    ],
  });

/** The screen of the question that is being asked. */
export const drawQuestion = (d: Dictionary, visit: Visit, settings: FacilitySettings): Part => {
  const question = visit.questions?.[visit.questionIndex];
  const remaining = remainingOf(d, visit);
  const startOver = visit.questionIndex > 0 ? [control('start-over', 'secondary', d.words('control.start-over'))] : [];
  switch (question?.kind) {
    case undefined:
    case 'summary':
      return summaryPart(d, visit, startOver);
    case 'pre-check-in':
      return preCheckInPart(d, question, settings.institutionType);
    case 'certificate-notice':
      return noticePart(d, question.state);
    case 'consent-bundle':
    case 'consent-item': {
      const words = consentWords(d, question, settings.institutionType);
      const oneByOne =
        question.kind === 'consent-bundle' ? [control('one-by-one', 'secondary', d.words('control.one-by-one'))] : [];
      const specific = question.kind === 'consent-item' && question.topic.screen === 'specific-disease';
      return part(specific ? 'specific-disease' : question.kind, 3, d, words.heading, {
        lead: words.lead,
        isPrivate: question.kind === 'consent-item',
        // What refusing costs is no part of what is agreed to: it is not in the text of the record.
        note: specific ? d.keep(together(words.note, d.words('cost.specific-disease'))) : words.note,
        remaining,
        body: { kind: 'items', items: words.items.map((each) => ({ label: each.label.text, note: each.note.text })) },
        bodyWords: words.items.map((each) => d.words('consent.subject-item', { subject: each.label, note: each.note })),
        controls: [...words.controls, ...oneByOne, ...startOver],
        promises: [d.words('consent.validity'), d.words('help')],
      });
    }
    case 'medical-subsidy':
      return part('medical-subsidy', 3, d, d.words('medical-subsidy.heading'), {
        isPrivate: true,
        lead: [d.words('medical-subsidy.lead')],
        note: d.words('cost.medical-subsidy'),
        remaining,
        controls: [
          control('use', 'equal', d.words('control.use')),
          control('do-not-use', 'equal', d.words('control.do-not-use')),
          ...startOver,
        ],
      });
    case 'prescription-form':
      return part('prescription-form', 3, d, d.words('prescription-form.heading'), {
        lead: [d.words('prescription-form.lead')],
        remaining,
        controls: [
          control('electronic', 'equal', d.words('control.electronic'), { note: d.words('control.electronic.note') }),
          control('paper', 'equal', d.words('control.paper'), { note: d.words('control.paper.note') }),
          ...startOver,
        ],
      });
    case 'waiting-prescriptions':
    case 'referral-documents':
      return documentsPart(d, question, visit.answers.approvedDocuments, { remaining, startOver });
  }
};
