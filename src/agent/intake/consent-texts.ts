import { createHash } from 'node:crypto';
import type { ReleasedTexts } from '../../catalogue/released-texts.ts';
import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { ConsentTopic, Question } from '../../core/catalogue/consent.ts';
import { consentTextOf } from '../../core/screen/draw-screen-consent.ts';
import { dayMs } from '../../core/time-units.ts';
import { type FacilityKind, facilityKinds } from '../../wire/facility-settings.ts';
import type { Consent } from '../../wire/messages.ts';
import type { AgentContext } from '../agent-context.ts';

type ConsentQuestion = Extract<Question, { kind: 'consent-bundle' | 'consent-item' }>;

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

/** The rules in the order in which one kind of facility asks them: a bundle lists its topics in it. */
const inOrderOf = (order: readonly string[], rules: readonly (readonly ConsentTopic[])[]) => {
  const rank = ([topic]: readonly ConsentTopic[]): number =>
    topic !== undefined && order.includes(topic.id) ? order.indexOf(topic.id) : order.length;
  return [...rules].sort((a, b) => rank(a) - rank(b));
};

const questionsOf = (catalogue: Catalogue, kind: FacilityKind): readonly ConsentQuestion[] => {
  const rules = inOrderOf(catalogue.consents.kinds[kind].order, topicsOf(catalogue));
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

/** Every line of what was answered beforehand: it says whether it was given, and its hash is good for that answer alone. */
const beforehand = (catalogue: Catalogue): readonly Omit<Consent, 'at'>[] =>
  facilityKinds.flatMap((institution) =>
    topicsOf(catalogue)
      .flat()
      .flatMap((topic) =>
        Object.keys(catalogue.languages).flatMap((language) =>
          [true, false].flatMap((given) => {
            const question = { kind: 'pre-check-in', answers: [{ topic, given }] } as const;
            const text = consentTextOf(catalogue, language, question, institution);
            const textHash = createHash('sha256').update(text).digest('base64url');
            return topic.codes.map((code) => ({
              catalogueVersion: catalogue.version,
              language,
              code,
              textHash,
              given,
            }));
          }),
        ),
      ),
  );

const beforehandKey = (consent: Omit<Consent, 'at'>): string => `${keyOf(consent)} ${consent.given}`;

/**
 * Everything that a screen of this catalogue can have said: version, language, code and SHA-256 of the text, by spaces; of what
 * was answered beforehand a fifth word, the answer that its text says (`true`, `false`).
 */
export const consentKeys = (catalogue: Catalogue): readonly string[] => [
  ...askedKeys(catalogue),
  ...beforehand(catalogue).map(beforehandKey),
];

/** Every question that a screen of this catalogue can have asked. */
const askedKeys = (catalogue: Catalogue): readonly string[] =>
  facilityKinds.flatMap((institution) =>
    questionsOf(catalogue, institution).flatMap((question) => {
      const codes = (question.kind === 'consent-item' ? [question.topic] : question.topics).flatMap((one) => one.codes);
      return Object.keys(catalogue.languages).flatMap((language) => {
        const text = consentTextOf(catalogue, language, question, institution);
        const textHash = createHash('sha256').update(text).digest('base64url');
        return codes.map((code) => keyOf({ catalogueVersion: catalogue.version, language, code, textHash }));
      });
    }),
  );

/** What the terminals' screens can have said when somebody answered: all texts of the catalogues that count now. */
export type ConsentTexts = {
  /** Versions that a request of now may name */
  readonly versions: ReadonlySet<string>;
  /** The hash in the consent is that of a question about this item, in this language and version. */
  isShown(consent: Consent): boolean;
  /** It is that of what was answered beforehand (pre-check-in), with this very answer. */
  isConfirmed(consent: Consent): boolean;
};

/** A catalogue's version without that of its texts: which notices it follows. */
const noticesIn = (version: string): string => version.split('+').toSpliced(1, 1).join('+');

const releasedKeys = (catalogueVersion: string, texts: ReleasedTexts['texts']): readonly string[] =>
  Object.entries(texts).flatMap(([language, hashes]) =>
    Object.entries(hashes).flatMap(([code, each]) =>
      each.map((textHash) => keyOf({ catalogueVersion, language, code, textHash })),
    ),
  );

/** What that release's screens say of answers given beforehand, each with the one answer that its hash is good for. */
const releasedBeforehand = ({ catalogueVersion, beforehand: said }: ReleasedTexts): readonly string[] =>
  (['true', 'false'] as const).flatMap((given) =>
    releasedKeys(catalogueVersion, said?.[given] ?? {}).map((key) => `${key} ${given}`),
  );

/**
 * `released`: texts of releases whose terminals may still be at work. They count while no notice has come into force that
 * those terminals do not know: after one their words are no longer what the patient has to be asked.
 */
export const consentTexts = (
  catalogues: readonly Catalogue[],
  released: readonly ReleasedTexts[] = [],
): ConsentTexts => {
  const inForce = new Set(catalogues.map(({ version }) => noticesIn(version)));
  const former = released.filter(({ catalogueVersion }) => inForce.has(noticesIn(catalogueVersion)));
  const confirmed = new Set([
    ...catalogues.flatMap(beforehand).map(beforehandKey),
    ...former.flatMap(releasedBeforehand),
  ]);
  const keys = new Set([
    ...catalogues.flatMap(askedKeys),
    ...former.flatMap(({ catalogueVersion, texts }) => releasedKeys(catalogueVersion, texts)),
  ]);
  return {
    versions: new Set([
      ...catalogues.map(({ version }) => version),
      ...former.map(({ catalogueVersion }) => catalogueVersion),
    ]),
    isShown: (consent) => keys.has(keyOf(consent)),
    isConfirmed: (consent) => confirmed.has(beforehandKey(consent)),
  };
};

/** A request signed just before a notice came into force still names the catalogue of yesterday. ms */
const overlapMs = dayMs;
/** A terminal whose clock is ahead of ours, by no more than a request may be, already asks by the notice of tomorrow. ms */
const aheadMs = 5 * 60_000;

/** The texts that count now: yesterday's, today's, and those of a terminal that is ahead; hashed when a notice changes them. */
export class ConsentTextsInForce {
  readonly #context: Pick<AgentContext, 'catalogues' | 'clock'>;
  #known: { readonly catalogues: readonly Catalogue[]; readonly texts: ConsentTexts } | null = null;

  constructor(context: Pick<AgentContext, 'catalogues' | 'clock'>) {
    this.#context = context;
  }

  now(): ConsentTexts {
    const { catalogues, clock } = this.#context;
    const { wallMs } = clock.now();
    const found = [...new Set([wallMs, wallMs - overlapMs, wallMs + aheadMs].map((atMs) => catalogues.at(atMs)))];
    const known = this.#known;
    if (
      known !== null &&
      known.catalogues.length === found.length &&
      found.every((one) => known.catalogues.includes(one))
    )
      return known.texts;
    const texts = consentTexts(found, catalogues.released);
    this.#known = { catalogues: found, texts };
    return texts;
  }
}
