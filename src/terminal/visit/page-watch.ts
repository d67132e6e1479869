import { type Failure, failure } from '../../core/failure.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ScreenEvent } from '../../ports/screen.ts';

/** A page that loads itself anew is back within a second; whoever stands before a dark screen is not left alone with it. */
export const noPageAfterMs = 4_000;

/**
 * Notices that no browser shows the page: none ever came, or the one that was there is gone. `tell`: once each time it
 * changes, with what is wrong or null. A screen that does not say whether a page is there is not doubted.
 */
export const watchPage = (
  clock: Clock,
  tell: (trouble: Failure | null) => void,
): { hear(event: ScreenEvent): void; close(): void } => {
  let callOff: (() => void) | null = null;
  let isMissed = false;
  return {
    hear: ({ type }) => {
      if (type === 'connected') {
        callOff?.();
        callOff = null;
        if (isMissed) tell(null);
        isMissed = false;
      }
      if (type === 'disconnected' && !isMissed)
        callOff ??= clock.wakeAt(clock.now().monotonicMs + noPageAfterMs, () => {
          callOff = null;
          isMissed = true;
          tell(failure('screen.no-page'));
        });
    },
    close: () => callOff?.(),
  };
};
