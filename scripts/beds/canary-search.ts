import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import iconv from 'iconv-lite';
import { writableRuns } from './process-memory.ts';

/* One search for what must be nowhere: in files, messages and memory, in every form in which a program may have put it. */

/** `text`: words about a person. `bytes`: a photo, an embedding: any 31 bytes in a row of it are found as they are */
export type Canary =
  | { readonly what: string; readonly text: string }
  | { readonly what: string; readonly bytes: Uint8Array };

/** What a canary looks like in one encoding, as bytes */
export type Needle = { readonly what: string; readonly encoding: string; readonly bytes: Buffer };

const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
const each = (text: string, letter: (code: number) => string): string =>
  [...text].map((one) => letter(one.codePointAt(0) ?? 0)).join('');
/** At each of the three places where it can begin within four letters */
const aligned = (bytes: Buffer, encoding: 'base64' | 'base64url'): string[] =>
  [0, 1, 2].map((skip) => bytes.subarray(skip).toString(encoding).replace(/=+$/, '').slice(0, -2));
const hexPairs = (bytes: Buffer, before: string): string =>
  bytes.toString('hex').toUpperCase().replace(/../g, `${before}$&`);
const charset = (text: string, name: string): readonly Buffer[] => {
  const bytes = iconv.encode(text, name);
  // What it lacks would be a question mark.
  return iconv.decode(bytes, name) === text ? [bytes] : [];
};

/** By name, what a text looks like in it. */
export const textEncodings: Readonly<Record<string, (text: string) => readonly (string | Buffer)[]>> = {
  'UTF-8': (text) => [Buffer.from(text)],
  'UTF-16LE': (text) => [Buffer.from(text, 'utf16le')],
  'UTF-16BE': (text) => [utf16be(text)],
  Shift_JIS: (text) => charset(text, 'Shift_JIS'),
  'EUC-JP': (text) => charset(text, 'EUC-JP'),
  hex: (text) => [Buffer.from(text).toString('hex')],
  HEX: (text) => [Buffer.from(text).toString('hex').toUpperCase()],
  base64: (text) => aligned(Buffer.from(text), 'base64'),
  base64url: (text) => aligned(Buffer.from(text), 'base64url'),
  percent: (text) => [hexPairs(Buffer.from(text), '%')],
  'JSON escapes': (text) => [each(text, (code) => `\\u${code.toString(16).padStart(4, '0')}`)],
  'HTML decimal': (text) => [each(text, (code) => `&#${code};`)],
  'HTML hexadecimal': (text) => [each(text, (code) => `&#x${code.toString(16)};`)],
  'quoted-printable': (text) => [hexPairs(Buffer.from(text), '=')],
  reversed: (text) => [[...text].reverse().join('')],
  'full width': (text) => [
    each(text, (code) => String.fromCodePoint(code > 0x20 && code < 0x7f ? code + 0xfee0 : code)),
  ],
  'decomposed (NFD)': (text) => [text.normalize('NFD')],
  'without spaces': (text) => [text.replaceAll(/[\s　]/g, '')],
};

/** The same for bytes: of 16, or of as many as a line of the form holds. */
const byteEncodings: Readonly<Record<string, (bytes: Buffer) => readonly (string | Buffer)[]>> = {
  'as it is': (bytes) => [bytes],
  reversed: (bytes) => [Buffer.from(bytes).reverse()],
  hex: (bytes) => [bytes.toString('hex')],
  HEX: (bytes) => [bytes.toString('hex').toUpperCase()],
  'hex in UTF-16LE': (bytes) => [Buffer.from(bytes.toString('hex'), 'utf16le')],
  base64: (bytes) => aligned(bytes, 'base64'),
  base64url: (bytes) => aligned(bytes, 'base64url'),
  'base64 in UTF-16LE': (bytes) => aligned(bytes, 'base64').map((text) => Buffer.from(text, 'utf16le')),
  percent: (bytes) => [hexPairs(bytes, '%')],
  'quoted-printable': (bytes) => [hexPairs(bytes, '=')],
  'JSON escapes': (bytes) => [bytes.toString('hex').replace(/../g, '\\u00$&')],
  'list of numbers': (bytes) => [[...bytes].join(',')],
  'list of numbers, spaced': (bytes) => [[...bytes].join(', ')],
  'latin1 as UTF-8': (bytes) => [Buffer.from(bytes.toString('latin1'), 'utf8')],
};
export const encodingsOfBytes: readonly string[] = Object.keys(byteEncodings);

