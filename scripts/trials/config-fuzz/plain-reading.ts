/*
 * How a person reads a configuration file: a line is `key: value` or `- value`, a section is what stands further in
 * below its name, a quoted value is what stands between the quotes. Written apart from the reader of the product and
 * without a YAML library, to be compared with it: what a person cannot read here, nobody may have taken for something.
 */

type Plain = string | number | boolean | readonly Plain[] | { readonly [key: string]: Plain };

/** undefined: no value that a person would be sure of. */
const readValue = (written: string): Plain | undefined => {
  const text = written.trim();
  if (text === '' || text === '~' || /^null$/i.test(text)) return undefined;
  if (/^true$/i.test(text)) return true;
  if (/^false$/i.test(text)) return false;
  if (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(text)) return Number(text);
  if (text.startsWith('"')) {
    const ended = /^"((?:[^"\\]|\\["\\])*)"\s*(?:#.*)?$/.exec(text);
    return ended?.[1]?.replaceAll(/\\(["\\])/g, '$1');
  }
  if (text.startsWith("'")) return /^'((?:[^']|'')*)'\s*(?:#.*)?$/.exec(text)?.[1]?.replaceAll("''", "'");
  if (/^\[.*\]$/.test(text)) {
    const inside = text.slice(1, -1).trim();
    if (inside === '') return [];
    const items = inside
      .replace(/,\s*$/, '')
      .split(',')
      .map((item) => readValue(item));
    return items.some((item) => item === undefined) ? undefined : (items as Plain[]);
  }
  if (text === '{}') return {};
  const bare = /^(\S+)\s+#/.exec(text)?.[1];
  if (bare !== undefined) {
    const value = readValue(bare);
    return typeof value === 'string' ? undefined : value;
  }
  // An indicator, a comment, something that looks like a second key.
  return /^[[\]{},&*!|>%@`#]|^[-?:]\s|: | #|:$/.test(text) ? undefined : text;
};

type Line = { readonly indent: number; readonly text: string };

const keyed = /^("(?:[^"\\])*"|'[^']*'|[^\s"'#:[\]{},&*!|>%@`-][^\s:#]*)\s*:(?:\s+(.*))?$/;

/** null: a person would not know what is meant. */
export const readAsWritten = (file: string): Record<string, Plain> | null => {
  const lines: Line[] = file
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line) => ({ indent: line.length - line.trimStart().length, text: line.trim() }))
    .filter(({ text }) => text !== '' && !text.startsWith('#'));
  if (lines[0]?.text === '---' && lines.at(-1)?.text === '...') {
    lines.shift();
    lines.pop();
  }
  let at = 0;
  const block = (indent: number): Plain | null => {
    const section: Record<string, Plain> = {};
    const items: Plain[] = [];
    for (; at < lines.length; ) {
      const { indent: here, text } = lines[at] as Line;
      if (here < indent) break;
      if (here > indent) return null;
      const item = /^-\s+(.*)$/.exec(text);
      if (item !== null) {
        const value = readValue(item[1] ?? '');
        if (value === undefined || Object.keys(section).length > 0) return null;
        items.push(value);
        at += 1;
        continue;
      }
      const [, quoted, rest = ''] = keyed.exec(text) ?? [];
      if (quoted === undefined || items.length > 0) return null;
      const key = quoted.replaceAll(/^["']|["']$/g, '');
      if (Object.hasOwn(section, key)) return null;
      at += 1;
      const value = /^(#.*)?$/.test(rest) ? below(indent) : readValue(rest);
      if (value === undefined || value === null) return null;
      section[key] = value;
    }
    return items.length > 0 ? items : section;
  };
  /** What stands below a key; a list may stand under its key's own first letter. */
  const below = (indent: number): Plain | null => {
    const next = lines[at];
    if (next === undefined) return null;
    const isList = next.text.startsWith('- ') && next.indent >= indent;
    return next.indent > indent || isList ? block(next.indent) : null;
  };
  const whole = block(0);
  return at < lines.length || whole === null || Array.isArray(whole) ? null : (whole as Record<string, Plain>);
};
