import { kernelNow } from './kernel.ts';

/* Stands in for node:timers where the product waits for the end of a turn of its event loop: what is due at this same instant comes before. */

export const setImmediate = (work: () => void): void => {
  const kernel = kernelNow();
  if (kernel === null) globalThis.setImmediate(work);
  else kernel.after(0, kernel.current, work);
};
