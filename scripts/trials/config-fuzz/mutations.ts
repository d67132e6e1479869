import iconv from 'iconv-lite';
import type { Dice } from '../fuzz-bytes.ts';

/**
 * `same`: another way to write the same, so that it is read as before or refused. `damage`: nobody means that; refused,
 * or read as before. `letters`: a slip of the hand, which may come to another good file; then what is read is what a
 * person reads there.
 */
export type Mutation = {
  readonly name: string;
  readonly kind: 'same' | 'damage' | 'letters';
  /** null: there is no place for it in this file. */
  readonly apply: (text: string, dice: Dice) => string | Uint8Array | null;
};

const linesOf = (text: string): string[] => text.split('\n');
const settingPattern = /^( *)([A-Za-z]\w*): ?(.*)$/;

type Setting = { readonly index: number; readonly indent: string; readonly key: string; readonly value: string };
const settingsOf = (text: string): readonly Setting[] =>
  linesOf(text).flatMap((line, index) => {
    const [, indent, key, value] = settingPattern.exec(line) ?? [];
    return indent === undefined || key === undefined ? [] : [{ index, indent, key, value: value ?? '' }];
  });

/** One setting's line, among those that fit, becomes another (or several). */
const onSetting =
  (fits: (setting: Setting) => boolean, rewrite: (setting: Setting, dice: Dice) => string | null) =>
  (text: string, dice: Dice): string | null => {
    const found = settingsOf(text).filter(fits);
    if (found.length === 0) return null;
    const chosen = dice.of(found);
    const line = rewrite(chosen, dice);
    return line === null ? null : linesOf(text).with(chosen.index, line).join('\n');
  };

