import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import { openedContent } from './opened-content.ts';
import { writableRuns } from './process-memory.ts';

/* One search for what must be nowhere: in files, messages and memory, in every form in which a program may have put it. */

/** `text`: words about a person. `bytes`: a photo: any 31 bytes in a row of it are found as they are. `floats`: an embedding */
export type Canary =
  | { readonly what: string; readonly text: string }
  | { readonly what: string; readonly bytes: Uint8Array }
  | { readonly what: string; readonly floats: Float32Array };

/** What a canary looks like in one encoding, as bytes */
export type Needle = { readonly what: string; readonly encoding: string; readonly bytes: Buffer };

const utf16le = (text: string): Buffer => Buffer.from(text, 'utf16le');
const utf16be = (text: string): Buffer => utf16le(text).swap16();
const each = (text: string, letter: (code: number) => string): string =>
  [...text].map((one) => letter(one.codePointAt(0) ?? 0)).join('');
/** At each of the three places where it can begin within four letters */
const aligned = (bytes: Buffer, encoding: 'base64' | 'base64url'): string[] =>
  [0, 1, 2].map((skip) => bytes.subarray(skip).toString(encoding).replace(/=+$/, '').slice(0, -2));
const hexPairs = (bytes: Buffer, before: string): string =>
  bytes.toString('hex').toUpperCase().replace(/../g, `${before}$&`);
const spaced = (bytes: Buffer, between: string): string[] => {
  const pairs = bytes.toString('hex').match(/../g)?.join(between) ?? '';
  return [pairs, pairs.toUpperCase()];
};
/** Two digits a byte; telephones' and some cards' software has them the other way round. */
const packedBcd = (text: string): string[] =>
  /^\d{12,}$/.test(text) ? [text.padEnd(text.length + (text.length % 2), 'f'), `0${text}`] : [];
const swapped = (hex: string): Buffer => Buffer.from(hex.replaceAll(/(.)(.)/g, '$2$1'), 'hex');
const charset = (text: string, name: string): readonly Buffer[] => {
  const bytes = iconv.encode(text, name);
  // What it lacks would be a question mark.
  return iconv.decode(bytes, name) === text ? [bytes] : [];
};

/** By name, what a text looks like in it. */
export const textEncodings: Readonly<Record<string, (text: string) => readonly (string | Buffer)[]>> = {
  'UTF-8': (text) => [Buffer.from(text)],
  'UTF-16LE': (text) => [utf16le(text)],
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
  'compatible width (NFKC)': (text) => [text.normalize('NFKC')],
  'UTF-32LE': (text) => [Buffer.concat([...text].map((one) => Buffer.of(...utf16le(one), 0, 0)))],
  'hex, spaced': (text) => spaced(Buffer.from(text), ' '),
  'UTF-8 as latin1': (text) => [Buffer.from(Buffer.from(text).toString('latin1'))],
  'packed BCD': (text) => packedBcd(text).map((digits) => Buffer.from(digits, 'hex')),
  'packed BCD, swapped': (text) => packedBcd(text).map(swapped),
  'list of numbers': (text) => [[...Buffer.from(text)].join(','), [...Buffer.from(text)].join(', ')],
};

/** The same for bytes: of 16, or of as many as a line of the form holds. */
const byteEncodings: Readonly<Record<string, (bytes: Buffer) => readonly (string | Buffer)[]>> = {
  'as it is': (bytes) => [bytes],
  reversed: (bytes) => [Buffer.from(bytes).reverse()],
  hex: (bytes) => [bytes.toString('hex')],
  HEX: (bytes) => [bytes.toString('hex').toUpperCase()],
  'hex, spaced': (bytes) => spaced(bytes, ' '),
  'hex, with colons': (bytes) => spaced(bytes, ':'),
  'hex in UTF-16LE': (bytes) => [utf16le(bytes.toString('hex'))],
  base64: (bytes) => aligned(bytes, 'base64'),
  base64url: (bytes) => aligned(bytes, 'base64url'),
  'base64 in UTF-16LE': (bytes) => aligned(bytes, 'base64').map(utf16le),
  percent: (bytes) => [hexPairs(bytes, '%')],
  'quoted-printable': (bytes) => [hexPairs(bytes, '=')],
  'JSON escapes': (bytes) => [bytes.toString('hex').replace(/../g, '\\u00$&')],
  'list of numbers': (bytes) => [[...bytes].join(',')],
  'list of numbers, spaced': (bytes) => [[...bytes].join(', ')],
  'latin1 as UTF-8': (bytes) => [Buffer.from(bytes.toString('latin1'), 'utf8')],
};
export const encodingsOfBytes: readonly string[] = Object.keys(byteEncodings);

