import { describe, expect, it, test } from 'vitest';
import { dayReading, spokenDate, spokenTitle, timeReading } from '../../../src/core/screen/japanese-reading.ts';

/* As a Japanese speaker says it, long vowels drawn out. */

describe('a time of day', () => {
  test.each([
    [0, 'れーじ'],
    [1, 'いちじ'],
    [3, 'さんじ'],
    [4, 'よじ'],
    [7, 'しちじ'],
    [8, 'はちじ'],
    [9, 'くじ'],
    [10, 'じゅーじ'],
    [12, 'じゅーにじ'],
    [14, 'じゅーよじ'],
    [17, 'じゅーしちじ'],
    [19, 'じゅーくじ'],
    [20, 'にじゅーじ'],
    [23, 'にじゅーさんじ'],
    [24, 'にじゅーよじ'],
  ])('%i:00 is %s, without minutes', (hour, reading) => {
    expect(timeReading(hour, 0)).toBe(reading);
  });

  test.each([
    [1, 'いっぷん'],
    [2, 'にふん'],
    [3, 'さんぷん'],
    [4, 'よんぷん'],
    [5, 'ごふん'],
    [6, 'ろっぷん'],
    [7, 'ななふん'],
    [8, 'はっぷん'],
    [9, 'きゅーふん'],
    [10, 'じゅっぷん'],
    [11, 'じゅーいっぷん'],
    [20, 'にじゅっぷん'],
    [36, 'さんじゅーろっぷん'],
    [40, 'よんじゅっぷん'],
    [59, 'ごじゅーきゅーふん'],
  ])('its minutes: %i is %s', (minute, reading) => {
    expect(timeReading(8, minute)).toBe(`はちじ ${reading}`);
  });
});

describe('a day', () => {
  test.each([
    [1, 'いちがつ'],
    [4, 'しがつ'],
    [6, 'ろくがつ'],
    [7, 'しちがつ'],
    [9, 'くがつ'],
    [10, 'じゅーがつ'],
    [12, 'じゅーにがつ'],
  ])('of month %i: %s', (month, reading) => {
    expect(dayReading(month, 12)).toBe(`${reading} じゅーににち`);
  });

  test.each([
    ['ついたち ふつか みっか よっか いつか むいか なのか よーか ここのか とーか', 1],
    ['じゅーいちにち じゅーににち じゅーさんにち じゅーよっか じゅーごにち', 11],
    ['じゅーろくにち じゅーしちにち じゅーはちにち じゅーくにち はつか', 16],
    ['にじゅーいちにち にじゅーににち にじゅーさんにち にじゅーよっか にじゅーごにち', 21],
    ['にじゅーろくにち にじゅーしちにち にじゅーはちにち にじゅーくにち さんじゅーにち さんじゅーいちにち', 26],
  ])('%s', (readings, first) => {
    const said = readings.split(' ').map((_, index) => dayReading(3, first + index));
    expect(said).toEqual(readings.split(' ').map((reading) => `さんがつ ${reading}`));
  });
});

describe('what stands on a paper', () => {
  it('its date is said by month and day, whatever comes after it', () => {
    const second = { text: '11月2日', reading: 'じゅーいちがつ ふつか' };
    expect(spokenDate('2026-11-02')).toEqual(second);
    expect(spokenDate('2026-11-02T09:00:00+09:00')).toEqual(second);
    expect(spokenDate('2026-04-20')).toEqual({ text: '4月20日', reading: 'しがつ はつか' });
  });

  it.each(['令和8年11月2日', '', '26-11-02', '2026-11', 'x2026-11-02', '2026-1-02'])(
    'a date of another form is left as it stands: %j',
    (date) => {
      expect(spokenDate(date)).toEqual({ text: date });
    },
  );

  it('its title is said where the voice can read it; any other is a paper', () => {
    expect(spokenTitle('紹介状')).toEqual({ text: '紹介状', reading: 'しょーかいじょー' });
    expect(spokenTitle('検査結果').text).toBe('検査結果');
    expect(spokenTitle('手術の説明')).toEqual({ text: '書類', reading: 'しょるい' });
  });
});