const bare = (value: string): string => value.replace(/ #.*$/, '').replaceAll(/^["']|["']$/g, '');
const isNumber = ({ value }: Setting): boolean => /^\d+(\.\d+)?( #.*)?$/.test(value);
const isText = ({ value }: Setting): boolean => value !== '' && !/^(\d+(\.\d+)?|true|false|[[{].*)( #.*)?$/.test(value);
const isWord = ({ value }: Setting): boolean => /^(true|false)( #.*)?$/.test(value);
const isSection = ({ value }: Setting): boolean => value === '';
const any = (): boolean => true;
const set = ({ indent, key }: Setting, value: string): string => `${indent}${key}: ${value}`;

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

const insertAt = (text: string, at: number, what: string): string => text.slice(0, at) + what + text.slice(at);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const withRoot = (text: string, lines: string): string => text.replace(/\.\.\.\n$|$/, (end) => `${lines}${end}`);

const same: readonly Mutation[] = [
  { name: 'CRLF', kind: 'same', apply: (text) => text.replaceAll('\n', '\r\n') },
  { name: 'mark of UTF-8', kind: 'same', apply: (text) => `\ufeff${text}` },
  { name: 'empty lines', kind: 'same', apply: (text) => text.replaceAll('\n', '\n\n') },
  { name: 'blanks at the ends', kind: 'same', apply: (text) => text.replaceAll('\n', '  \n') },
  { name: 'comment lines', kind: 'same', apply: (text) => text.replaceAll(/\n(?=[a-z])/g, '\n# 覚え書き: a\n') },
  {
    name: 'tab behind the colon',
    kind: 'same',
    apply: onSetting(
      (each) => !isSection(each),
      (each) => `${each.indent}${each.key}:\t${each.value}`,
    ),
  },
  {
    name: 'single quotes',
    kind: 'same',
    apply: onSetting(isText, (each) => (/["'\\#]/.test(each.value) ? null : set(each, `'${each.value}'`))),
  },
  { name: 'quoted key', kind: 'same', apply: onSetting(any, (each) => `${each.indent}"${each.key}": ${each.value}`) },
  { name: 'deeper indent', kind: 'same', apply: (text) => text.replaceAll(/^( +)(?=\S)/gm, '$1$1') },
  {
    name: 'sections in another order',
    kind: 'same',
    apply: (text, dice) => {
      if (!text.startsWith('---')) return null;
      const blocks = text
        .slice(4, -4)
        .split(/\n(?=[a-z])/)
        .map((block) => block.trimEnd());
      const place = dice.below(blocks.length);
      return `---\n${[...blocks.slice(place), ...blocks.slice(0, place)].join('\n')}\n...\n`;
    },
  },
];

const bombs: readonly string[] = [
  `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 9 }, (_, n) => `b${n}: &b${n} [${Array.from({ length: 9 }, () => `*${n === 0 ? 'a' : `b${n - 1}`}`).join(',')}]`).join('\n')}\n`,
  `${'['.repeat(20_000)}\n`,
  `x: ${'{a: '.repeat(9_000)}\n`,
  `${Array.from({ length: 9_000 }, (_, n) => `k${n}:`).join('\n')}\n`,
  `${'- '.repeat(30_000)}\n`,
  `x: "${'a'.repeat(60_000)}"\n`,
  `${'? '.repeat(30_000)}\n`,
  `x: ${'&a '.repeat(20_000)}\n`,
  `${'a: '.repeat(20_000)}\n`,
  `${' \n'.repeat(30_000)}`,
  `x: |\n${' y\n'.repeat(20_000)}`,
  `${'#'.repeat(70_000)}\n`,
  `x: '${"''".repeat(30_000)}\n`,
];

const wholeFile: readonly Mutation[] = [
  {
    name: 'emptied',
    kind: 'damage',
    apply: (_text, dice) => dice.of(['', '\n', '---\n...\n', '# \n', '[]\n', 'null\n']),
  },
  {
    name: 'cut off',
    kind: 'damage',
    apply: (text, dice) => (text.startsWith('---') ? text.slice(0, dice.below(text.length)) : null),
  },
  {
    name: 'cut off in a line',
    kind: 'damage',
    apply: (text, dice) => {
      const part = text.slice(0, dice.below(text.length));
      return part.endsWith('\n') || part === '' ? null : part;
    },
  },
  {
    name: 'cut off between bytes',
    kind: 'damage',
    apply: (text, dice) => {
      const bytes = utf8(text);
      const end = dice.below(bytes.length);
      return bytes[end - 1] === 0x0a && !text.startsWith('---') ? null : bytes.slice(0, end);
    },
  },
  { name: 'twice in one file', kind: 'damage', apply: (text) => text + text },
  {
    name: 'a second document',
    kind: 'damage',
    apply: (text, dice) => text + dice.of(['---\nlane: 3\n', '...\nlane: 3\n', '--- {}\n', '... # x\n']),
  },
  {
    name: 'Shift_JIS',
    kind: 'damage',
    apply: (text) => (/[ぁ-龠]/.test(text) ? iconv.encode(text, 'Shift_JIS') : null),
  },
  {
    name: 'UTF-16',
    kind: 'damage',
    apply: (text, dice) => iconv.encode(text, dice.of(['utf-16le', 'utf-16be']), { addBOM: dice.chance(0.5) }),
  },
  {
    name: 'a wrong byte',
    kind: 'damage',
    apply: (text, dice) => {
      const bytes = utf8(text);
      bytes[dice.below(bytes.length)] = dice.of([0xff, 0x80, 0xc0, 0xfe, 0x00, 0x1a, 0x07]);
      return bytes;
    },
  },
  { name: 'zeros at the end', kind: 'damage', apply: (text, dice) => utf8(text).fill(0, dice.below(text.length)) },
  { name: 'CR alone', kind: 'damage', apply: (text) => text.replaceAll('\n', '\r') },
  {
    name: 'a directive',
    kind: 'damage',
    apply: (text, dice) =>
      `%${dice.of(['YAML 1.1', 'YAML 1.2', 'TAG ! tag:x,2000:'])}\n${text.startsWith('---') ? '' : '---\n'}${text}`,
  },
  {
    name: 'a bomb',
    kind: 'damage',
    apply: (text, dice) => {
      const bomb = dice.of(bombs);
      return dice.chance(0.5) ? withRoot(text, bomb) : bomb;
    },
  },
  {
    name: 'marks of a merge',
    kind: 'damage',
    apply: (text, dice) =>
      linesOf(text)
        .toSpliced(1 + dice.below(linesOf(text).length - 1), 0, dice.of(['<<<<<<< mine', '=======', '>>>>>>> theirs']))
        .join('\n'),
  },
  {
    name: 'tabs for indents',
    kind: 'damage',
    apply: (text) => (/^ +\S/m.test(text) ? text.replaceAll(/^ +(?=\S)/gm, '\t') : null),
  },
];

const odd =
  (written: readonly string[]) =>
  (each: Setting, dice: Dice): string =>
    set(each, dice.of(written));

const values: readonly Mutation[] = [
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

const keys: readonly Mutation[] = [
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

/** Printable letters that a slip of the hand brings in. */
const slips = [...'abcxyz0159:-#\'"[]{},.&*!|>?%@`_\\/ =~\t\n', 'あ', '：', '　', '－'];
const letters: readonly Mutation[] = [
  {
    name: 'a letter too few',
    kind: 'letters',
    apply: (text, dice) => {
      const at = dice.below(text.length);
      return text.slice(0, at) + text.slice(at + 1);
    },
  },
  {
    name: 'a letter too many',
    kind: 'letters',
    apply: (text, dice) => insertAt(text, dice.below(text.length), dice.of(slips)),
  },
  {
    name: 'another letter',
    kind: 'letters',
    apply: (text, dice) => {
      const at = dice.below(text.length);
      return insertAt(text.slice(0, at) + text.slice(at + 1), at, dice.of(slips));
    },
  },
  {
    name: 'two letters changed about',
    kind: 'letters',
    apply: (text, dice) => {
      const at = 1 + dice.below(text.length - 1);
      return text.slice(0, at - 1) + (text[at] ?? '') + (text[at - 1] ?? '') + text.slice(at + 1);
    },
  },
  {
    name: 'a line taken out',
    kind: 'letters',
    apply: (text, dice) =>
      linesOf(text)
        .toSpliced(dice.below(linesOf(text).length), 1)
        .join('\n'),
  },
  {
    name: 'a line put elsewhere',
    kind: 'letters',
    apply: (text, dice) => {
      const lines = linesOf(text);
      const [line = ''] = lines.splice(dice.below(lines.length), 1);
      return lines.toSpliced(dice.below(lines.length), 0, line).join('\n');
    },
  },
  {
    name: 'a line twice',
    kind: 'letters',
    apply: (text, dice) => {
      const lines = linesOf(text);
      const at = dice.below(lines.length);
      return lines.toSpliced(at, 0, lines[at] ?? '').join('\n');
    },
  },
  {
    name: 'a line further in or out',
    kind: 'letters',
    apply: (text, dice) => {
      const lines = linesOf(text);
      const at = dice.below(lines.length);
      const line = lines[at] ?? '';
      return lines.with(at, dice.chance(0.5) ? line.replace(/^ {1,2}/, '') : `  ${line}`).join('\n');
    },
  },
  {
    name: 'two lines in one',
    kind: 'letters',
    apply: (text, dice) => {
      const lines = linesOf(text);
      const at = dice.below(lines.length - 1);
      return lines.toSpliced(at, 2, `${lines[at]}${lines[at + 1]}`).join('\n');
    },
  },
  {
    name: 'a comment sign',
    kind: 'letters',
    apply: (text, dice) => {
      const lines = linesOf(text);
      const at = dice.below(lines.length);
      return lines.with(at, dice.chance(0.5) ? `#${lines[at]}` : (lines[at] ?? '').replace(/^ *# ?/, '')).join('\n');
    },
  },
];

export const mutations: readonly Mutation[] = [...same, ...wholeFile, ...values, ...keys, ...letters, ...letters];
