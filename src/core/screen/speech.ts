import type { ScreenModel } from './screen-model.ts';

export type SpokenWords = ScreenModel['speech'];
type Spoken = Pick<ScreenModel, 'screen' | 'session' | 'language' | 'heading' | 'speech'>;

/** Screens whose heading follows what the patient does: only what is new is said. */
const followsThePatient = (screen: ScreenModel['screen']): boolean => screen === 'face';

/** Whether a patient who has begun to answer may go on: the same question, in the same language. */
export const isSameQuestion = (before: Omit<Spoken, 'speech'>, now: Omit<Spoken, 'speech'>): boolean =>
  before.screen === now.screen &&
  before.session === now.session &&
  before.language === now.language &&
  (before.heading === now.heading || followsThePatient(now.screen));

/**
 * What is said when the screen changes: all of it for a new question, else only the words that were not there before
 * (a hint, a digit more). Empty: nothing new to say.
 */
export const wordsToSay = (before: Spoken | null, now: Spoken): SpokenWords => {
  if (before === null || !isSameQuestion(before, now)) return now.speech;
  const known = new Set(before.speech.map(({ text }) => text));
  return now.speech.filter(({ text }) => !known.has(text));
};
