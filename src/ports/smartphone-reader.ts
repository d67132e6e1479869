import type { Result } from '../core/result.ts';
import type { PhoneKind } from '../core/visit/session.ts';
import type { CardSession } from './card-reader.ts';

/**
 * The paired 汎用カードリーダー that reads the My Number card inside a smartphone (since 2025-09-19). An iPhone
 * authenticates its owner on the phone, an Android phone by the PIN typed on that reader; both then answer APDUs with
 * the same JPKI AID as a card (tokens `JPKIAPIOSTOKEN`, `JPKIAPGPSETOKEN`; certificate 000A opens after the PIN only).
 * Not public, and so in no driver here: how the phone is woken, how the two readers are paired, what the reader with
 * the PIN pad expects. A driver keeps the PIN inside that reader: no digit passes this port.
 */
export interface SmartphoneReader {
  /**
   * Resolves once the phone is there and its owner authenticated, with a session that lives like a card's (dead when
   * the phone goes away). Failures are those of a card: `card.unreadable`, `card.removed`, `card.pin-blocked`,
   * `reader.lost`. After `signal` aborts nobody waits for the answer; a session that still comes is ended by the caller.
   */
  present(kind: PhoneKind, signal: AbortSignal): Promise<Result<CardSession>>;
}
