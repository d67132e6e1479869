import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  enteredName,
  fillName,
  holdsPlaceholder,
  isAllPlaceholders,
  placeholderPlaces,
} from '../../../src/protocol/oqs/oqs-names.ts';

describe('a name sent with ● and the right one', () => {
  test.each([
    ['●橋　一', '髙橋 一', '髙橋　一'],
    ['●橋　一', '髙橋一', '髙橋　一'],
    ['斉●花子', '斉藤花子', '斉藤花子'],
    ['?田　太郎', '𠮷田太郎', '𠮷田　太郎'],
    ['●田　？', '𠮷田 葛\u{e0100}', '𠮷田　葛\u{e0100}'],
    ['渡●', '渡邉\u{e0101}', '渡邉\u{e0101}'],
    ['花子', '花子', '花子'],
    ['●橋\r\n一', '髙橋 一', '髙橋\r\n一'],
    ['●ずえ', '上す\u3099え', '上ずえ'],
    ['●す\u3099え', '上ずえ', '上ずえ'],
    ['●橋　一', '\ufeff髙橋\u200b 一\u2060', '髙橋　一'],
  ])('%s and %s: %s', (sent, right, filled) => {
    expect(fillName(sent, right)).toBe(filled);
  });

  test.each([
    ['●橋　一', '髙木 一', 'another character where none is missing'],
    ['●橋　一', '髙橋 一郎', 'longer'],
    ['●橋　一郎', '髙橋 一', 'shorter'],
    ['●橋　一', '●橋 一', '● again'],
    ['●橋　一', '', 'nothing'],
    ['●橋 \u0301一', '髙橋一', 'an accent on a blank'],
    ['●橋\u0600 一', '髙橋一', 'a sign with a blank behind it'],
    ['●橋　一', '〓橋 一', 'what another program writes for a missing character'],
    ['●橋　一', '\ufffd橋 一', 'what was lost on the way'],
    ['●橋　一', '■橋 一', 'what another program writes for a missing character'],
    ['●●　●', '髙橋 一', 'not one character that agrees: everybody of that length'],
    ['？', '辻', 'not one character that agrees: everybody of that length'],
    ['●田　太郎', '辻\u{e0100}井　太郎', 'another person of the same length'],
  ])('%s and %s are not one name: %s', (sent, right) => {
    expect(fillName(sent, right)).toBeNull();
  });

  test('whatever is filled has no ● left, and is the sent name everywhere else', () => {
    const characters = fc.array(fc.constantFrom('髙', '橋', '一', '𠮷', '葛\u{e0100}', ' ', '　'), { minLength: 1 });
    fc.assert(
      fc.property(characters, fc.infiniteStream(fc.boolean()), (right, lost) => {
        const sent = right.map((character) => (/\s/.test(character) || lost.next().value ? character : '●')).join('');
        const agrees = /[^●\s]/.test(sent);
        expect(fillName(sent, right.join(''))).toBe(agrees ? right.join('') : null);
        expect(holdsPlaceholder(right.join(''))).toBe(false);
      }),
    );
  });

  test('a name is entered without blanks around it, without what nobody sees, kana in one piece', () => {
    expect(enteredName(' 　髙橋 す\u3099え\u200b ')).toBe('髙橋 ずえ');
  });

  test.each([
    ['●', true],
    ['●　?', true],
    ['●●子', false],
    ['子', false],
  ])('%s came without any of its characters: %s', (sent, isLost) => {
    expect(isAllPlaceholders(sent)).toBe(isLost);
  });

  test('places are counted as they are seen', () => {
    expect(placeholderPlaces('葛\u{e0100}●　?子')).toEqual({ places: [2, 3], length: 4 });
  });
});
