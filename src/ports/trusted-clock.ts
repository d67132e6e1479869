import type { TrustedTime } from '../core/trusted-time.ts';
import type { Clock } from './clock.ts';

/** A clock whose `wallMs` is the best time that is known (`tellTime`), whatever the machine's own clock says. */
export interface TrustedClock extends Clock {
  readonly time: TrustedTime;
  /** The machine's own wall clock, right or wrong: told to the other end, which compares. ms since 1970 UTC */
  machineWallMs(): number;
  /** The other end's signed time as it is now, ms since 1970 UTC. `doubted`: the sender does not trust its own clock. */
  hear(wallMs: number, doubted: boolean): void;
  /** At once, whenever certainty or fault change, and every hour. */
  subscribe(listener: (time: TrustedTime) => void): () => void;
  close(): void;
}
