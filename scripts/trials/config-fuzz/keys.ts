import type { Dice } from '../fuzz-bytes.ts';
import { any, insertAt, isSection, type Mutation, onSetting, set, settingsOf, withRoot } from './mutation.ts';

/** Letters that look like others. */
const twins: Readonly<Record<string, string>> = {
  ...{ a: 'а', c: 'с', e: 'е', i: 'і', o: 'о', p: 'р', s: 'ѕ', x: 'х', y: 'у', d: 'ԁ', k: 'κ', n: 'ｎ', t: 'ｔ' },
};
const withTwin = (word: string, dice: Dice): string | null => {
  const places = [...word].flatMap((letter, index) => (twins[letter] === undefined ? [] : [index]));
  if (places.length === 0) return null;
  const place = dice.of(places);
  return `${word.slice(0, place)}${twins[word[place] ?? '']}${word.slice(place + 1)}`;
};

export const keys: readonly Mutation[] = [
  {
    name: 'the same key twice',
    kind: 'damage',
    apply: onSetting(
      (each) => !isSection(each),
      (each, dice) => {
        const line = set(each, each.value);
        return dice.chance(0.5) ? `${line}\n${line}` : `${line}\n${each.indent}"${each.key}": ${each.value}`;
      },
    ),
  },
  {
    name: 'the same section twice',
    kind: 'damage',
    apply: (text, dice) => {
      const sections = settingsOf(text).filter(isSection);
      return sections.length === 0 ? null : withRoot(text, `${dice.of(sections).key}: {}\n`);
    },
  },
  {
    name: 'a key with a twin letter',
    kind: 'damage',
    apply: onSetting(any, (each, dice) => {
      const key = withTwin(each.key, dice);
      return key === null ? null : `${each.indent}${key}: ${each.value}`;
    }),
  },
  {
    name: 'a key in other letters',
    kind: 'damage',
    apply: onSetting(
      (each) => /[a-z]/.test(each.key),
      (each, dice) => {
        const key = dice.of([
          each.key.toUpperCase(),
          `${each.key[0]?.toUpperCase()}${each.key.slice(1)}`,
          each.key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
          each.key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
        ]);
        return key === each.key ? null : `${each.indent}${key}: ${each.value}`;
      },
    ),
  },
  {
    name: 'a misspelt key',
    kind: 'damage',
    apply: onSetting(any, (each, dice) => {
      const place = dice.below(each.key.length);
      const key = dice.of([
        each.key.slice(0, place) + each.key.slice(place + 1),
        insertAt(each.key, place, dice.of([...'aeios1'])),
      ]);
      return key === '' || key === each.key ? null : `${each.indent}${key}: ${each.value}`;
    }),
  },
  {
    name: 'an unknown key',
    kind: 'damage',
    apply: (text, dice) =>
      withRoot(
        text,
        dice.of([
          '__proto__: {lane: 3}\n',
          'constructor: 1\n',
          'toString: x\n',
          'prototype: {}\n',
          'hasOwnProperty: 1\n',
          'password: x\n',
          '"": 1\n',
          '? [a]\n: 1\n',
          '1: 2\n',
          'null: 2\n',
          'true: 1\n',
          '{}: 1\n',
          '"__proto__": {}\n',
          '"lane ": 3\n',
          'lane : 3\nport : 1\n',
        ]),
      ),
  },
  {
    name: 'an unknown key in a section',
    kind: 'damage',
    apply: onSetting(
      (each) => each.indent !== '',
      (each, dice) =>
        `${set(each, each.value)}\n${each.indent}${dice.of(['__proto__: {}', 'constructor: {}', 'enabled: true', 'valueOf: 1', 'comment: x'])}`,
    ),
  },
  {
    name: 'no colon',
    kind: 'damage',
    apply: onSetting(
      any,
      (each, dice) =>
        `${each.indent}${each.key}${dice.of([' ', ' = ', '：', '；', ':'])}${each.value === '' ? 'x' : each.value}`,
    ),
  },
  {
    name: 'a former name beside the new one',
    kind: 'damage',
    apply: (text) => {
      const asks = text.replace(/^asks:$/m, 'askTKK: true\nasks:');
      const part = text.replace(/^cardFrontReader:$/m, 'cardFaceReader: {driver: none}\ncardFrontReader:');
      return asks !== text ? asks : part !== text ? part : null;
    },
  },
];
