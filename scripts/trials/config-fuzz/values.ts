import type { Dice } from '../fuzz-bytes.ts';
import {
  bare,
  insertAt,
  isNumber,
  isSection,
  isText,
  isWord,
  type Mutation,
  onSetting,
  type Setting,
  set,
} from './mutation.ts';

const unseenLetters = [
  '\u200b',
  '\ufeff',
  '\u00a0',
  '\u200e',
  '\u202e',
  '\u2060',
  '\u00ad',
  '\u0085',
  '\u2028',
  '\u3164',
];

const odd =
  (written: readonly string[]) =>
  (each: Setting, dice: Dice): string =>
    set(each, dice.of(written));

export const values: readonly Mutation[] = [
  {
    name: 'a unit behind the number',
    kind: 'damage',
    apply: onSetting(isNumber, (each, dice) =>
      set(each, `${bare(each.value)}${dice.of(['s', ' s', 'ms', ' ms', '%', ' 秒', 'm', ' /min', 'k'])}`),
    ),
  },
  {
    name: 'seconds for milliseconds',
    kind: 'damage',
    apply: onSetting(
      (each) => each.key.endsWith('Ms'),
      (each) => set(each, String(Number(bare(each.value)) / 1_000)),
    ),
  },
  {
    name: 'milliseconds for seconds',
    kind: 'damage',
    apply: onSetting(
      (each) => each.key.endsWith('Seconds'),
      (each) => set(each, `${bare(each.value)}000`),
    ),
  },
  {
    name: 'a share for percent',
    kind: 'damage',
    apply: onSetting(
      (each) => /volume|Percent/.test(each.key),
      (each) => set(each, String(Number(bare(each.value)) / 100)),
    ),
  },
  {
    name: 'percent for a share',
    kind: 'damage',
    apply: onSetting(
      (each) => each.key === 'threshold',
      (each) => set(each, String(Number(bare(each.value)) * 100)),
    ),
  },
  {
    name: 'a number as text',
    kind: 'damage',
    apply: onSetting(isNumber, (each, dice) => {
      const mark = dice.of(['"', "'"]);
      return set(each, `${mark}${bare(each.value)}${mark}`);
    }),
  },
  {
    name: 'text as a number',
    kind: 'damage',
    apply: onSetting(isText, odd(['0', '1', '12', '0.5', '1310000001', '0131000001'])),
  },
  {
    name: 'out of range',
    kind: 'letters',
    apply: onSetting(
      isNumber,
      odd(['-1', '1000000000', '65536', '1e9', '.inf', '-.inf', '.nan', '9007199254740993', '0.1']),
    ),
  },
  {
    name: 'an odd number',
    kind: 'damage',
    apply: onSetting(isNumber, (each, dice) => {
      const digits = bare(each.value);
      const number = Number(digits);
      if (!Number.isInteger(number)) return null;
      const ways = [
        `0x${number.toString(16)}`,
        `0o${number.toString(8)}`,
        `0b${number.toString(2)}`,
        `0${digits}`,
        `+${digits}`,
        `${digits}.0`,
        `${digits}e0`,
        `${digits}_0`,
        `${digits},0`,
        `1:${digits}`,
        `${digits}.`,
      ];
      return set(each, dice.of(ways));
    }),
  },
  {
    name: 'wide digits',
    kind: 'damage',
    apply: onSetting(isNumber, (each) =>
      set(
        each,
        bare(each.value).replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
      ),
    ),
  },
  {
    name: 'another word for true',
    kind: 'damage',
    apply: onSetting(
      isWord,
      odd(['yes', 'no', 'on', 'off', 'y', 'n', '1', '0', '"true"', "'false'", 'ture', 'はい', 'tRue']),
    ),
  },
  {
    name: 'no value',
    kind: 'damage',
    apply: onSetting((each) => !isSection(each), odd(['', '~', 'null', 'Null', '# 後で', '""', "''"])),
  },
  {
    name: 'no section',
    kind: 'damage',
    apply: onSetting(isSection, odd(['x', '1', '[]', '~', 'null', '""', '{a: 1}', '[driver]'])),
  },
  {
    name: 'a list or a section for a value',
    kind: 'damage',
    apply: onSetting(
      (each) => !isSection(each) && !/^[[{]/.test(each.value),
      (each, dice) => set(each, dice.of([`[${bare(each.value)}]`, `{value: ${bare(each.value)}}`, '{}', '[]', '[[]]'])),
    ),
  },
  {
    name: 'an alias',
    kind: 'damage',
    apply: onSetting(
      (each) => !isSection(each),
      (each, dice) =>
        set(
          each,
          dice.of([
            `&a ${each.value}`,
            '*a',
            `!!str ${each.value}`,
            `!!binary ${each.value}`,
            `! ${each.value}`,
            `!x ${each.value}`,
          ]),
        ),
    ),
  },
  {
    name: 'a merged section',
    kind: 'damage',
    apply: onSetting(isSection, (each) => `${each.indent}<<: {driver: virtual}\n${each.indent}${each.key}:`),
  },
  {
    name: 'two lines',
    kind: 'damage',
    apply: onSetting(isText, (each, dice) =>
      set(
        each,
        dice.of([
          `${bare(each.value)}\n${each.indent}  x`,
          `|\n${each.indent}  ${bare(each.value)}`,
          `>\n${each.indent}  ${bare(each.value)}`,
          `"${bare(each.value).replaceAll('\\', '/')}\n${each.indent}  y"`,
          `'${bare(each.value)}\n\n${each.indent}  y'`,
        ]),
      ),
    ),
  },
  {
    name: 'a Windows path in double quotes',
    kind: 'damage',
    apply: onSetting(
      (each) => /Folder|journal|paths|File|cardTrust|name|facilityName/i.test(each.key) && !isSection(each),
      odd([
        '"C:\\new"',
        '"C:\\temp\\oqs"',
        '"C:\\Lib"',
        '"C:\\_oqs"',
        '"\\\\server\\oqs"',
        '"C:\\ x"',
        '"C:\\/oqs"',
        '"C:\\x41"',
        '"C:\\u3042"',
        '"C:\\Users"',
        '"C:\\e"',
        '"C:\\0"',
        '"C:\\N"',
        '"C:\\Program"',
      ]),
    ),
  },
  {
    name: 'what stands behind #',
    kind: 'damage',
    apply: onSetting(isText, (each) => set(each, `${bare(each.value).replaceAll('\\', '/')} #2 番`)),
  },
  {
    name: 'blanks in the quotes',
    kind: 'damage',
    apply: onSetting(isText, (each, dice) =>
      set(
        each,
        dice.of([
          `' ${bare(each.value)}'`,
          `'${bare(each.value)} '`,
          `'${bare(each.value)}　'`,
          `"　${bare(each.value).replaceAll('\\', '/')}"`,
        ]),
      ),
    ),
  },
  {
    name: 'a letter that nobody sees',
    kind: 'damage',
    apply: (text, dice) => insertAt(text, 1 + dice.below(text.length - 1), dice.of(unseenLetters)),
  },
  {
    name: 'a day for text',
    kind: 'letters',
    apply: onSetting(
      (each) => isText(each) && !/name|label|By$/i.test(each.key),
      odd(['2026-11-29', '12:30', '12:30:45', 'true', 'null']),
    ),
  },
  {
    name: 'a question or language that nobody knows',
    kind: 'damage',
    apply: (text, dice) => {
      const question = text.replace(/^( +)TKK: /m, `$1${dice.of(['TKL', 'tkk', 'TTK', 'ＴＫＫ', 'TKK1', 'XXXXX'])}: `);
      const language = text.replace(
        /^( +- |languages: \[)(ja-easy|ja|en)/m,
        `$1${dice.of(['jp', 'JA', 'eng', 'ja_JP', 'zz'])}`,
      );
      const chosen = dice.chance(0.5) ? question : language;
      return chosen === text ? null : chosen;
    },
  },
];