const written = (numbers: readonly number[], places: number, between: string): string =>
  numbers.map((number) => number.toFixed(places)).join(between);
const shortestDecimal = 12;

/** Of four numbers in a row. That of three places holds whatever was rounded less (opened-content.ts). */
const floatEncodings: Readonly<Record<string, (floats: Float32Array) => readonly (string | Buffer)[]>> = {
  'float32 BE': (floats) => [Buffer.from(floats.slice().buffer).swap32()],
  'float64 LE': (floats) => [Buffer.from(Float64Array.from(floats).buffer)],
  'float64 BE': (floats) => [Buffer.from(Float64Array.from(floats).buffer).swap64()],
  'float16 LE': (floats) => [Buffer.from(Float16Array.from(floats).buffer)],
  decimals: (floats) => [...floats].map(String).filter(({ length }) => length >= shortestDecimal),
  'decimals in UTF-16LE': (floats) =>
    [...floats].flatMap((float) => (String(float).length < shortestDecimal ? [] : [utf16le(String(float))])),
  'decimals, rounded': (floats) =>
    [3, 4, 5, 6].flatMap((places) => [',', ', '].map((between) => written([...floats], places, between))),
};
const floatsOfWindow = 4;

/** Shorter ones are found by chance. bytes */
const shortest = 7;
/** No form is longer: what is looked at in pieces overlaps by so much. bytes */
const longest = 512;
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

/** As it is, every window; in other forms one window of four, of a picture one of 64 (a kB), which any longer piece of it holds. */
const rareFormsOf = (bytes: Uint8Array): number => (bytes.length > 50_000 ? 64 : 4);

const formsOf = function* (canary: Canary): Generator<readonly [encoding: string, form: string | Buffer]> {
  if ('text' in canary) {
    for (const [name, encode] of Object.entries(textEncodings))
      for (const form of encode(canary.text)) yield [name, form];
    return;
  }
  const bytes = 'bytes' in canary ? canary.bytes : new Uint8Array(canary.floats.slice().buffer);
  const rareForms = rareFormsOf(bytes);
  for (const [at, window] of windowsOf(bytes).entries())
    for (const [name, encode] of Object.entries(byteEncodings))
      if (name === 'as it is' || at % rareForms === 0) for (const form of encode(window)) yield [name, form];
  if (!('floats' in canary)) return;
  for (let at = 0; at + floatsOfWindow <= canary.floats.length; at += floatsOfWindow)
    for (const [name, encode] of Object.entries(floatEncodings))
      for (const form of encode(canary.floats.subarray(at, at + floatsOfWindow))) yield [name, form];
};

export const needlesOf = (canaries: readonly Canary[]): readonly Needle[] => {
  const known = new Set<string>();
  const needles: Needle[] = [];
  for (const canary of canaries)
    for (const [encoding, form] of formsOf(canary)) {
      const bytes = Buffer.from(form as string);
      const words = bytes.toString('latin1');
      if (bytes.length < shortest || known.has(words)) continue;
      if (bytes.length > longest) throw new Error(`${canary.what} in ${encoding}: ${bytes.length} bytes`);
      known.add(words);
      needles.push({ what: canary.what, encoding, bytes });
    }
  return needles;
};

