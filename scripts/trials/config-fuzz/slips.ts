import { insertAt, linesOf, type Mutation } from './mutation.ts';

/** Printable letters that a slip of the hand brings in. */
const slips = [...'abcxyz0159:-#\'"[]{},.&*!|>?%@`_\\/ =~\t\n', 'あ', '：', '　', '－'];
export const letters: readonly Mutation[] = [
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
