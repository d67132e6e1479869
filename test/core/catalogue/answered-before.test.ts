import { describe, expect, it, test } from 'vitest';
import { lookup, settings, VisitStory } from '../../../scripts/beds/visit-story.ts';
import { questionsToBegin, shownOf } from '../../../src/core/catalogue/answered-before.ts';
import { askedTopics, type Question } from '../../../src/core/catalogue/consent.ts';
import type { FacilitySettings } from '../../../src/wire/facility-settings.ts';
import type { LookupResult } from '../../../src/wire/messages.ts';

/* Which of the answers that were given on a phone are shown here for a touch, and what is asked beside them. */

type Beforehand = NonNullable<LookupResult['preCheckIn']>['consents'];

const { consentCatalogue: catalogue } = VisitStory.atRest().session.surroundings;
const house = { ...settings, preCheckIn: true };
const topics = askedTopics(catalogue, house);
const topicOf = (id: string) => {
  const found = topics.find((topic) => topic.id === id);
  if (found === undefined) throw new Error(`nobody is asked about ${id}`);
  return found;
};
/** Two items under one line */
const treatment = topicOf('treatment-and-drugs');
const checkUps = topicOf('check-ups');
const operations = topicOf('operations');

const answered = (codes: readonly string[], given = true): Beforehand => codes.map((code) => ({ code, given }));
const everything = answered(topics.flatMap(({ codes }) => codes));
const answerOf = (consents: Beforehand): LookupResult => ({
  ...lookup,
  preCheckIn: { id: 'p', consents, lastsMs: 60_000 },
});

const begin = (
  consents: Beforehand,
  more: Partial<FacilitySettings> = {},
  state: 'valid' | 'near-expiry' = 'valid',
): readonly Question[] => questionsToBegin(catalogue, { ...house, ...more }, answerOf(consents), state);

/** What is asked, with the ids of its topics; of what was answered beforehand whether it was given. */
const told = (questions: readonly Question[]): readonly string[] =>
  questions.map((question) => {
    if (question.kind === 'consent-item') return `item ${question.topic.id}`;
    if (question.kind === 'consent-bundle') return `bundle ${question.topics.map(({ id }) => id).join(' ')}`;
    if (question.kind !== 'pre-check-in') return question.kind;
    return `beforehand ${question.answers.map(({ topic, given }) => `${topic.id}:${given}`).join(' ')}`;
  });

const asUsual = told(questionsToBegin(catalogue, house, lookup, 'valid'));
const treatmentAlone = [
  ...['beforehand treatment-and-drugs:true', 'item check-ups'],
  ...['item operations', 'item specific-disease', 'summary'],
];

describe('what was answered beforehand', () => {
  test.each<[string, readonly Question[], readonly string[]]>([
    ['nothing', begin([]), asUsual],
    ['what nobody is asked', begin(answered(['XYZ'])), asUsual],
    [
      'all: nothing else is asked, and no summary follows what is one',
      begin(everything),
      ['beforehand treatment-and-drugs:true check-ups:true operations:true specific-disease:true'],
    ],
    [
      'all of it refused: a refusal is an answer',
      begin(everything.map(({ code }) => ({ code, given: false }))),
      ['beforehand treatment-and-drugs:false check-ups:false operations:false specific-disease:false'],
    ],
    ['one topic of a bundle of two: the other is asked alone', begin(answered(treatment.codes)), treatmentAlone],
    [
      'an operation alone: the bundle stays one',
      begin(answered(operations.codes, false)),
      [
        ...['beforehand operations:false', 'bundle treatment-and-drugs check-ups'],
        ...['item specific-disease', 'summary'],
      ],
    ],
    [
      'the whole bundle: it is not asked any more',
      begin(answered([...treatment.codes, ...checkUps.codes])),
      ['beforehand treatment-and-drugs:true check-ups:true', 'item operations', 'item specific-disease', 'summary'],
    ],
  ])('%s', (_what, questions, expected) => {
    expect(told(questions)).toEqual(expected);
  });

  it('counts for a topic only where every item of it was answered, once and alike', () => {
    const [first, second] = treatment.codes;
    if (first === undefined || second === undefined) throw new Error('one item');
    expect(told(begin(answered([first])))).toEqual(asUsual);
    expect(told(begin(answered([second])))).toEqual(asUsual);
    expect(told(begin([...answered([first]), ...answered([second], false)]))).toEqual(asUsual);
    expect(told(begin([...answered([first], false), ...answered([second])]))).toEqual(asUsual);
    expect(told(begin([...answered([first, second]), ...answered([second])]))).toEqual(asUsual);
    expect(told(begin([...answered([first, second]), ...answered([first], false)]))).toEqual(asUsual);
    expect(told(begin(answered([second, first])))).toEqual(treatmentAlone);
  });

  it('is not shown where the house does not take it, or nobody has told of any', () => {
    expect(told(begin(everything, { preCheckIn: false }))).toEqual(asUsual);
    expect(told(questionsToBegin(catalogue, house, null, 'valid'))).toEqual(asUsual);
  });

  it('leaves what is no consent to be asked, and then the summary to be read', () => {
    const questions = questionsToBegin(catalogue, house, { ...answerOf(everything), medicalSubsidy: true }, 'valid');
    expect(told(questions).slice(1)).toEqual(['medical-subsidy', 'summary']);
  });

  it('is the summary itself where only a notice follows, which nobody answers', () => {
    expect(told(begin(everything, {}, 'near-expiry')).slice(1)).toEqual(['certificate-notice']);
    expect(told(begin(answered(treatment.codes), {}, 'near-expiry')).slice(-2)).toEqual([
      ...['certificate-notice', 'summary'],
    ]);
  });

  it('is used up by its id, by the request whose patient was shown it', () => {
    const [question] = begin(everything);
    if (question === undefined) throw new Error('no question');
    expect(shownOf(question, answerOf(everything))).toBe('p');
    expect(shownOf({ kind: 'summary' }, answerOf(everything))).toBeUndefined();
    expect(shownOf(question, lookup)).toBeUndefined();
    expect(shownOf(question, null)).toBeUndefined();
  });
});