/** Shorter ones are found by chance. bytes */
const shortest = 8;
const windowBytes = 16;
/** The first bytes of a JP2 are those of every JP2. */
const headBytes = 256;

/** Windows of 16 bytes without those that are the same nearly everywhere */
const windowsOf = (bytes: Uint8Array): readonly Buffer[] => {
  if (bytes.length < windowBytes) return [Buffer.from(bytes)];
  const windows: Buffer[] = [];
  const from = bytes.length > 4 * headBytes ? headBytes : 0;
  for (let at = from; at + windowBytes <= bytes.length; at += windowBytes) {
    const window = Buffer.from(bytes.subarray(at, at + windowBytes));
    if (new Set(window).size > 8) windows.push(window);
  }
  return windows;
};

/** As it is, every window; in other forms one window of four, which any longer piece of it holds. */
const rareForms = 4;

export const needlesOf = (canaries: readonly Canary[]): readonly Needle[] => {
  const made: Needle[] = [];
  const add = (what: string, encoding: string, forms: readonly (string | Buffer)[]): void => {
    for (const form of forms) made.push({ what, encoding, bytes: Buffer.from(form as string) });
  };
  for (const canary of canaries) {
    if ('text' in canary)
      for (const [name, encode] of Object.entries(textEncodings)) add(canary.what, name, encode(canary.text));
    else
      for (const [at, window] of windowsOf(canary.bytes).entries())
        for (const [name, encode] of Object.entries(byteEncodings))
          if (name === 'as it is' || at % rareForms === 0) add(canary.what, name, encode(window));
  }
  const known = new Set<string>();
  return made.filter(({ bytes }) => {
    const words = bytes.toString('latin1');
    if (bytes.length < shortest || known.has(words)) return false;
    known.add(words);
    return true;
  });
};

const slotOf = (word: number): number => Math.imul(word, 0x9e3779b1) >>> 12;

/** Answers which needles are in some bytes; of long ones, each only once. */
export const searchFor = (needles: readonly Needle[]): ((bytes: Uint8Array) => readonly Needle[]) => {
  const mayStart = new Uint8Array(1 << 20);
  const byStart = new Map<number, Needle[]>();
  for (const needle of needles) {
    const start = needle.bytes.readUInt32BE(0);
    mayStart[slotOf(start)] = 1;
    byStart.set(start, [...(byStart.get(start) ?? []), needle]);
  }
  return (bytes) => {
    const found = new Set<Needle>();
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let word = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      word = (word << 8) | (bytes[at] as number);
      if (mayStart[slotOf(word)] === 0) continue;
      for (const needle of byStart.get(word >>> 0) ?? []) {
        const from = at - 3;
        if (
          from >= 0 &&
          buffer.compare(
            needle.bytes,
            0,
            needle.bytes.length,
            from,
            Math.min(buffer.length, from + needle.bytes.length),
          ) === 0
        )
          found.add(needle);
      }
    }
    return [...found];
  };
};

/** The parts of a JWS or JWE opened, and theirs: sealed content is signed content. */
const unwrapped = (bytes: Buffer, depth = 0): readonly Buffer[] => {
  const text = bytes.toString('latin1');
  if (depth > 2 || !/^[\w.-]+$/.test(text)) return [bytes];
  const parts = text.split('.').map((part) => Buffer.from(part, 'base64url'));
  return [bytes, ...parts.flatMap((part) => unwrapped(part, depth + 1))];
};
const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** A message, a line or a whole file: also unpacked, and with its forms of width folded. */
export const searchContent = (search: ReturnType<typeof searchFor>, content: Uint8Array): readonly Needle[] => {
  const bytes = Buffer.from(content);
  const looked = [...unwrapped(bytes), ...(isGzip(bytes) ? [gunzipSync(bytes)] : [])];
  return [...new Set(looked.flatMap((each) => search(each)))];
};

/** Every file below a folder, by its path there. `passes`: those that may hold it */
export const searchFolder = (
  search: ReturnType<typeof searchFor>,
  folder: string,
  passes: (path: string) => boolean = () => false,
): readonly (Needle & { readonly path: string })[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !passes(path))
    .flatMap((path) => searchContent(search, readFileSync(path)).map((needle) => ({ ...needle, path })));

/** Everything that a process may write to. Lets the event loop turn in between. */
export const searchMemory = async (search: ReturnType<typeof searchFor>, pid: number): Promise<readonly Needle[]> => {
  const found = new Set<Needle>();
  for (const run of writableRuns(pid)) {
    await new Promise((resolve) => setImmediate(resolve));
    for (const needle of search(run)) found.add(needle);
  }
  return [...found];
};
