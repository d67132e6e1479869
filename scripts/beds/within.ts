/** Polls until it holds or `ms` are over; answers whether it held. For real processes only: simulated time is awaited by `until`. */
export const within = async (ms: number, holds: () => boolean | Promise<boolean>): Promise<boolean> => {
  const last = performance.now() + ms;
  for (;;) {
    if (await holds()) return true;
    if (performance.now() > last) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
