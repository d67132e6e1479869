import type { ScreenModel, Touch } from '../core/screen-model.ts';
import type { KeypadEvent, KeypadMove, PinKey } from '../ports/keypad.ts';

const clearKey = 0x08;
const enterKey = 0x0d;
const zeroKey = 0x30;
const digitOf = (key: PinKey): number | null => (key >= zeroKey && key <= zeroKey + 9 ? key - zeroKey : null);

/** What the keys bring about; the guide knows screens, not rules. */
export type KeypadGuideParts = {
  readonly model: () => ScreenModel | null;
  readonly touch: (touch: Touch) => void;
  readonly pinKey: (key: PinKey) => void;
  /** A control came under the keys: draw it so and say its name and number; null: none any more. */
  readonly focus: (index: number | null) => void;
  readonly repeat: () => void;
};

/**
 * A whole visit by keys and ear. With digits: a number says its choice, enter takes it, clear says the screen again; on
 * the PIN screen digits are digits, and clear with nothing typed walks through the ways round. With four keys: next and
 * previous walk, choose takes; on the PIN screen next is pressed as often as the digit says (silently, nobody hears
 * which), choose goes on to the next digit. A choice is taken only after it has been said: two keys, never one.
 */
export class KeypadGuide {
  readonly #parts: KeypadGuideParts;
  #question = '';
  #focus: number | null = null;
  /** Times that `next` was pressed for the digit being entered by four keys */
  #count = 0;

  constructor(parts: KeypadGuideParts) {
    this.#parts = parts;
  }

  press(event: Extract<KeypadEvent, { type: 'key' | 'move' }>): void {
    const model = this.#parts.model();
    if (model === null) return;
    const question = `${model.session} ${model.screen} ${model.heading}`;
    if (question !== this.#question) {
      this.#question = question;
      this.#focus = null;
      this.#count = 0;
    }
    if (model.body.kind === 'pin') {
      if (model.body.checking) return;
      if (event.type === 'key') this.#pinKey(model, event.key, model.body.entered);
      else this.#pinMove(model, event.move, model.body);
    } else if (event.type === 'key') this.#key(model, event.key);
    else this.#move(model, event.move);
  }

  #key(model: ScreenModel, key: PinKey): void {
    const digit = digitOf(key);
    if (digit !== null && digit >= 1 && digit <= model.controls.length) this.#goTo(digit - 1);
    else if (key === enterKey) this.#choose(model);
    else this.#parts.repeat();
  }

  #move(model: ScreenModel, move: KeypadMove): void {
    if (move === 'choose') this.#choose(model);
    else if (move === 'repeat' || model.controls.length === 0) this.#parts.repeat();
    else this.#walk(model, move === 'next' ? 1 : -1);
  }

  #pinKey(model: ScreenModel, key: PinKey, entered: number): void {
    if (key === clearKey && entered === 0) this.#walk(model, 1);
    else if (key === enterKey && this.#focus !== null) this.#choose(model);
    else {
      if (this.#focus !== null) this.#goTo(null);
      this.#parts.pinKey(key);
    }
  }

  #pinMove(model: ScreenModel, move: KeypadMove, body: { readonly entered: number; readonly length: number }): void {
    if (move === 'repeat') return this.#parts.repeat();
    if (this.#focus !== null) {
      if (move === 'choose') this.#choose(model);
      else this.#goTo(this.#focus + (move === 'next' ? 1 : -1));
      return;
    }
    if (move === 'next') this.#count = (this.#count + 1) % 10;
    else if (move === 'choose') {
      const key = body.entered === body.length ? enterKey : zeroKey + this.#count;
      this.#count = 0;
      this.#parts.pinKey(key);
    } else if (this.#count > 0) this.#count = 0;
    else if (body.entered > 0) this.#parts.pinKey(clearKey);
    else this.#walk(model, -1);
  }

  #walk(model: ScreenModel, step: 1 | -1): void {
    const { length } = model.controls;
    if (length === 0) return this.#parts.repeat();
    const from = this.#focus ?? (step === 1 ? -1 : length);
    this.#goTo((from + step + length) % length);
  }

  /** Off either end of the list there is no focus: on the PIN screen, back to the digits. */
  #goTo(index: number | null): void {
    const controls = this.#parts.model()?.controls ?? [];
    this.#focus = index === null || index < 0 || index >= controls.length ? null : index;
    this.#parts.focus(this.#focus);
  }

  #choose(model: ScreenModel): void {
    const chosen = this.#focus === null && model.controls.length === 1 ? 0 : this.#focus;
    const control = chosen === null ? undefined : model.controls[chosen];
    if (control === undefined) return this.#parts.repeat();
    this.#focus = null;
    this.#parts.focus(null);
    this.#parts.touch({
      session: model.session,
      revision: model.revision,
      control: control.id,
      ...(control.value === undefined ? {} : { value: control.value }),
    });
  }
}
