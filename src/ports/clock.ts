import type { Moment } from '../core/moment.ts';

export interface Clock {
  now(): Moment;
  /** Calls `wake` once at or after `monotonicMs`; the returned function calls it off. */
  wakeAt(monotonicMs: number, wake: () => void): () => void;
}
