import { createHash } from 'node:crypto';
import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { ConsentTopic, Question } from '../../core/catalogue/consent.ts';
import { consentTextOf } from '../../core/screen/draw-screen-consent.ts';
import type { Consent } from '../../wire/messages.ts';

type ConsentQuestion = Extract<Question, { kind: 'consent-bundle' | 'consent-item' }>;
const institutions = ['medical', 'dental', 'pharmacy'] as const;

/** The topics a rule may come down to, by the items that a facility has switched on. */
const topicsOf = ({ consents }: Catalogue): readonly (readonly ConsentTopic[])[] =>
  consents.questions.map(({ subjects, ...rule }) =>
    Object.entries(subjects).map(([codes, subject]) => {
      const kept = rule.codes.filter((code) => codes.split('+').includes(code));
      return { id: rule.id, screen: rule.screen, codes: kept, bundled: rule.bundled, subject };
    }),
  );

/** Every choice of at most one topic of each rule, in the rules' order. */
const choices = ([topics, ...others]: readonly (readonly ConsentTopic[])[]): readonly (readonly ConsentTopic[])[] =>
  topics === undefined ? [[]] : choices(others).flatMap((rest) => [rest, ...topics.map((topic) => [topic, ...rest])]);

const questionsOf = (catalogue: Catalogue): readonly ConsentQuestion[] => {
  const rules = topicsOf(catalogue);
  const bundles = choices(rules.map((topics) => topics.filter(({ bundled }) => bundled)));
  return [
    ...rules.flat().map((topic): ConsentQuestion => ({ kind: 'consent-item', topic })),
    ...bundles
      .filter((topics) => topics.length > 1)
      .map((topics): ConsentQuestion => ({ kind: 'consent-bundle', topics })),
  ];
};

const keyOf = ({ catalogueVersion, language, code, textHash }: Omit<Consent, 'given' | 'at'>): string =>
  [catalogueVersion, language, code, textHash].join(' ');

const keysOf = (catalogue: Catalogue): readonly string[] =>
  questionsOf(catalogue).flatMap((question) => {
    const codes = (question.kind === 'consent-item' ? [question.topic] : question.topics).flatMap((one) => one.codes);
    return Object.keys(catalogue.languages).flatMap((language) =>
      institutions.flatMap((institution) => {
        const text = consentTextOf(catalogue, language, question, institution);
        const textHash = createHash('sha256').update(text).digest('base64url');
        return codes.map((code) => keyOf({ catalogueVersion: catalogue.version, language, code, textHash }));
      }),
    );
  });

/** What the terminals' screens can have said when somebody answered: all texts of the catalogues that count now. */
export type ConsentTexts = {
  /** Versions that a request of now may name */
  readonly versions: ReadonlySet<string>;
  /** The hash in the consent is that of a question about this item, in this language and version. */
  isShown(consent: Consent): boolean;
};

export const consentTexts = (catalogues: readonly Catalogue[]): ConsentTexts => {
  const keys = new Set(catalogues.flatMap(keysOf));
  return {
    versions: new Set(catalogues.map(({ version }) => version)),
    isShown: (consent) => keys.has(keyOf(consent)),
  };
};
