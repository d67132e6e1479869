import { unmovedBytes } from '../bytes.ts';
import { type CardCommand, type VerifyOutcome, verify } from './myna-card.ts';

const length = 4;
export const isDigitKey = (key: number): boolean => key >= 0x30 && key <= 0x39;

/**
 * The four digits of a PIN, in one place, until they are wiped. There is one way out, the command to the card: the compiler
 * lets them into no log, message, file or screen, and neither JSON nor a text shows them (`test/terminal/card/pin-taint.ts`).
 */
export class PinDigits {
  readonly #bytes = unmovedBytes(length);
  #entered = 0;

  get entered(): number {
    return this.#entered;
  }
  get isWhole(): boolean {
    return this.#entered === length;
  }

  /** ASCII. false: no digit, or one too many */
  add(key: number): boolean {
    if (this.isWhole || !isDigitKey(key)) return false;
    this.#bytes[this.#entered] = key;
    this.#entered += 1;
    return true;
  }

  wipe(): void {
    this.#bytes.fill(0);
    this.#entered = 0;
  }

  /** VERIFY. What it holds is overwritten by `wipe`, too. */
  toCommand(): CardCommand<VerifyOutcome> {
    return verify(this.#bytes);
  }
}
