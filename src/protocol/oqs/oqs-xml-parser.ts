import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';

/** One element; `text` is its own character content with references resolved and nothing trimmed. */
export type XmlElement = { readonly name: string; readonly text: string; readonly children: readonly XmlElement[] };

const maximumCharacters = 4_000_000;
const maximumDepth = 12;
const token =
  /<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([A-Za-z_][\w.:-]*)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;
/** What XML 1.0 may hold, itself or by reference. */
const isXmlCharacter = (code: number): boolean =>
  code === 0x9 ||
  code === 0xa ||
  code === 0xd ||
  (code >= 0x20 && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0xfffd) ||
  (code >= 0x10000 && code <= 0x10ffff);
const forbidden = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

const named = new Map(Object.entries({ lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }));

const resolve = (text: string): string | null => {
  let known = true;
  const resolved = text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w{1,8}));|&/g,
    (_, decimal, hexadecimal, name) => {
      const code = decimal ? Number(decimal) : hexadecimal ? Number.parseInt(hexadecimal, 16) : undefined;
      const character =
        code === undefined ? named.get(name) : isXmlCharacter(code) ? String.fromCodePoint(code) : undefined;
      known &&= character !== undefined;
      return character ?? '';
    },
  );
  return known ? resolved : null;
};

type Open = { name: string; text: string; children: XmlElement[] };

/**
 * The small part of XML 1.0 that the files of オンライン資格確認 use: elements, text, CDATA, character references;
 * attributes are skipped, DOCTYPE and own entities are refused, size and depth are bounded. Never throws.
 */
export const parseXml = (input: string): Result<XmlElement> => {
  const malformed = (reason: string, at: number) =>
    err(failure('message.malformed', `XML: ${reason} at character ${at}`));
  if (input.length > maximumCharacters) return malformed('too long', maximumCharacters);
  const stray = forbidden.exec(input);
  if (stray !== null) return malformed('a character that XML cannot hold', stray.index);
  const open: Open[] = [];
  let root: XmlElement | undefined;
  let at = 0;
  // A byte order mark counts as a blank, as it does in a text of JavaScript.
  while (at < input.length) {
    token.lastIndex = at;
    const match = token.exec(input);
    if (match === null) return malformed('not understood', at);
    const [whole, cdata, slash, name, , selfClosing, characters] = match;
    const top = open.at(-1);
    const content = characters === undefined ? cdata : resolve(characters.replaceAll('\r\n', '\n'));
    if (content === null) return malformed('unknown reference', at);
    if (content !== undefined) {
      if (top) top.text += content;
      else if (content.trim() !== '') return malformed('text outside the root', at);
    } else if (slash === '/') {
      const closed = open.pop();
      if (closed === undefined || closed.name !== name) return malformed('an end tag without its start', at);
      const element = closed.children.length > 0 && closed.text.trim() === '' ? { ...closed, text: '' } : closed;
      const parent = open.at(-1);
      if (parent) parent.children.push(element);
      else root = element;
    } else if (name !== undefined) {
      if (root !== undefined) return malformed('a second root', at);
      if (open.length >= maximumDepth) return malformed('too deep', at);
      const element: Open = { name, text: '', children: [] };
      if (selfClosing !== '/') open.push(element);
      else if (top) top.children.push(element);
      else root = element;
    }
    at += whole.length;
  }
  if (root === undefined) return malformed('the end is missing', at);
  return ok(root);
};
