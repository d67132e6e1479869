import type { ScreenModel, Touch } from '../../core/screen/screen-model.ts';
import { isSameQuestion } from '../../core/screen/speech.ts';
import type { KeypadEvent, KeypadMove, PinKey } from '../../ports/keypad.ts';

const clearKey = 0x08;
const enterKey = 0x0d;
const zeroKey = 0x30;
const digitOf = (key: PinKey): number | null => (key >= zeroKey && key <= zeroKey + 9 ? key - zeroKey : null);

/** What the keys bring about; the guide knows screens, not rules. */
type KeypadGuideParts = {
  readonly model: () => ScreenModel | null;
  /** `said`: the choice was said before it was taken */
  readonly touch: (touch: Touch, said: boolean) => void;
  readonly pinKey: (key: PinKey) => void;
  /** Something came under the keys, counted as in `ScreenModel.focused`: draw it so and say it; null: nothing any more. */
  readonly focus: (index: number | null) => void;
  readonly repeat: () => void;
};

/** Where the keys can stand: first the choices, then the tools; behind them, while one is being chosen, the languages. */
const spans = ({ controls, tools, languages }: ScreenModel) => {
  const stops = controls.length + tools.length;
  return { choices: controls.length, stops, end: stops + languages.length };
};

/**
 * A whole visit by keys and ear. With digits: a number says its choice, zero the next tool (language, volume, letters),
 * enter takes it, clear says the screen again; on the PIN screen digits are digits, and clear with nothing typed walks
 * through the ways round. With four keys: next and previous walk through choices and tools, choose takes; on the PIN
 * screen next is pressed as often as the digit says (silently, nobody hears which), choose goes on to the next digit. A
 * choice is taken only after it has been said: two keys, never one.
 */
export class KeypadGuide {
  readonly #parts: KeypadGuideParts;
  #question: ScreenModel | null = null;
  #focus: number | null = null;
  /** Times that `next` was pressed for the digit being entered by four keys */
  #count = 0;

  constructor(parts: KeypadGuideParts) {
    this.#parts = parts;
  }

  press(event: Extract<KeypadEvent, { type: 'key' | 'move' }>): void {
    const model = this.#parts.model();
    if (model === null) return;
    if (this.#question === null || !isSameQuestion(this.#question, model)) {
      this.#focus = null;
      this.#count = 0;
    }
    this.#question = model;
    const choosingLanguage = this.#focus !== null && this.#focus >= spans(model).stops;
    if (choosingLanguage) this.#languageKey(model, event);
    else if (model.body.kind === 'pin') {
      if (model.body.checking) return;
      if (event.type === 'key') this.#pinKey(model, event.key, model.body.entered);
      else this.#pinMove(model, event.move, model.body);
    } else if (event.type === 'key') this.#key(model, event.key);
    else this.#move(model, event.move);
  }

  #key(model: ScreenModel, key: PinKey): void {
    const digit = digitOf(key);
    const { choices, stops } = spans(model);
    // One and zero are ten, where there are so many.
    const typed = digit !== null && this.#focus !== null && this.#focus < 9 ? (this.#focus + 1) * 10 + digit : 0;
    if (typed >= 10 && typed <= choices) this.#goTo(typed - 1);
    else if (digit === 0)
      this.#goTo(this.#focus === null || this.#focus + 1 >= stops ? choices : Math.max(choices, this.#focus + 1));
    else if (digit !== null && digit <= choices) this.#goTo(digit - 1);
    else if (key === enterKey) this.#choose(model);
    else this.#sayAgain();
  }

  #move(model: ScreenModel, move: KeypadMove): void {
    if (move === 'choose') this.#choose(model);
    else if (move === 'repeat') this.#sayAgain();
    else this.#walk(model, move === 'next' ? 1 : -1);
  }

  /** Next: zero or next; take: enter or choose; any other key leaves the languages as they are. */
  #languageKey(model: ScreenModel, event: Extract<KeypadEvent, { type: 'key' | 'move' }>): void {
    const { stops, end } = spans(model);
    const at = this.#focus ?? stops;
    const is = (key: PinKey, move: KeypadMove): boolean =>
      event.type === 'key' ? event.key === key : event.move === move;
    if (is(zeroKey, 'next')) this.#goTo(at + 1 < end ? at + 1 : stops);
    else if (event.type === 'move' && event.move === 'previous') this.#goTo(at > stops ? at - 1 : end - 1);
    else if (is(enterKey, 'choose')) {
      const { code } = model.languages[at - stops] ?? { code: model.language };
      this.#goTo(null);
      this.#touch(model, { control: 'language', value: code }, true);
    } else this.#sayAgain();
  }

  #pinKey(model: ScreenModel, key: PinKey, entered: number): void {
    if (key === clearKey && entered === 0) this.#step(model, 1);
    else if (key === enterKey && this.#focus !== null) this.#choose(model);
    else {
      if (this.#focus !== null) this.#goTo(null);
      this.#parts.pinKey(key);
    }
  }

  #pinMove(model: ScreenModel, move: KeypadMove, body: { readonly entered: number; readonly length: number }): void {
    if (move === 'repeat') return this.#sayAgain();
    if (this.#focus !== null) {
      if (move === 'choose') this.#choose(model);
      else this.#step(model, move === 'next' ? 1 : -1);
      return;
    }
    if (move === 'next') this.#count = (this.#count + 1) % 10;
    else if (move === 'choose') {
      const key = body.entered === body.length ? enterKey : zeroKey + this.#count;
      this.#count = 0;
      this.#parts.pinKey(key);
    } else if (this.#count > 0) this.#count = 0;
    else if (body.entered > 0) this.#parts.pinKey(clearKey);
    else this.#step(model, 1);
  }

  /** Round and round through choices and tools. */
  #walk(model: ScreenModel, step: 1 | -1): void {
    const { stops } = spans(model);
    const from = this.#focus ?? (step === 1 ? -1 : stops);
    this.#goTo((from + step + stops) % stops);
  }

  /** Through choices and tools and, off either end, back to the digits of the PIN. */
  #step(model: ScreenModel, step: 1 | -1): void {
    const to = (this.#focus ?? -1) + step;
    const off = to < 0 || to >= spans(model).stops;
    this.#goTo(off ? null : to);
    if (off) this.#parts.repeat();
  }

  #sayAgain(): void {
    if (this.#focus !== null) this.#goTo(null);
    this.#parts.repeat();
  }

  #goTo(index: number | null): void {
    this.#focus = index;
    this.#parts.focus(index);
  }

  #choose(model: ScreenModel): void {
    const { choices, stops } = spans(model);
    const chosen = this.#focus === null && choices === 1 ? 0 : this.#focus;
    const control = chosen === null ? undefined : [...model.controls, ...model.tools][chosen];
    if (chosen === null || control === undefined) return this.#parts.repeat();
    const isTool = chosen >= choices;
    if (isTool && control.id === 'language')
      return this.#goTo(
        stops +
          Math.max(
            0,
            model.languages.findIndex(({ code }) => code === model.language),
          ),
      );
    if (isTool && control.id === 'repeat') return this.#sayAgain();
    // A tool stays under the keys: louder can be pressed once more.
    const said = this.#focus !== null;
    if (!isTool) this.#goTo(null);
    this.#touch(model, { control: control.id, ...(control.value === undefined ? {} : { value: control.value }) }, said);
  }

  #touch(model: ScreenModel, what: Pick<Touch, 'control' | 'value'>, said: boolean): void {
    this.#parts.touch({ session: model.session, revision: model.revision, ...what }, said);
  }
}
