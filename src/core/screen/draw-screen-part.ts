import type { ControlId } from '../visit/control-ids.ts';
import type { Dictionary, Words } from './draw-screen-words.ts';
import type { Control, ScreenBody, ScreenModel, ScreenName } from './screen-model.ts';

/** A control before it becomes part of a model: its label still knows its reading. */
export type DrawnControl = Omit<Control, 'label' | 'note'> & {
  readonly label: Words;
  readonly note?: Words;
  /** Said in place of the label */
  readonly said?: Words;
};

/** What differs from state to state; frame, tools and speech are added in one place (draw-screen.ts). */
export type Part = {
  readonly screen: ScreenName;
  readonly step: ScreenModel['step'];
  readonly tone: ScreenModel['tone'];
  /** The lead says why the patient is here once more: it is said before what can be chosen. */
  readonly notice: boolean;
  readonly heading: Words;
  readonly lead: readonly Words[];
  readonly note: Words | null;
  /** The note is for the receptionist's eyes: nobody who waits there is told it. */
  readonly isNoteForStaff: boolean;
  readonly remaining: Words | null;
  readonly body: ScreenBody;
  /** Words inside the body, for the voice */
  readonly bodyWords: readonly Words[];
  /** The heading itself tells something of this patient, or names a health item: not for the room. */
  readonly isPrivate: boolean;
  /** Said in place of the heading, where who hears needs other words than who sees */
  readonly spokenHeading: Words | null;
  readonly controls: readonly DrawnControl[];
  readonly pinKeys: ScreenModel['pinKeys'];
  /** What may be relied on here; the second line is the way to help unless the state has more to promise. */
  readonly promises: readonly [Words, Words];
};

/** A calm screen with nothing but a heading, to be filled by the state. */
export const part = (
  screen: ScreenName,
  step: ScreenModel['step'],
  dictionary: Dictionary,
  heading: Words,
  change: Partial<Part> = {},
): Part => ({
  screen,
  step,
  tone: 'calm',
  notice: false,
  heading,
  lead: [],
  note: null,
  isNoteForStaff: false,
  remaining: null,
  body: { kind: 'plain' },
  bodyWords: [],
  isPrivate: false,
  spokenHeading: null,
  controls: [],
  pinKeys: null,
  promises: [dictionary.words('promise.photo'), dictionary.words('help')],
  ...change,
});

export const control = (
  id: ControlId,
  weight: Control['weight'],
  label: Words,
  extra: {
    readonly note?: Words;
    readonly value?: string;
    readonly pressed?: boolean;
    readonly said?: Words;
  } = {},
): DrawnControl => ({ id, weight, label, ...extra });
