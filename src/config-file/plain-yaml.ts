import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  stringify,
} from 'yaml';
import { err, ok, type Result } from '../core/result.ts';

/*
 * The part of YAML that nobody reads otherwise than it is meant: sections, lists, and values on one line. What YAML
 * reads in a way that a person at the counter does not see (an alias, `0x10`, `"C:\new"`, what stands behind ` #`, a
 * section that is left empty, bytes of Shift_JIS) is refused with its place, and with what to write instead.
 */

/** What is wrong with a configuration file, and where. `line` and `column` begin at 1. */
export type ConfigProblem = {
  readonly line: number;
  readonly column: number;
  readonly reason: string;
  /** The valid key or value that is spelled most like the one found. */
  readonly nearest?: string;
};

/** Who reads more than so many mistakes of one file? */
export const mostTold = 20;

type Place = { readonly line: number; readonly column: number };

/** A file that was read: its value, and where each part of it stands. */
type PlainYaml = {
  readonly value: unknown;
  /** Place of the deepest key of `keys` that the file has; of its value, where it has all of them and `of` says so. */
  readonly placeOf: (keys: readonly PropertyKey[], of: 'key' | 'value') => Place;
};

/** Beginning and end as our programs write them: a file that has the first and lacks the second was cut off. */
const beginMark = '---';
const endMark = '...';

/** The longest file of ours has 5 KB with all its comments. Bytes */
const longest = 32_768;
/** Sections in sections; ours have three. */
const deepest = 16;

/** Control characters, and what no screen shows: zero width, direction, blanks that look like a space, a lost letter. */
const unseen =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u00a0\u115f\u1160\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3164\uffa0\ufffd]|\u034f|\p{Cf}|\r(?!\n)/u;

const named = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

const placeIn = (text: string, offset: number): Place => {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
};

/** UTF-8, with or without a mark at its beginning. Notepad's "Unicode" and Shift_JIS are told by their first wrong line. */
const decode = (bytes: Uint8Array): Result<string, ConfigProblem> => {
  const strict = (part: Uint8Array): string | null => {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(part);
    } catch {
      return null;
    }
  };
  const text = strict(bytes);
  if (text !== null) return ok(text);
  for (let begin = 0, line = 1; begin < bytes.length; line += 1) {
    const found = bytes.indexOf(0x0a, begin);
    const end = found === -1 ? bytes.length : found;
    if (strict(bytes.subarray(begin, end)) === null)
      return err({ line, column: 1, reason: 'not UTF-8 (Shift_JIS, or "Unicode"?): save the file as UTF-8' });
    begin = end + 1;
  }
  return err({ line: 1, column: 1, reason: 'not UTF-8: save the file as UTF-8' });
};

