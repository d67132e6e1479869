import type { DrawnControl, Part } from './draw-screen-part.ts';
import { type Dictionary, together, type Words } from './draw-screen-words.ts';
import type { ScreenModel, SpokenSentence } from './screen-model.ts';

/** Keys that are there beside the touch screen */
export type KeysThere = 'digits' | 'four-keys' | null;

/** Where digits are the PIN's, no choice is named by one. */
const isNumbered = ({ body }: Part): boolean => body.kind !== 'pin';

/** One choice as it is said: its number, its name. */
export const spokenChoice = (d: Dictionary, drawn: Part, index: number, label: Words): Words =>
  isNumbered(drawn) ? d.words('speech.choice', { number: index + 1, label }) : d.words('speech.way', { label });

const sentences = (part: SpokenSentence['part'], words: readonly Words[]): readonly SpokenSentence[] =>
  words.map((each) => ({ ...each, part }));

/**
 * What the screen says: the heading; where something went wrong, why; what is to be confirmed, which is the question itself and
 * another each time, so that nothing of it is left out as heard; what can be chosen, by number, and with which keys; then
 * everything else. Who knows the screen has answered before the rest is said.
 */
export const speechOf = (drawn: Part, d: Dictionary, keypad: KeysThere): ScreenModel['speech'] => {
  const choices = drawn.controls.map((each, index) => spokenChoice(d, drawn, index, each.said ?? each.label));
  const first = drawn.tone === 'attention' || drawn.notice;
  const begins = drawn.screen === 'idle' || drawn.screen === 'choose-method';
  const confirms = drawn.body.kind === 'summary';
  return [
    {
      ...(drawn.spokenHeading ?? drawn.heading),
      part: 'heading',
      ...(drawn.isPrivate ? { aloud: d.words('speech.look') } : {}),
    },
    ...(begins && keypad !== null ? sentences('invite', [d.words('speech.ask-by-key')]) : []),
    ...(first ? sentences('why', drawn.lead) : []),
    ...(confirms ? sentences('why', [...drawn.bodyWords, ...drawn.lead]) : []),
    ...sentences('choice', choices),
    ...(keypad
      ? sentences(
          'keys',
          keyWords(drawn, keypad).map((key) => d.words(key)),
        )
      : []),
    ...sentences('more', [
      ...(first || confirms ? [] : drawn.lead),
      ...(confirms ? [] : drawn.bodyWords),
      ...(drawn.note === null || drawn.isNoteForStaff ? [] : [drawn.note]),
      ...(drawn.remaining === null ? [] : [drawn.remaining]),
      // What is promised for this question is said with it; the promise of every screen is not said on every screen.
      ...(drawn.promises[0].text === d.text('promise.photo') ? [] : [drawn.promises[0]]),
    ]),
  ];
};

/** A moment that passes by itself before anybody has heard how to use the keys. */
const isBusy = ({ body }: Part): boolean =>
  body.kind === 'pin' ? body.checking : body.kind === 'picture' && ['reading-card', 'wait'].includes(body.picture);

/** What the keys do on this screen; what they do beside answering is said where a visit begins or nothing is asked. */
const keyWords = (drawn: Part, keypad: NonNullable<KeysThere>): readonly string[] => {
  if (isBusy(drawn)) return [];
  const [answer, pin] = keypad === 'digits' ? ['number-keys', 'pin-keys'] : ['keys', 'pin-four-keys'];
  if (drawn.body.kind === 'pin') return [`speech.${pin}`, `speech.${pin}-more`];
  const begins = drawn.screen === 'idle' || drawn.screen === 'choose-method';
  return [
    ...(drawn.controls.length > 0 ? [`speech.${answer}`] : []),
    ...(drawn.controls.length === 0 || begins ? [`speech.${answer}-more`] : []),
  ];
};

export const spokenLabel = ({ label, note, said }: DrawnControl): Words => {
  const name = said ?? label;
  return note === undefined ? name : together(name, note);
};
