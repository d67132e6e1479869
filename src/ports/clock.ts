/** One instant on two clocks: deadlines run on the monotonic one, documents carry the wall clock's. Both in ms. */
export type Moment = { readonly monotonicMs: number; readonly wallMs: number };

export interface Clock {
  now(): Moment;
  /** Calls `wake` once at or after `monotonicMs`; the returned function calls it off. */
  wakeAt(monotonicMs: number, wake: () => void): () => void;
}
