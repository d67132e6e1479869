/** One instant on two clocks: deadlines run on the monotonic one, documents carry the wall clock's. Both in ms. */
export type Moment = { readonly monotonicMs: number; readonly wallMs: number };
