import { describe, expect, it } from 'vitest';
import type { ScreenModel, SpokenSentence } from '../../../src/core/screen/screen-model.ts';
import { screenNames } from '../../../src/core/screen/screen-model.ts';
import { forEar, isSameQuestion, sentencesToSay, speaksToNobody } from '../../../src/core/screen/speech.ts';
import { faceHints, isFacePrompt } from '../../../src/core/visit/verification.ts';

type Spoken = Pick<ScreenModel, 'screen' | 'session' | 'language' | 'heading' | 'speech'>;

const sentence = (text: string, part: SpokenSentence['part'] = 'more', more: Partial<SpokenSentence> = {}) => ({
  ...{ text, part },
  ...more,
});
const screen = (more: Partial<Spoken> = {}): Spoken => ({
  ...{ screen: 'pin', session: 's', language: 'ja', heading: '暗証番号', speech: [sentence('暗証番号', 'heading')] },
  ...more,
});
const nobody: ReadonlySet<string> = new Set();
const textsOf = (words: readonly { readonly text: string }[]) => words.map(({ text }) => text);

describe('the same question', () => {
  it('stands there while screen, visit, language and heading do', () => {
    const before = screen();
    expect(isSameQuestion(before, screen())).toBe(true);
    const others: readonly Partial<Spoken>[] = [
      ...[{ screen: 'face' as const }, { session: 't' }, { session: null }, { language: 'en' }, { heading: 'PIN' }],
    ];
    for (const other of others) expect(isSameQuestion(before, screen(other)), JSON.stringify(other)).toBe(false);
  });

  it('is the face check’s, whatever its heading asks of the patient', () => {
    const before = screen({ screen: 'face', heading: '近づいてください' });
    expect(isSameQuestion(before, { ...before, heading: '離れてください' })).toBe(true);
    expect(isSameQuestion(before, { ...before, heading: '離れてください', session: 't' })).toBe(false);
  });
});

describe('what is said when a screen changes', () => {
  const first = [sentence('一', 'heading'), sentence('二')];
  const more = [...first, sentence('三')];

  it('is all of it where nothing stood there, or another question did', () => {
    expect(sentencesToSay(null, screen({ speech: more }))).toEqual(more);
    expect(sentencesToSay(screen({ speech: first, language: 'en' }), screen({ speech: more }))).toEqual(more);
  });

  it('is only what is new in the same question, and nothing where nothing is', () => {
    expect(textsOf(sentencesToSay(screen({ speech: first }), screen({ speech: more })))).toEqual(['三']);
    expect(sentencesToSay(screen({ speech: more }), screen({ speech: first }))).toEqual([]);
  });
});

describe('what a listener is told', () => {
  const speech = [
    sentence('佐藤さん', 'heading', { aloud: { text: 'こちらへ', reading: 'こちらえ' } }),
    sentence('お薬', 'heading', { reading: 'おくすり' }),
    ...[sentence('理由', 'why'), sentence('選ぶ', 'choice'), sentence('キー', 'keys'), sentence('ほか')],
    sentence('音声は5', 'invite'),
  ];

  it('aloud: the headings, and in their place what is not only one’s own to hear; then how to hear more', () => {
    expect(forEar(speech, 'headings', nobody)).toEqual([
      ...[{ text: 'こちらへ', reading: 'こちらえ' }, { text: 'お薬', reading: 'おくすり' }, { text: '音声は5' }],
    ]);
  });

  it('aloud, once invited: not invited again, and the headings as before', () => {
    expect(textsOf(forEar(speech, 'headings', new Set(textsOf(speech))))).toEqual(['こちらへ', 'お薬']);
  });

  it('who asked: every word with its reading, and no invitation', () => {
    expect(forEar(speech, 'all', nobody)).toEqual([
      ...[{ text: '佐藤さん' }, { text: 'お薬', reading: 'おくすり' }, { text: '理由' }, { text: '選ぶ' }],
      ...[{ text: 'キー' }, { text: 'ほか' }],
    ]);
  });

  it('who asked and heard it before: how the keys go and what else stands there is explained once', () => {
    expect(textsOf(forEar(speech, 'all', new Set(textsOf(speech))))).toEqual(['佐藤さん', 'お薬', '理由', '選ぶ']);
    expect(textsOf(forEar(speech, 'all', new Set(['キー'])))).toContain('ほか');
  });
});

it('between visits nobody is spoken to', () => {
  expect(screenNames.filter((name) => speaksToNobody({ screen: name })).toSorted()).toEqual([
    ...['idle', 'out-of-service', 'outage', 'starting'],
  ]);
});

it('what is to be done at once, while the camera looks, is a turn of the head or a blink', () => {
  expect(faceHints.filter(isFacePrompt)).toEqual(['turn-left', 'turn-right', 'blink']);
  expect(isFacePrompt(null)).toBe(false);
});
