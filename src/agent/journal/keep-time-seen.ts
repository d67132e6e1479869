import { type TrustedTime, timeOffMs } from '../../core/trusted-time.ts';
import type { Journal } from './journal.ts';

/**
 * Answers how to look at the time, again and again: the journal keeps the last one that nobody doubted, and learns once how
 * long the machine was off, where two confirmed clocks say so.
 */
export const keepTimeSeen = (
  journal: Pick<Journal, 'timeSeen' | 'livedMs' | 'countTimeOff' | 'see'>,
  timeNow: () => Pick<TrustedTime, 'certainty' | 'wallMs'>,
): (() => void) => {
  const earlier = journal.timeSeen;
  const livedAtStartMs = journal.livedMs;
  let offIsCounted = false;
  return () => {
    const { certainty, wallMs } = timeNow();
    if (certainty === 'doubted') return;
    const confirmed = certainty === 'confirmed';
    if (confirmed && !offIsCounted) {
      offIsCounted = true;
      const began = { wallMs: wallMs - (journal.livedMs - livedAtStartMs), confirmed };
      journal.countTimeOff(timeOffMs(earlier, began));
    }
    journal.see({ wallMs, confirmed });
  };
};
