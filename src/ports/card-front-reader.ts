import type { Result } from '../core/result.ts';

/** Reads what is printed on the card's front with a second camera: the 照合番号B that opens the photo on the chip. */
export interface CardFrontReader {
  /**
   * 14 ASCII digits: birth date in the Japanese calendar YYMMDD, expiry year YYYY, security code NNNN.
   * Read twice independently or not at all (`card.number-b-unreadable`). The caller overwrites the bytes after use.
   */
  readVerificationNumberB(signal: AbortSignal): Promise<Result<Uint8Array>>;
  close(): Promise<void>;
}
