import type { DrawnControl, Part } from './draw-screen-part.ts';
import type { Dictionary, Words } from './draw-screen-words.ts';
import type { ScreenModel } from './screen-model.ts';

/** Keys that are there beside the touch screen */
export type KeysThere = 'digits' | 'four-keys' | null;

/** One choice as it is said: its number, its name. */
export const spokenChoice = (d: Dictionary, index: number, label: Words): Words =>
  d.words('speech.choice', { number: index + 1, label });

/** The words on the screen in the order they are read, then what can be chosen, by number, and with which keys. */
export const speechOf = (drawn: Part, d: Dictionary, keypad: KeysThere): ScreenModel['speech'] => {
  const choices = drawn.controls.map((each, index) => spokenChoice(d, index, spokenLabel(each)));
  return [
    drawn.heading,
    ...drawn.lead,
    ...drawn.bodyWords,
    ...(drawn.note === null ? [] : [drawn.note]),
    ...(drawn.remaining === null ? [] : [drawn.remaining]),
    // What is promised for this question is said with it; the promise of every screen is not said on every screen.
    ...(drawn.promises[0].text === d.text('promise.photo') ? [] : [drawn.promises[0]]),
    ...(choices.length > 1 ? [d.words('speech.choices')] : []),
    ...choices,
    ...(keypad ? keyWords(drawn, keypad).map((key) => d.words(key)) : []),
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

export const spokenLabel = ({ label, note }: DrawnControl): Words =>
  note === undefined
    ? label
    : {
        text: `${label.text} ${note.text}`,
        ...(label.reading !== undefined || note.reading !== undefined
          ? { reading: `${label.reading ?? label.text} ${note.reading ?? note.text}` }
          : {}),
      };
