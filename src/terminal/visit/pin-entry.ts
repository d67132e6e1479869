import type { SessionState } from '../../core/visit/session.ts';
import type { PinKey } from '../../ports/keypad.ts';
import { isDigitKey, PinDigits } from '../../protocol/card/pin-digits.ts';

const clearKey = 0x08;
export const enterKey = 0x0d;

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
  #digits = new PinDigits();
  #owner: PinOwner | null = null;

  get entered(): number {
    return this.#digits.entered;
  }

  /** `changed`: a digit came in or all were cleared. `submitted`: enter with four digits in; `incomplete`: with fewer. */
  press(key: PinKey, owner: PinOwner): 'changed' | 'submitted' | 'incomplete' | 'ignored' {
    if (owner !== this.#owner) this.clear();
    this.#owner = owner;
    if (isDigitKey(key)) return this.#digits.add(key) ? 'changed' : 'ignored';
    if (key === clearKey && this.entered > 0) {
      this.clear();
      return 'changed';
    }
    if (key !== enterKey) return 'ignored';
    return this.#digits.isWhole ? 'submitted' : 'incomplete';
  }

  /**
   * The digits, once; the entry is empty afterwards and they are the caller's to wipe. None at all for another than they
   * were typed for: theirs are overwritten.
   */
  take(owner: PinOwner): PinDigits {
    if (owner !== this.#owner) this.clear();
    const digits = this.#digits;
    this.#digits = new PinDigits();
    this.#owner = null;
    return digits;
  }

  clear(): void {
    this.#digits.wipe();
    this.#owner = null;
  }
}
