import type { Failure } from '../core/failure.ts';
import type { Result } from '../core/result.ts';

/**
 * One card, from insertion to removal. Held exclusively; dead after removal or `end`: every later call answers
 * `card.removed` at once. APDUs run one after the other.
 */
export interface CardSession {
  /** Unique for each insertion, never used again. */
  readonly id: string;
  readonly atr: Uint8Array;
  /** Command APDU in, response APDU (data ‖ SW1 SW2) out; never throws. */
  transmit(command: Uint8Array): Promise<Result<Uint8Array>>;
  /** Disconnects with reset, so that a verified PIN does not outlive the visit. */
  end(): Promise<void>;
}

export type CardReaderEvent =
  | { readonly type: 'reader-found'; readonly reader: string }
  | { readonly type: 'reader-lost'; readonly failure: Failure }
  | { readonly type: 'card-inserted'; readonly session: CardSession }
  /** A card is on the bed but no connection could be made (upside down, another chip, another program holds it). */
  | { readonly type: 'card-unreadable'; readonly failure: Failure }
  /** An APDU failed though the card lies there: its session is dead, and says so to whoever waits. */
  | { readonly type: 'card-faltered' }
  | { readonly type: 'card-removed' };

export interface CardReader {
  /** The current situation (reader, card) is told to a new listener first. */
  subscribe(listener: (event: CardReaderEvent) => void): () => void;
  /** Names of all readers and slots that are watched; left out: there is only ever one */
  slots?(): readonly string[];
  close(): Promise<void>;
}
