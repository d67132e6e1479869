import { dayMs } from './time-units.ts';

/** Japanese time (UTC+9, no summer time): calendar days are counted by it whatever the machine's time zone. */
export type JapanDate = { readonly year: number; readonly month: number; readonly day: number };

/** JST is UTC+9 all year. ms */
const offsetMs = 9 * 60 * 60 * 1000;

export const japanDate = (wallMs: number): JapanDate => {
  const shifted = new Date(wallMs + offsetMs);
  return { year: shifted.getUTCFullYear(), month: shifted.getUTCMonth() + 1, day: shifted.getUTCDate() };
};

/** 00:00:00 JST of that day, ms since 1970. Days and months outside their range carry over, as in `Date.UTC`. */
export const startOfJapanDay = ({ year, month, day }: JapanDate): number => Date.UTC(year, month - 1, day) - offsetMs;

export const startOfJapanMonth = (wallMs: number): number => startOfJapanDay({ ...japanDate(wallMs), day: 1 });

/** 23:59:59.999 JST of that day. */
export const endOfJapanDay = (date: JapanDate): number => startOfJapanDay(date) + dayMs - 1;

export const daysInMonth = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();

/** Calendar months later (or earlier); 31 January plus one month is the last day of February. */
export const addMonths = (date: JapanDate, months: number): JapanDate => {
  const index = date.year * 12 + (date.month - 1) + months;
  const year = Math.floor(index / 12);
  const month = index - year * 12 + 1;
  return { year, month, day: Math.min(date.day, daysInMonth(year, month)) };
};

const two = (value: number): string => value.toString().padStart(2, '0');

/** yyyyMMdd */
export const formatJapanDate = ({ year, month, day }: JapanDate): string =>
  `${year.toString().padStart(4, '0')}${two(month)}${two(day)}`;

/** yyyyMMddHHmmss, as the files of オンライン資格確認 write instants. */
export const formatJapanInstant = (wallMs: number): string => {
  const shifted = new Date(wallMs + offsetMs);
  return `${formatJapanDate(japanDate(wallMs))}${two(shifted.getUTCHours())}${two(shifted.getUTCMinutes())}${two(shifted.getUTCSeconds())}`;
};

/** 07:30 → 450 */
export const minuteOfDay = (time: string): number => {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
};

/** yyyyMMdd of a day that exists, else null. */
export const parseJapanDate = (text: string): JapanDate | null => {
  if (!/^\d{8}$/.test(text)) return null;
  const date = { year: Number(text.slice(0, 4)), month: Number(text.slice(4, 6)), day: Number(text.slice(6, 8)) };
  if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > daysInMonth(date.year, date.month)) return null;
  return date;
};

export const compareDates = (a: JapanDate, b: JapanDate): number => startOfJapanDay(a) - startOfJapanDay(b);
