import type { SessionState } from '../../core/visit/session.ts';
import type { PinKey } from '../../ports/keypad.ts';
import { unmovedBytes } from '../../protocol/bytes.ts';

const length = 4;
const clearKey = 0x08;
export const enterKey = 0x0d;
export const isDigitKey = (key: PinKey): boolean => key >= 0x30 && key <= 0x39;

/** Whose PIN is typed: a card's, by its insertion, or that of a phone that is not there yet. */
type PinOwner = string;
export const ofPhone: PinOwner = 'phone';

/** Whose PIN the keys are for now; null: nobody's. */
export const pinOwnerOf = (state: SessionState): PinOwner | null => {
  if (state.name === 'enteringPhonePin') return state.lastTry === 'asking' ? null : ofPhone;
  if (state.name !== 'enteringPin' || state.checking || state.lastTry === 'asking') return null;
  return state.visit.insertion;
};

/**
 * The digits of one PIN between key and APDU: four bytes in one place, overwritten when taken, cleared or thrown away.
 * They belong to what they were typed for and reach nothing else. Nobody learns more of a key than how many are in.
 */
export class PinEntry {
  readonly #digits = unmovedBytes(length);
  #entered = 0;
  #owner: PinOwner | null = null;

  get entered(): number {
    return this.#entered;
  }

  /** `changed`: a digit came in or all were cleared. `submitted`: enter with four digits in; `incomplete`: with fewer. */
  press(key: PinKey, owner: PinOwner): 'changed' | 'submitted' | 'incomplete' | 'ignored' {
    if (owner !== this.#owner) this.clear();
    this.#owner = owner;
    if (isDigitKey(key)) {
      if (this.#entered === length) return 'ignored';
      this.#digits[this.#entered] = key;
      this.#entered += 1;
      return 'changed';
    }
    if (key === clearKey && this.#entered > 0) {
      this.clear();
      return 'changed';
    }
    if (key !== enterKey) return 'ignored';
    return this.#entered === length ? 'submitted' : 'incomplete';
  }

  /**
   * The four ASCII digits, once; the entry is empty afterwards and the copy is the caller's to overwrite. Nothing at all
   * for another than they were typed for: theirs are overwritten.
   */
  take(owner: PinOwner): Uint8Array {
    const digits = unmovedBytes(owner === this.#owner ? length : 0);
    if (owner === this.#owner) digits.set(this.#digits);
    this.clear();
    return digits;
  }

  clear(): void {
    this.#digits.fill(0);
    this.#entered = 0;
    this.#owner = null;
  }
}
