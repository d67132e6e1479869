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

export const linesOf = (text: string): string[] => text.split('\n');
const settingPattern = /^( *)([A-Za-z]\w*): ?(.*)$/;

export type Setting = { readonly index: number; readonly indent: string; readonly key: string; readonly value: string };
export const settingsOf = (text: string): readonly Setting[] =>
  linesOf(text).flatMap((line, index) => {
    const [, indent, key, value] = settingPattern.exec(line) ?? [];
    return indent === undefined || key === undefined ? [] : [{ index, indent, key, value: value ?? '' }];
  });

/** One setting's line, among those that fit, becomes another (or several). */
export const onSetting =
  (fits: (setting: Setting) => boolean, rewrite: (setting: Setting, dice: Dice) => string | null) =>
  (text: string, dice: Dice): string | null => {
    const found = settingsOf(text).filter(fits);
    if (found.length === 0) return null;
    const chosen = dice.of(found);
    const line = rewrite(chosen, dice);
    return line === null ? null : linesOf(text).with(chosen.index, line).join('\n');
  };

export const bare = (value: string): string => value.replace(/ #.*$/, '').replaceAll(/^["']|["']$/g, '');
export const isNumber = ({ value }: Setting): boolean => /^\d+(\.\d+)?( #.*)?$/.test(value);
export const isText = ({ value }: Setting): boolean =>
  value !== '' && !/^(\d+(\.\d+)?|true|false|[[{].*)( #.*)?$/.test(value);
export const isWord = ({ value }: Setting): boolean => /^(true|false)( #.*)?$/.test(value);
export const isSection = ({ value }: Setting): boolean => value === '';
export const any = (): boolean => true;
export const set = ({ indent, key }: Setting, value: string): string => `${indent}${key}: ${value}`;

export const insertAt = (text: string, at: number, what: string): string => text.slice(0, at) + what + text.slice(at);
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export const withRoot = (text: string, lines: string): string => text.replace(/\.\.\.\n$|$/, (end) => `${lines}${end}`);
