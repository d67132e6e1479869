import { describe, expect, it } from 'vitest';
import type { Catalogue } from '../../../src/core/catalogue/catalogue.ts';
import { clockTime, dayAndTime, dictionaryOf, together } from '../../../src/core/screen/draw-screen-words.ts';

/* The words of a screen: which language they are taken from, what is filled in, and how they are read aloud. */

type Texts = Readonly<Record<string, string>>;
const language = (code: string, texts: Texts, readings: Texts = {}) => ({
  ...{ language: code, name: code, grade: 'native', texts, readings },
});
const catalogue = {
  languages: {
    ja: language(
      'ja',
      { hello: 'こんにちは', left: 'あと{count}つ', from: '{place}の{what}', only: '日本語だけ' },
      { left: 'あと {count}つ', only: 'にほんごだけ' },
    ),
    'ja-easy': language('ja-easy', { hello: 'やあ', say: '言う' }, { say: 'いう' }),
    en: language('en', { hello: 'Hello', left: '{count} left', from: '{what} of {place}' }, { hello: 'never read' }),
  },
} as unknown as Catalogue;
const ja = dictionaryOf(catalogue, 'ja');
const en = dictionaryOf(catalogue, 'en');
const place = { text: '受付', reading: 'うけつけ' };

describe('the language', () => {
  it('is the one that was asked for; words that it lacks are Japanese, and a key that nobody has shows itself', () => {
    expect(en.words('hello')).toEqual({ text: 'Hello' });
    expect(en.words('only')).toEqual({ text: '日本語だけ', reading: 'にほんごだけ' });
    expect(en.text('nowhere')).toBe('nowhere');
    expect([en.language, ja.language]).toEqual(['en', 'ja']);
  });

  it('that nobody knows is Japanese', () => {
    const xx = dictionaryOf(catalogue, 'xx');
    expect([xx.language, xx.text('hello')]).toEqual(['ja', 'こんにちは']);
  });

  it('where there is none at all, words show their keys', () => {
    const none = dictionaryOf({ languages: {} } as unknown as Catalogue, 'en');
    expect([none.language, none.words('hello')]).toEqual(['ja', { text: 'hello' }]);
  });
});

describe('what is filled in', () => {
  it('stands where its name stood, each in the order of its language', () => {
    expect(ja.text('from', { place: '棚', what: '薬' })).toBe('棚の薬');
    expect(en.text('from', { place: 'shelf', what: 'drug' })).toBe('drug of shelf');
    expect(en.text('left', { count: 0 })).toBe('0 left');
    expect(en.text('left', { count: 2, other: 3 })).toBe('2 left');
  });

  it('leaves its name standing where it is missing, and does nothing where nothing is asked for', () => {
    expect(en.text('from', { what: 'drug' })).toBe('drug of {place}');
    expect(en.text('hello', { what: 'drug' })).toBe('Hello');
  });

  it('is read as it is said, in Japanese and nowhere else', () => {
    expect(ja.words('left', { count: place })).toEqual({ text: 'あと受付つ', reading: 'あと うけつけつ' });
    expect(ja.words('from', { place, what: '薬' })).toEqual({ text: '受付の薬', reading: 'うけつけの薬' });
    expect(ja.words('from', { place: { text: '受付' }, what: 1 })).toEqual({ text: '受付の1' });
    expect(ja.words('left', { count: { text: '三' } })).toEqual({ text: 'あと三つ', reading: 'あと 三つ' });
    expect(en.words('from', { place, what: 'drug' })).toEqual({ text: 'drug of 受付' });
  });
});

describe('two sentences in one', () => {
  const plain = { text: 'カナ' };

  it('are read as each is said, or as it is written where that tells', () => {
    expect(together(place, place)).toEqual({ text: '受付 受付', reading: 'うけつけ うけつけ' });
    expect(together(place, plain)).toEqual({ text: '受付 カナ', reading: 'うけつけ カナ' });
    expect(together(plain, place)).toEqual({ text: 'カナ 受付', reading: 'カナ うけつけ' });
  });

  it('have no reading of their own where neither has one', () => {
    expect(together(plain, plain)).toEqual({ text: 'カナ カナ' });
  });
});

describe('what was made before', () => {
  it('is made once in a language, and anew for each screen that tells furigana', () => {
    const made: string[] = [];
    const steps = (code: string) =>
      dictionaryOf(catalogue, code).remembered('steps', () => {
        made.push(code);
        return [`of ${code}`];
      });
    expect([steps('en'), steps('en'), steps('ja')]).toEqual([['of en'], ['of en'], ['of ja']]);
    expect(steps('ja-easy')).toEqual(steps('ja-easy'));
    expect(made).toEqual(['en', 'ja', 'ja-easy', 'ja-easy']);
    expect(dictionaryOf(catalogue, 'en').words('hello')).toBe(en.words('hello'));
  });

  it('is of its own catalogue: words of a notice come at once', () => {
    const other = {
      languages: { en: language('en', { hello: 'Good morning' }) },
    } as unknown as Catalogue;
    expect(en.text('hello')).toBe('Hello');
    expect(dictionaryOf(other, 'en').text('hello')).toBe('Good morning');
    expect(dictionaryOf(catalogue, 'en').text('hello')).toBe('Hello');
  });
});

it('readings are kept for furigana, of what was asked and of what was made of it, in やさしい日本語 alone', () => {
  const easy = dictionaryOf(catalogue, 'ja-easy');
  easy.words('say');
  easy.words('hello');
  expect(easy.keep(place)).toBe(place);
  expect([...easy.readings]).toEqual([
    ...[
      ['言う', 'いう'],
      ['やあ', 'やあ'],
      ['受付', 'うけつけ'],
    ],
  ]);
  ja.words('only');
  ja.keep(place);
  expect([...ja.readings, ...en.readings]).toEqual([]);
});

describe('a clock', () => {
  const at = (time: string) => Date.parse(`${time}+09:00`);

  it('is told by Japanese time', () => {
    expect([clockTime(at('2026-12-01T00:05:59')), clockTime(at('2026-12-01T14:03:00'))]).toEqual(['00:05', '14:03']);
  });

  it('with its day where that is another', () => {
    const then = at('2026-10-07T22:00:00');
    expect(dayAndTime(then, at('2026-10-07T00:00:00'))).toEqual({ text: '22:00', reading: 'にじゅーにじ' });
    expect(dayAndTime(then, at('2026-10-06T23:59:00'))).toEqual({
      ...{ text: '10/7 22:00', reading: 'じゅーがつ なのか にじゅーにじ' },
    });
    expect(dayAndTime(then, at('2025-10-07T22:00:00')).text).toBe('10/7 22:00');
    expect(dayAndTime(at('2026-01-02T08:09:00'), then)).toEqual({
      ...{ text: '1/2 08:09', reading: 'いちがつ ふつか はちじ きゅーふん' },
    });
  });
});
