type Words = { readonly text: string; readonly reading?: string };

/* What no recording can hold beforehand, as it is spoken: kana with long vowels as ー and particles as わ, え. */

const ones = ['', 'いち', 'に', 'さん', 'よん', 'ご', 'ろく', 'なな', 'はち', 'きゅー'] as const;

/** 1 … 99 */
const numberReading = (value: number): string => {
  const tens = Math.floor(value / 10);
  return `${tens === 0 ? '' : tens === 1 ? 'じゅー' : `${ones[tens]}じゅー`}${ones[value % 10]}`;
};

/** 0 … 24: よじ, しちじ, くじ are not read as their numbers. */
const hourReading = (hour: number): string => {
  const own: Readonly<Record<number, string>> = { 0: 'れー', 4: 'よ', 7: 'しち', 9: 'く' };
  const unit = own[hour % 10];
  if (hour === 0 || (hour < 10 && unit !== undefined)) return `${own[hour]}じ`;
  return hour > 10 && unit !== undefined && hour % 10 !== 0
    ? `${numberReading(hour - (hour % 10))}${unit}じ`
    : `${numberReading(hour)}じ`;
};

/** 1 … 59: いっぷん, さんぷん, ろっぷん … after their last digit */
const minuteReading = (minute: number): string => {
  const [tens, digit] = [minute - (minute % 10), minute % 10];
  const before = tens === 0 ? '' : numberReading(tens);
  const last: Readonly<Record<number, string>> = {
    1: 'いっぷん',
    2: 'にふん',
    3: 'さんぷん',
    4: 'よんぷん',
    5: 'ごふん',
    6: 'ろっぷん',
    7: 'ななふん',
    8: 'はっぷん',
    9: 'きゅーふん',
  };
  return digit === 0 ? `${before.replace(/ゅー$/, 'ゅっ')}ぷん` : `${before}${last[digit]}`;
};

/** 14, 3 → じゅーよじ さんぷん; on the hour the minutes are not said. */
export const timeReading = (hour: number, minute: number): string =>
  minute === 0 ? hourReading(hour) : `${hourReading(hour)} ${minuteReading(minute)}`;

const monthReading = (month: number): string =>
  (({ 4: 'し', 7: 'しち', 9: 'く' }) as Record<number, string>)[month] ?? numberReading(month);

const days: Readonly<Record<number, string>> = {
  1: 'ついたち',
  2: 'ふつか',
  3: 'みっか',
  4: 'よっか',
  5: 'いつか',
  6: 'むいか',
  7: 'なのか',
  8: 'よーか',
  9: 'ここのか',
  10: 'とーか',
  14: 'じゅーよっか',
  19: 'じゅーくにち',
  20: 'はつか',
  24: 'にじゅーよっか',
  29: 'にじゅーくにち',
  17: 'じゅーしちにち',
  27: 'にじゅーしちにち',
};

/** 11, 2 → じゅーいちがつ ふつか */
export const dayReading = (month: number, day: number): string =>
  `${monthReading(month)}がつ ${days[day] ?? `${numberReading(day)}にち`}`;

/** 2026-11-02 as it is said: 11月2日 */
export const spokenDate = (date: string): Words => {
  const [, month, day] = /^\d{4}-(\d{2})-(\d{2})/.exec(date) ?? [];
  if (month === undefined || day === undefined) return { text: date };
  return { text: `${Number(month)}月${Number(day)}日`, reading: dayReading(Number(month), Number(day)) };
};

/** Titles of papers that the voice knows; any other is 書類. */
const titles: Readonly<Record<string, string>> = {
  診療情報提供書: 'しんりょー じょーほー てーきょーしょ',
  退院時サマリー: 'たいいんじ さまりー',
  電子処方箋: 'でんし しょほーせん',
  検査結果: 'けんさ けっか',
  紹介状: 'しょーかいじょー',
};

export const spokenTitle = (title: string): Words => {
  const reading = titles[title];
  return reading === undefined ? { text: '書類', reading: 'しょるい' } : { text: title, reading };
};
