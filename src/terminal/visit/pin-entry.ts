import type { PinKey } from '../../ports/keypad.ts';

const length = 4;
const clearKey = 0x08;
export const enterKey = 0x0d;
export const isDigitKey = (key: PinKey): boolean => key >= 0x30 && key <= 0x39;

/**
 * The digits of one PIN between key and APDU: four bytes in one place, overwritten when taken, cleared or thrown away.
 * Nobody learns more of a key than how many are in.
 */
export class PinEntry {
  readonly #digits = new Uint8Array(length);
  #entered = 0;

  get entered(): number {
    return this.#entered;
  }

  /** `changed`: a digit came in or all were cleared. `submitted`: enter with four digits in; `incomplete`: with fewer. */
  press(key: PinKey): 'changed' | 'submitted' | 'incomplete' | 'ignored' {
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

  /** The four ASCII digits, once; the entry is empty afterwards and the copy is the caller's to overwrite. */
  take(): Uint8Array {
    const digits = this.#digits.slice();
    this.clear();
    return digits;
  }

  clear(): void {
    this.#digits.fill(0);
    this.#entered = 0;
  }
}
