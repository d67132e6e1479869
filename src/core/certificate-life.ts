import { dayMs } from './time-units.ts';
import type { TrustedTime } from './trusted-time.ts';

/** Staff are warned so many days before a certificate ends; from the first on it is renewed. */
export const warningDays = [60, 30, 14, 7] as const;
export type WarningDays = (typeof warningDays)[number];

type KnownTime = Pick<TrustedTime, 'wallMs' | 'floorMs' | 'certainty'>;

/** The latest time that is surely reached: a clock that is doubted warns of nothing and ends nothing. ms since 1970 UTC */
export const surelyReachedMs = ({ wallMs, floorMs, certainty }: KnownTime): number =>
  certainty === 'doubted' ? Math.min(wallMs, floorMs) : wallMs;

/** The narrowest of the warnings that hold; null: it ends later than the first. */
export const warningOf = (endsMs: number, time: KnownTime): WarningDays | null =>
  warningDays.findLast((days) => endsMs - surelyReachedMs(time) <= days * dayMs) ?? null;
