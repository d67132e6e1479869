/** Events of a port as a test waits for them. */
export type Listened<E> = {
  readonly all: readonly E[];
  /** The first event, not given out before, that fits; rejects after `withinMs` and says what came instead. */
  next(fits: (event: E) => boolean, withinMs?: number): Promise<E>;
  stop(): void;
};

export const listenTo = <E extends { readonly type: string }>(
  subscribe: (listener: (event: E) => void) => () => void,
): Listened<E> => {
  const all: E[] = [];
  let given = 0;
  let wake = (): void => {};
  const stop = subscribe((event) => {
    all.push(event);
    wake();
  });
  return {
    all,
    stop,
    next: (fits, withinMs = 60_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`not within ${withinMs} ms; came: ${all.map(({ type }) => type).join(', ')}`)),
          withinMs,
        );
        wake = () => {
          for (; given < all.length; given += 1) {
            const event = all[given];
            if (event === undefined || !fits(event)) continue;
            given += 1;
            clearTimeout(timer);
            wake = () => {};
            return resolve(event);
          }
        };
        wake();
      }),
  };
};
