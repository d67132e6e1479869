import { expect, test } from 'vitest';
import { identity, lookup, settings, VisitStory } from '../../../scripts/beds/visit-story.ts';

const preCheckIn = {
  id: '3f1a7c52-6c0e-4b7e-9a59-0d6f5f0f7a01',
  consents: ['SRJ', 'YZK', 'TKK'].map((code) => ({ code, given: true })),
  lastsMs: 20_000,
};

const begun = (answer = { preCheckIn }): VisitStory => {
  const story = VisitStory.atRest();
  story.tell({ type: 'SettingsChanged', settings: { ...settings, preCheckIn: true } });
  story.present({}, answer);
  return story;
};
const asked = ({ visit }: VisitStory) => visit.questions?.[visit.questionIndex]?.kind;

test('a moment before it is over, the touch confirms', () => {
  const story = begun();
  story.enterPin();
  story.pass(preCheckIn.lastsMs - 1 - story.nowMs);
  story.hit('confirm');
  expect(story.visit.answers.consents.map(({ topic, given }) => [topic.id, given])).toEqual([
    ['treatment-and-drugs', true],
    ['check-ups', true],
  ]);
});

test('over while its screen stands: that touch sends nothing, everything is asked', () => {
  const story = begun();
  story.enterPin();
  expect(asked(story)).toBe('pre-check-in');
  story.pass(preCheckIn.lastsMs - story.nowMs);
  story.hit('confirm');
  expect(asked(story)).toBe('consent-bundle');
  expect(story.visit.answers.consents).toEqual([]);
  expect(story.did('SignRequest')).toBe(0);
});

test('over before the patient is verified: not shown', () => {
  const story = begun();
  story.pass(preCheckIn.lastsMs);
  story.enterPin();
  expect(asked(story)).toBe('consent-bundle');
});

test('what the last patient’s lookup tells late is nobody’s, and what comes after the questions replaces none', () => {
  const story = VisitStory.atRest();
  story.tell({ type: 'SettingsChanged', settings: { ...settings, preCheckIn: true } });
  const before = story.insert();
  story.tell({ type: 'CardRemoved' });
  story.pass(60_000);
  story.present();
  const late = (insertion: string) =>
    story.tell({ type: 'LookupAnswered', insertion, result: { ...lookup, preCheckIn } });
  late(before);
  story.enterPin();
  expect(asked(story)).toBe('consent-bundle');
  late(before);
  late(story.visit.insertion);
  expect(asked(story)).toBe('consent-bundle');
  expect(story.visit.answers.consents).toEqual([]);
  // Nor is it used up by a request whose patient never saw it.
  expect(story.visit.preCheckIn).toBeNull();
});

test.each([
  ['confirmed', () => {}],
  ['changed', (story: VisitStory) => void story.hit('start-over')],
])('%s: the request names what stood on the screen', (_name, before) => {
  const story = begun();
  story.enterPin();
  before(story);
  if (asked(story) === 'pre-check-in') story.hit('confirm');
  story.answerAll('agree');
  expect(story.visit.preCheckIn).toBe(preCheckIn.id);
});

test('whoever changes it is asked everything, also with a card that has ended while it was away', () => {
  const story = begun();
  story.tell({ type: 'CardRemoved' });
  const insertion = story.insert();
  story.tell({ type: 'CardRead', insertion, identity: { ...identity, certificateState: 'dead' } });
  story.enterPin();
  expect(asked(story)).toBe('pre-check-in');
  story.touch('start-over');
  expect(asked(story)).toBe('consent-bundle');
});

test('over while its screen stands: a touch that is none of its own changes nothing, and the question stays', () => {
  const story = begun();
  story.enterPin();
  story.pass(preCheckIn.lastsMs - story.nowMs);
  const { questions, answers } = story.visit;
  expect(story.hit('agree')).toEqual([]);
  expect(story.visit).toMatchObject({ questions, answers, questionIndex: 0 });
});
