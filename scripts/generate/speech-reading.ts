/** One word of Open JTalk's analysis: how it is written, what it is, how it is pronounced (katakana). */
type Word = { readonly surface: string; readonly partOfSpeech: string; readonly pronunciation: string };

/** The words in the trace that `open_jtalk -ot` writes. Columns as in the NAIST dictionary. */
export const wordsOfTrace = (trace: string): readonly Word[] => {
  const analysis = /\[Text analysis result\]\n([\s\S]*?)\n\n/.exec(trace)?.[1] ?? '';
  return analysis.split('\n').flatMap((line) => {
    const columns = line.split(',');
    const [surface, partOfSpeech] = columns;
    const pronunciation = columns[9];
    return surface === undefined || partOfSpeech === undefined || pronunciation === undefined
      ? []
      : [{ surface, partOfSpeech, pronunciation }];
  });
};

const hiragana = (katakana: string): string =>
  katakana.replace(/[\u30a1-\u30f6]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) - 0x60));

/**
 * Kana as they are spoken: particles は and へ as わ and え, small words joined to the word before them, a space between
 * phrases. 置いてください → おいて ください
 */
export const readingOf = (words: readonly Word[]): string =>
  words
    .map(({ surface, partOfSpeech, pronunciation }) => {
      if (partOfSpeech === '記号') return { text: /^[、。！？]$/.test(surface) ? surface : '、', joined: true };
      const joined = partOfSpeech === '助詞' || partOfSpeech === '助動詞';
      return { text: hiragana(pronunciation.replaceAll('’', '')), joined };
    })
    .reduce((reading, { text, joined }) => (joined || reading === '' ? reading + text : `${reading} ${text}`), '')
    .replace(/、+/g, '、')
    .replace(/、([。！？])/g, '$1');