/** What can be told before YAML is read. */
const problemOfText = (text: string): ConfigProblem | null => {
  const odd = unseen.exec(text);
  if (odd !== null)
    return {
      ...placeIn(text, odd.index),
      reason: `a character that nobody sees (${named(odd[0])}): take it out`,
    };
  const lines = text.split(/\r?\n/);
  const filled = lines.map((line, index) => ({ line, index })).filter(({ line }) => line.trim() !== '');
  const first = filled.find(({ line }) => !line.trimStart().startsWith('#'));
  const last = filled.at(-1);
  if (first === undefined || last === undefined)
    return { line: 1, column: 1, reason: 'the file is empty: restore it, or delete it where it may be absent' };
  const directive = filled.find(({ line }) => line.startsWith('%'));
  if (directive !== undefined) return { line: directive.index + 1, column: 1, reason: 'a YAML directive: take it out' };
  const cut = (reason: string): ConfigProblem => ({ line: last.index + 1, column: 1, reason });
  const isFramed = first.line.trimEnd() === beginMark;
  if (isFramed && last.line.trimEnd() !== endMark)
    return cut(`the file begins with ${beginMark} and does not end with ${endMark}: its end was cut off, restore it`);
  const end = filled.find(({ line }) => /^\.\.\.(\s|$)/.test(line));
  if (end !== undefined && (end.index !== last.index || !isFramed))
    return { line: end.index + 1, column: 1, reason: `${endMark} ends the file, and ${beginMark} begins it` };
  // A file of braces ends itself.
  if (lines.at(-1) !== '' && !isFramed && !/^[{[]/.test(first.line.trimStart()))
    return cut('the last line is not ended (cut off?): look at it, and end it with a line break');
  return null;
};

const numberAsWritten = /^-?(0|[1-9]\d*)(\.\d+)?$/;

/** What is read otherwise than it looks, or null. `source`: as it stands in the file. */
const oddScalar = (scalar: Scalar, source: string, behind: string): string | null => {
  const { value, type } = scalar;
  if (type === Scalar.BLOCK_FOLDED || type === Scalar.BLOCK_LITERAL) return 'a block of text: write it on one line';
  if (/[\r\n]/.test(source.trimEnd()))
    return 'a value on more than one line (or a line indented too far): write one line';
  if (value === null) return 'no value: write one, or take the line out';
  if (typeof value === 'number' && !numberAsWritten.test(source))
    return `${source} is read as ${value}: write decimal digits, or quotes around a code`;
  if (typeof value !== 'string') return null;
  if (type === Scalar.QUOTE_DOUBLE && /\\[^\\"]/.test(source.replaceAll('\\\\', '')))
    return 'a backslash in double quotes stands for something else: write single quotes';
  if (type === Scalar.PLAIN && /^[ \t]+#/.test(behind))
    return 'what stands behind # is not read: write the value in quotes, or the comment on a line of its own';
  const odd = unseen.exec(value);
  if (odd !== null || value.includes('\n') || value.includes('\t'))
    return `a character that nobody sees (${named(odd?.[0] ?? ' ')}): take it out`;
  if (/^\s|\s$/.test(value)) return 'a blank at the beginning or end of the value: take it out';
  return null;
};

class Reader {
  readonly problems: ConfigProblem[] = [];
  readonly #text: string;
  readonly #lines: LineCounter;

  constructor(text: string, lines: LineCounter) {
    this.#text = text;
    this.#lines = lines;
  }

  placeAt(offset: number | undefined): Place {
    const { line, col } = this.#lines.linePos(offset ?? 0);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  #tell(node: Node | null, reason: string, otherwise?: number): void {
    if (this.problems.length >= mostTold) return;
    this.problems.push({ ...this.placeAt(node?.range?.[0] ?? otherwise), reason });
  }

  look(node: unknown, depth: number, begin?: number): void {
    if (depth > deepest) return this.#tell(node as Node, 'sections in sections, deeper than any setting');
    if (isAlias(node)) return this.#tell(node, '* is an alias: write the value itself');
    if (node === null || node === undefined)
      return this.#tell(null, 'no value: write one, or take the line out', begin);
    const { anchor, tag } = node as { anchor?: string; tag?: string };
    if (anchor !== undefined) return this.#tell(node as Node, '& is an anchor: take it out');
    if (tag !== undefined) return this.#tell(node as Node, '! is a tag: take it out');
    if (isScalar(node)) {
      const [from = 0, to = 0] = node.range ?? [];
      const end = this.#text.indexOf('\n', to);
      const odd = oddScalar(node, this.#text.slice(from, to), this.#text.slice(to, end === -1 ? undefined : end));
      if (odd !== null) this.#tell(node.value === null && from === to ? null : node, odd, begin ?? from);
    } else if (isSeq(node)) for (const item of node.items) this.look(item, depth + 1, node.range?.[0]);
    else if (isMap(node)) {
      const known = new Set<string>();
      for (const { key, value } of node.items) {
        if (!isScalar(key) || typeof key.value !== 'string') {
          this.#tell(
            isScalar(key) || isMap(key) || isSeq(key) ? key : null,
            'not the name of a setting',
            node.range?.[0],
          );
          continue;
        }
        if (known.has(key.value)) this.#tell(key, `"${key.value}" stands here for the second time: leave one`);
        known.add(key.value);
        this.look(key, depth + 1);
        this.look(value, depth + 1, key.range?.[0]);
      }
    }
  }
}

/** Bytes (or text) of a configuration file → its value, or everything that is wrong with the way it is written. */
export const readPlainYaml = (file: string | Uint8Array): Result<PlainYaml, readonly ConfigProblem[]> => {
  const bytes = typeof file === 'string' ? new TextEncoder().encode(file) : file;
  if (bytes.length > longest)
    return err([{ line: 1, column: 1, reason: `longer than ${longest} bytes: not a configuration file` }]);
  const decoded = decode(bytes);
  if (!decoded.ok) return err([decoded.failure]);
  const text = decoded.value;
  const problem = problemOfText(text);
  if (problem !== null) return err([problem]);
  const lines = new LineCounter();
  const reader = new Reader(text, lines);
  let document: ReturnType<typeof parseDocument>;
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      version: '1.2',
      schema: 'core',
      uniqueKeys: false,
    });
    const wrong = [...document.errors, ...document.warnings];
    if (wrong.length > 0)
      return err(
        wrong
          .slice(0, mostTold)
          .map((each) => ({ ...reader.placeAt(each.pos[0]), reason: `not YAML: ${each.message}` })),
      );
    reader.look(document.contents, 0);
  } catch (error) {
    // The parser goes down into brackets as deep as they go.
    if (error instanceof RangeError) return err([{ line: 1, column: 1, reason: 'not YAML: too many brackets' }]);
    throw error;
  }
  if (reader.problems.length > 0) return err(reader.problems);
  const placeOf = (keys: readonly PropertyKey[], of: 'key' | 'value'): Place => {
    let node: unknown = document.contents;
    let offset: number | undefined;
    for (const [depth, key] of keys.entries()) {
      if (isSeq(node) && typeof key === 'number') {
        const item = node.items[key] as Node | undefined;
        offset = item?.range?.[0] ?? offset;
        node = item;
        continue;
      }
      if (!isMap(node)) break;
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
      if (pair === undefined || !isScalar(pair.key)) break;
      const value = pair.value as { range?: readonly number[] } | null;
      const wanted = of === 'value' && depth === keys.length - 1 ? value?.range?.[0] : undefined;
      offset = wanted ?? pair.key.range?.[0];
      node = value;
    }
    return reader.placeAt(offset);
  };
  return ok({ value: document.toJS(), placeOf });
};

/** As our programs write a configuration file: with the marks by which a file that was cut off is told from a short one. */
export const printYaml = (value: unknown, comment?: string): string =>
  framed(
    `${comment === undefined ? '' : `# ${comment}\n`}${stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 })}`,
  );

export const framed = (lines: string): string => `${beginMark}\n${lines}${endMark}\n`;
