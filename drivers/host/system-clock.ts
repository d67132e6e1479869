import type { Clock } from '../../src/ports/clock.ts';

/** The longest that `setTimeout` can wait; a later wake-up is reached in steps. */
const longestTimerMs = 2 ** 31 - 1;

/** This machine's clocks. `monotonicMs` begins at the start of the process. */
export const createSystemClock = (): Clock => ({
  now: () => ({ monotonicMs: performance.now(), wallMs: Date.now() }),
  wakeAt: (monotonicMs, wake) => {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const left = monotonicMs - performance.now();
      timer = left > longestTimerMs ? setTimeout(arm, longestTimerMs) : setTimeout(wake, Math.max(0, left));
    };
    arm();
    return () => clearTimeout(timer);
  },
});
