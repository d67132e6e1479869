import type { Result } from '../core/result.ts';
import type { PhoneKind } from '../core/visit/session.ts';
import type { CardSession } from './card-reader.ts';

/**
 * A reader of its own for phones (where there is none, they are laid where cards are): the paired 汎用カードリーダー that reads the My Number card inside a smartphone (since 2025-09-19). An iPhone
 * authenticates its owner on the phone; for an Android the PIN is typed on the terminal first, then the phone is held
 * there. Both answer APDUs with the same JPKI AID as a card (tokens `JPKIAPIOSTOKEN`, `JPKIAPGPSETOKEN`; an Android's
 * certificate 000A opens after the PIN only). No digit passes this port but in the one VERIFY of its session.
 * Not public, and so in no driver but the virtual one: how the phone is woken, how the two readers are paired, whether a
 * phone answers the empty VERIFY that asks for its counter, and how it signs once it has been taken away again.
 */
export interface SmartphoneReader {
  /**
   * Resolves once the phone is there (an iPhone: its owner authenticated, too), with a session that lives like a card's (dead when
   * the phone goes away). Failures are those of a card: `card.unreadable`, `card.removed`,
   * `reader.lost`. After `signal` aborts nobody waits for the answer; a session that still comes is ended by the caller.
   */
  present(kind: PhoneKind, signal: AbortSignal): Promise<Result<CardSession>>;
}
