import iconv from 'iconv-lite';
import { any, isSection, isText, linesOf, type Mutation, onSetting, set, utf8, withRoot } from './mutation.ts';

export const same: readonly Mutation[] = [
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

export const wholeFile: readonly Mutation[] = [
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
    kind: 'letters',
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