/** So many slots as bits lie in a processor's second cache: every place of every page asks one of them. */
const slots = 1 << 22;
const slotOf = (word: number): number => Math.imul(word, 0x9e3779b1) >>> 10;

/** A needle is marked within its first so many bytes. */
const longestMark = 64;

/** The four bytes by which each needle is looked for: those that it shares with the fewest others, and that are not all the same. */
const marksOf = (needles: readonly Needle[]): readonly { readonly word: number; readonly at: number }[] => {
  const counted = new Map<number, number>();
  const wordsOf = ({ bytes }: Needle): readonly number[] =>
    Array.from({ length: Math.min(bytes.length, longestMark) - 3 }, (_, at) => bytes.readUInt32BE(at));
  for (const needle of needles)
    for (const word of new Set(wordsOf(needle))) counted.set(word, (counted.get(word) ?? 0) + 1);
  const dearness = (word: number): number => {
    const distinct = new Set([word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]).size;
    return (counted.get(word) ?? 0) + (distinct < 3 ? 1_000 : 0);
  };
  return needles.map((needle) => {
    const words = wordsOf(needle);
    const costs = words.map(dearness);
    const at = costs.indexOf(Math.min(...costs));
    return { word: words[at] as number, at };
  });
};

/** Answers which needles are in some bytes; of long ones, each only once. */
export const searchFor = (needles: readonly Needle[]): ((bytes: Uint8Array) => readonly Needle[]) => {
  const mayMark = new Uint32Array(slots / 32);
  const byMark = new Map<number, { readonly needle: Needle; readonly at: number }[]>();
  for (const [index, { word, at }] of marksOf(needles).entries()) {
    const slot = slotOf(word);
    mayMark[slot >>> 5] = (mayMark[slot >>> 5] as number) | (1 << (slot & 31));
    const same = byMark.get(word);
    const marked = { needle: needles[index] as Needle, at };
    if (same === undefined) byMark.set(word, [marked]);
    else same.push(marked);
  }
  return (bytes) => {
    const found = new Set<Needle>();
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let word = 0;
    for (let end = 0; end < bytes.length; end += 1) {
      word = (word << 8) | (bytes[end] as number);
      const slot = slotOf(word);
      if ((((mayMark[slot >>> 5] as number) >>> (slot & 31)) & 1) === 0) continue;
      for (const { needle, at } of byMark.get(word >>> 0) ?? []) {
        const from = end - 3 - at;
        const to = from + needle.bytes.length;
        if (from < 0 || to > bytes.length || found.has(needle)) continue;
        if (buffer.compare(needle.bytes, 0, needle.bytes.length, from, to) === 0) found.add(needle);
      }
    }
    return [...found];
  };
};

/** A message, a line or a whole file, and whatever is packed or encoded in it. */
export const searchContent = (search: ReturnType<typeof searchFor>, content: Uint8Array): readonly Needle[] => [
  ...new Set(openedContent(content).flatMap((each) => search(each))),
];

/** Every file below a folder, by its path there. `passes`: those that may hold it */
export const filesBelow = (folder: string, passes: (path: string) => boolean = () => false): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !passes(path));
export const searchFolder = (
  search: ReturnType<typeof searchFor>,
  folder: string,
  passes?: (path: string) => boolean,
): readonly (Needle & { readonly path: string })[] =>
  filesBelow(folder, passes).flatMap((path) =>
    searchContent(search, readFileSync(path)).map((needle) => ({ ...needle, path })),
  );

/**
 * Everything that a process may write to. `seen`: of the last look at this process; only pages that are not what they were
 * then are searched. Lets the event loop turn in between.
 */
export const searchMemory = async (
  search: ReturnType<typeof searchFor>,
  pid: number,
  seen?: Map<number, Buffer>,
): Promise<readonly Needle[]> => {
  const found = new Set<Needle>();
  for (const run of writableRuns(pid, seen)) {
    await new Promise((resolve) => setImmediate(resolve));
    for (const needle of search(run)) found.add(needle);
  }
  return [...found];
};
