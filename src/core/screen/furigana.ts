/** A piece of text, and the kana that stand above it; null: none are needed. */
export type RubyPiece = readonly [base: string, kana: string | null];

/** The language whose kanji all bear their reading: やさしい日本語. */
export const languageWithFurigana = 'ja-easy';

const han = '\\p{Script=Han}々';
/** A value to come; kanji with the digits before them (1人, 24時間); digits and Latin letters; kana; what is only seen */
const runs = new RegExp(
  `\\{[a-z]+\\}|[0-9]*[${han}]+|[0-9A-Za-z:/.]+|[\\p{Script=Hiragana}\\p{Script=Katakana}ー]+|[^]`,
  'gu',
);
const isKanji = new RegExp(`[${han}]`, 'u');
const isKana = /^[\p{Script=Hiragana}\p{Script=Katakana}ー]/u;

/** Between sounds: spaces and pauses of a reading */
const pause = /[\s、。！？]/;
const seenOnly = /[\s、。！？（）]/;
const sounds = /[ぁ-ゖー0-9\s]/;
/** Of digits and Latin letters, which stand as they are where a value was filled in */
const soundsOfDigits = /[ぁ-ゖー0-9A-Za-z:/.\s]/;

/** How a letter may be spoken otherwise than it is written: particles, and vowels that are drawn out. */
const spokenAs: Readonly<Record<string, string>> = {
  は: 'はわ',
  へ: 'へえ',
  を: 'をお',
  あ: 'あー',
  い: 'いー',
  う: 'うー',
  え: 'えー',
  お: 'おー',
  づ: 'づず',
  ぢ: 'ぢじ',
  ー: 'ーあいうえお',
};

const hiragana = (text: string): string =>
  text.replace(/[ァ-ヶ]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) - 0x60));

const vowels: Readonly<Record<string, string>> = {
  あ: 'あかさたなはまやらわがざだばぱゃぁ',
  い: 'いきしちにひみりぎじぢびぴぃ',
  う: 'うくすつぬふむゆるぐずづぶぷゅぅ',
  え: 'えけせてねへめれげぜでべぺぇ',
  お: 'おこそとのほもよろごぞどぼぽょぉ',
};
/** What a drawn-out vowel is written with: おう, けい … */
const drawnOut: Readonly<Record<string, string>> = { あ: 'あ', い: 'い', う: 'う', え: 'い', お: 'う' };
/** Of these kanji it is written おお, とお. */
const withDoubleO = /[大多遠通十氷]/u;
/** Of these it is づ: the voice says ず. */
const withDu = /続/u;

/** Kana as they are written, from kana as they are spoken: じょーほー → じょうほう, 大(おー) → おお */
const written = (spoken: string, base: string): string =>
  (withDu.test(base) ? spoken.replaceAll('ず', 'づ') : spoken)
    .replace(/\s/g, '')
    .replace(/(.)ー/g, (_, letter: string) => {
      const vowel = Object.keys(vowels).find((each) => vowels[each]?.includes(letter)) ?? '';
      const long = vowel === 'お' && withDoubleO.test(base) ? 'お' : drawnOut[vowel];
      return letter + (long ?? 'ー');
    });

/** One sign of a reading, any number of them (as many as can be), or one and more (as few as can be), which are kept. */
type Step = { readonly sign: RegExp | string; readonly times: 'once' | 'any' | 'kept' };

const pauses: Step = { sign: pause, times: 'any' };
const stepsOf = (piece: string): readonly Step[] => {
  const letters = (text: string): Step[] => [...text].flatMap((sign) => [{ sign, times: 'once' }, pauses]);
  if (piece.startsWith('{')) return letters(piece);
  if (isKanji.test(piece)) return [pauses, { sign: sounds, times: 'kept' }, pauses];
  if (/^[0-9A-Za-z]/.test(piece)) return [pauses, { sign: soundsOfDigits, times: 'kept' }, pauses];
  return isKana.test(piece) ? letters(hiragana(piece)) : [{ sign: seenOnly, times: 'any' }];
};

/**
 * What each `kept` step holds; null: they are not steps of this reading. Each place is tried once for each step: titles of papers
 * are somebody else's words, and a regular expression took minutes over some of them, in which no terminal answers.
 */
const keptBy = (steps: readonly Step[], reading: string): readonly string[] | null => {
  const signs = [...reading];
  const tried = new Set<number>();
  const from: number[] = [];
  const to: number[] = [];
  const isOf = ({ sign }: Step, at: number): boolean => {
    const there = signs[at];
    if (there === undefined) return false;
    return typeof sign === 'string' ? (spokenAs[sign] ?? sign).includes(there) : sign.test(there);
  };
  /** `begun`: of a kept step, whose first sign lies behind */
  const fits = (number: number, at: number, begun = false): boolean => {
    const step = steps[number];
    if (step === undefined) return at === signs.length;
    const place = (number * (signs.length + 1) + at) * 2 + Number(begun);
    if (tried.has(place)) return false;
    tried.add(place);
    switch (step.times) {
      case 'once':
        return isOf(step, at) && fits(number + 1, at + 1);
      case 'any':
        return (isOf(step, at) && fits(number, at + 1)) || fits(number + 1, at);
      case 'kept': {
        if (!begun) from[number] = at;
        to[number] = at;
        if (begun && fits(number + 1, at)) return true;
        return isOf(step, at) && fits(number, at + 1, true);
      }
    }
  };
  return fits(0, 0)
    ? steps.flatMap(({ times }, number) => (times === 'kept' ? [signs.slice(from[number], to[number]).join('')] : []))
    : null;
};

/**
 * Each kanji of a text with its kana, from the reading that the voice has for it (readings of the catalogue's texts):
 * 受付の 人 + うけつけの、 ひと → 受付(うけつけ) の 人(ひと). null: the reading is not that of this text.
 */
export const furiganaOf = (text: string, reading: string): readonly RubyPiece[] | null => {
  const pieces = text.match(runs) ?? [];
  const kept = keptBy([pauses, ...pieces.flatMap(stepsOf)], hiragana(reading));
  if (kept === null) return null;
  let group = 0;
  return pieces.flatMap((piece): readonly RubyPiece[] => {
    if (!isKanji.test(piece)) {
      if (/^[0-9A-Za-z]/.test(piece)) group += 1;
      return [[piece, null]];
    }
    const kana = written(kept[group] ?? '', piece);
    group += 1;
    // A number that was filled in is digits in its reading, too: 5秒, 5びょう.
    const digits = /^[0-9]*/.exec(kana)?.[0] ?? '';
    if (digits === '' || !piece.startsWith(digits)) return [[piece, kana]];
    return [
      [digits, null],
      [piece.slice(digits.length), kana.slice(digits.length)],
    ];
  });
};
