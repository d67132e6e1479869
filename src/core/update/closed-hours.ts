import { japanDate, minuteOfDay, startOfJapanDay } from '../japan-time.ts';
import { dayMs } from '../time-units.ts';
import type { TrustedTime } from '../trusted-time.ts';
import type { Surroundings } from './update.ts';

/** When the clinic may be open, in JST, every day of the week alike: a holiday's emergency duty is a day, too. Minutes since 00:00 */
type OpeningHours = { readonly fromMinute: number; readonly untilMinute: number };

/** Of the configuration: `07:00` and the like */
export const openingHoursOf = (closed: {
  readonly closedFrom: string;
  readonly closedUntil: string;
}): OpeningHours => ({
  fromMinute: minuteOfDay(closed.closedUntil),
  untilMinute: minuteOfDay(closed.closedFrom),
});

/**
 * Whether an update may begin now, so far as the hour goes: closed, and closed for `neededMs` more. A clock that nothing
 * confirms knows no hour. Example: open 7:00 to 21:00 and half an hour needed → from 21:00 to 6:30.
 */
export const hoursNow = (
  { wallMs, certainty }: Pick<TrustedTime, 'wallMs' | 'certainty'>,
  { fromMinute, untilMinute }: OpeningHours,
  neededMs: number,
): Surroundings['hours'] => {
  if (certainty === 'doubted') return 'unknown';
  const sinceMidnight = wallMs - startOfJapanDay(japanDate(wallMs));
  const from = fromMinute * 60_000;
  // Until 00:00 or later in the night: open beyond the day. From and until the same: never closed.
  const until = untilMinute * 60_000 + (untilMinute <= fromMinute ? dayMs : 0);
  const overlaps = [-dayMs, 0, dayMs].some(
    (shift) => sinceMidnight < until + shift && sinceMidnight + neededMs > from + shift,
  );
  return overlaps ? 'open' : 'closed';
};
