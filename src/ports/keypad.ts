import type { Failure } from '../core/failure.ts';

/** One key of the PIN pad as one byte: ASCII '0'-'9', 0x08 clear, 0x0D enter. Never a string. */
export type PinKey = number;

/** A device with four keys and no digits: to the one before, to the next, this one, say it again. */
export type KeypadMove = 'previous' | 'next' | 'choose' | 'repeat';

export type KeypadEvent =
  | { readonly type: 'key'; readonly key: PinKey }
  | { readonly type: 'move'; readonly move: KeypadMove }
  | { readonly type: 'found' }
  | { readonly type: 'lost'; readonly failure: Failure };

export interface Keypad {
  /** What it has: how to use it is said with every screen. */
  readonly keys: 'digits' | 'four-keys';
  subscribe(listener: (event: KeypadEvent) => void): () => void;
  close(): Promise<void>;
}
