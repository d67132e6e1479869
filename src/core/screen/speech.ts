import type { ScreenModel, SpokenSentence } from './screen-model.ts';

type Sentences = ScreenModel['speech'];
type Spoken = Pick<ScreenModel, 'screen' | 'session' | 'language' | 'heading' | 'speech'>;
export type SpokenWords = readonly { readonly text: string; readonly reading?: string }[];

/** Screens whose heading follows what the patient does: only what is new is said. */
const followsThePatient = (screen: ScreenModel['screen']): boolean => screen === 'face';

/** Whether a patient who has begun to answer may go on: the same question, in the same language. */
export const isSameQuestion = (before: Omit<Spoken, 'speech'>, now: Omit<Spoken, 'speech'>): boolean =>
  before.screen === now.screen &&
  before.session === now.session &&
  before.language === now.language &&
  (before.heading === now.heading || followsThePatient(now.screen));

/**
 * What is said when the screen changes: all of it for a new question, else only the sentences that were not there before
 * (a hint, a digit more). Empty: nothing new to say.
 */
export const sentencesToSay = (before: Spoken | null, now: Spoken): Sentences => {
  if (before === null || !isSameQuestion(before, now)) return now.speech;
  const known = new Set(before.speech.map(({ text }) => text));
  return now.speech.filter(({ text }) => !known.has(text));
};

/** Between visits nobody has come to the terminal yet: it is silent unless somebody is known to stand there. */
export const speaksToNobody = ({ screen }: Pick<ScreenModel, 'screen'>): boolean =>
  screen === 'starting' || screen === 'idle' || screen === 'outage' || screen === 'out-of-service';

/**
 * The sentences for who listens. `headings`: the room may hear, so no health item and no name, and how to hear more.
 * `all`: for who asked, the first time with every word; what was heard in this visit is not explained once more.
 */
export const forEar = (sentences: Sentences, ear: 'headings' | 'all', heard: ReadonlySet<string>): SpokenWords =>
  sentences.flatMap((sentence): SpokenWords => {
    const isExplained = sentence.part === 'keys' || sentence.part === 'more';
    if (ear === 'all')
      return sentence.part === 'invite' || (isExplained && heard.has(sentence.text)) ? [] : [plain(sentence)];
    if (sentence.part === 'invite') return heard.has(sentence.text) ? [] : [plain(sentence)];
    return sentence.part === 'heading' ? [sentence.aloud ?? plain(sentence)] : [];
  });

const plain = ({ text, reading }: SpokenSentence): SpokenWords[number] => ({
  text,
  ...(reading === undefined ? {} : { reading }),
});
