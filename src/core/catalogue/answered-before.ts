import type { LookupResult } from '../../wire/messages.ts';
import type { Moment } from '../moment.ts';
import {
  type Answers,
  answerQuestion,
  type ConsentTopic,
  type PreCheckInQuestion,
  type Question,
  questionsOf,
  unbundled,
} from './consent.ts';

/*
 * Consents that were given beforehand on a phone. They are never sent as they came: they stand on the screen, the patient,
 * verified like anybody else, confirms exactly them by a touch, and that touch is the consent. A proposal of this project.
 */

/** null: not answered beforehand, or its items not alike */
const answeredBefore = (
  { codes }: ConsentTopic,
  consents: NonNullable<LookupResult['preCheckIn']>['consents'],
): boolean | null => {
  const answers = codes.map((code) => consents.filter((consent) => consent.code === code).map(({ given }) => given));
  const [first] = answers.flat();
  return first !== undefined && answers.every(([given, ...more]) => given === first && more.length === 0)
    ? first
    : null;
};

const withoutTopics = (question: Question, known: ReadonlySet<string>): readonly Question[] => {
  if (question.kind === 'consent-item') return known.has(question.topic.id) ? [] : [question];
  if (question.kind !== 'consent-bundle') return [question];
  const topics = question.topics.filter(({ id }) => !known.has(id));
  const [only] = topics;
  if (only === undefined) return [];
  return topics.length === 1 ? [{ kind: 'consent-item', topic: only }] : [{ kind: 'consent-bundle', topics }];
};

/**
 * The questions of a visit whose patient has answered some beforehand: first those answers, on one screen; then whatever else is
 * asked. Of what the facility does not ask today nothing is shown or sent. Where nothing else is asked, that screen is the
 * summary too. [bundle, 手術, summary] with all answered → [pre-check-in]; without 手術 → [pre-check-in, 手術, summary].
 */
const withPreCheckIn = (
  questions: readonly Question[],
  preCheckIn: LookupResult['preCheckIn'],
): readonly Question[] => {
  if (preCheckIn === undefined) return questions;
  const answers = unbundled(questions).flatMap((question) => {
    if (question.kind !== 'consent-item') return [];
    const given = answeredBefore(question.topic, preCheckIn.consents);
    return given === null ? [] : [{ topic: question.topic, given }];
  });
  if (answers.length === 0) return questions;
  const known = new Set(answers.map(({ topic }) => topic.id));
  const others = questions.flatMap((question) => withoutTopics(question, known));
  const isAsked = ({ kind }: Question): boolean => kind !== 'summary' && kind !== 'certificate-notice';
  const left = others.some(isAsked) ? others : others.filter(({ kind }) => kind !== 'summary');
  return [{ kind: 'pre-check-in', answers }, ...left];
};

type Told =
  | { readonly state: 'answered'; readonly result: LookupResult; readonly atMs: number }
  | { readonly state: 'pending' | 'unanswered' };

/** What the lookup told, without what was signed beforehand once its time or its day is over: nobody confirms it later. */
export const toldNow = (lookup: Told, { monotonicMs }: Pick<Moment, 'monotonicMs'>): LookupResult | null => {
  if (lookup.state !== 'answered') return null;
  const { preCheckIn, ...others } = lookup.result;
  return preCheckIn !== undefined && monotonicMs < lookup.atMs + preCheckIn.lastsMs ? lookup.result : others;
};

/** What a visit is asked first; whoever changes something is asked by `questionsOf`, as if nothing had been answered. */
export const questionsToBegin = (...asked: Parameters<typeof questionsOf>): readonly Question[] => {
  const [, settings, lookup] = asked;
  return withPreCheckIn(questionsOf(...asked), settings.preCheckIn ? lookup?.preCheckIn : undefined);
};

/** What this question shows, by its id: the request that follows uses it up, one that never showed it does not. */
export const shownOf = ({ kind }: Question, lookup: LookupResult | null): string | undefined =>
  kind === 'pre-check-in' ? lookup?.preCheckIn?.id : undefined;

/** Each answer as it stood on the screen; `question` of a topic is its own line there, with its own hash. */
export const confirmed = (before: Answers, question: PreCheckInQuestion, atMs: number, language: string): Answers =>
  question.answers.reduce(
    (answers, answer) =>
      answerQuestion(answers, { kind: question.kind, answers: [answer] }, answer.given, atMs, language),
    before,
  );
