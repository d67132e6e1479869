import {
  brotliDecompressSync,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  constants as zlib,
  zstdDecompressSync,
} from 'node:zlib';

/* What lies within a content, opened: packed members at any place, encoded runs, escapes, numbers written out, broken lines. */

type Opening = (bytes: Buffer, text: string, depth: number) => readonly Buffer[];

/** More than this within one content is no leak but a bomb. bytes */
const mostBytes = 64 << 20;
const deepest = 3;
/** Shorter runs hold nothing that can be known again. bytes */
const shortestRun = 8;
/** What is packed is longer, but for words that stand there as they are. bytes */
const shortestPacked = 24;

/** The end of a member may be elsewhere, or missing: what can be unpacked of it counts. */
const partly = { finishFlush: zlib.Z_SYNC_FLUSH, maxOutputLength: mostBytes };
const packings: readonly { readonly magic: Buffer; readonly unpack: (from: Buffer) => Buffer }[] = [
  { magic: Buffer.of(0x1f, 0x8b, 8), unpack: (from) => gunzipSync(from, partly) },
  ...[0x01, 0x5e, 0x9c, 0xda].map((level) => ({
    magic: Buffer.of(0x78, level),
    unpack: (from: Buffer) => inflateSync(from, partly),
  })),
  {
    // A member of a zip file: 30 bytes, its name, what it says more (APPNOTE 4.3.7)
    magic: Buffer.from('PK\x03\x04'),
    unpack: (from) => inflateRawSync(from.subarray(30 + from.readUInt16LE(26) + from.readUInt16LE(28)), partly),
  },
  {
    magic: Buffer.of(0x28, 0xb5, 0x2f, 0xfd),
    unpack: (from) => zstdDecompressSync(from, { maxOutputLength: mostBytes }),
  },
];
const attempt = (unpack: () => Buffer): readonly Buffer[] => {
  // Nearly every attempt fails, and nobody reads where.
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    const unpacked = unpack();
    return unpacked.length < shortestRun ? [] : [unpacked];
  } catch {
    return []; // not packed after all
  } finally {
    Error.stackTraceLimit = limit;
  }
};
const unpackedAt = (bytes: Buffer, { magic, unpack }: (typeof packings)[number]): readonly Buffer[] => {
  const unpacked: Buffer[] = [];
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1))
    unpacked.push(...attempt(() => unpack(bytes.subarray(at))));
  return unpacked;
};
const unpacked: Opening = (bytes) => packings.flatMap((packing) => unpackedAt(bytes, packing));
/** It has no beginning by which it is known, and is no text. */
const unpackedWhole: Opening = (bytes, text, depth) =>
  depth <= 1 && bytes.length >= shortestPacked && /[^\t\n\r -~]/.test(text)
    ? [
        ...attempt(() => brotliDecompressSync(bytes, { maxOutputLength: mostBytes })),
        ...attempt(() => inflateRawSync(bytes, { maxOutputLength: mostBytes })),
      ]
    : [];

const runsOf =
  (pattern: RegExp, decode: (run: string) => Buffer): Opening =>
  (_, text) =>
    [...text.matchAll(pattern)].map(([run]) => decode(run)).filter(({ length }) => length >= shortestRun);

const bytesOfNumbers = (run: string): Buffer => {
  const numbers = run.match(/\d+/g)?.map(Number) ?? [];
  return numbers.every((number) => number < 256) ? Buffer.from(numbers) : Buffer.alloc(0);
};
const escapes: readonly (readonly [RegExp, number])[] = [
  [/\\u([0-9a-fA-F]{4})/g, 16],
  [/\\x([0-9a-fA-F]{2})/g, 16],
  [/%([0-9a-fA-F]{2})/g, 16],
  [/=([0-9A-F]{2})/g, 16],
  [/&#(\d{1,7});/g, 10],
  [/&#[xX]([0-9a-fA-F]{1,6});/g, 16],
];
const unescaped: Opening = (_, text) =>
  escapes.flatMap(([pattern, radix]) => {
    if (text.search(pattern) < 0) return [];
    const plain = text.replaceAll(pattern, (whole, digits: string) => {
      const code = Number.parseInt(digits, radix);
      if (code > 0x10_ffff) return whole;
      // One byte each, so that what was escaped byte by byte stands there as it was.
      return code < 256 ? String.fromCharCode(code) : Buffer.from(String.fromCodePoint(code)).toString('latin1');
    });
    return [Buffer.from(plain, 'latin1')];
  });

/** Decimals to three places, which is how they are searched for when they were rounded, and as float32. */
const decimals: Opening = (_, text) =>
  [...text.matchAll(/-?\d+\.\d+(?:e[+-]?\d+)?(?:[\s,;:\]["]+(?:\d+["\s]*:\s*)?-?\d+\.\d+(?:e[+-]?\d+)?){3,}/g)].flatMap(
    ([run]) => {
      const numbers = run.match(/-?\d+\.\d+(?:e[+-]?\d+)?/g)?.map(Number) ?? [];
      const written = numbers.map((number) => number.toFixed(3)).join();
      return [Buffer.from(Float32Array.from(numbers).buffer), Buffer.from(written)];
    },
  );

const openings: readonly Opening[] = [
  unpacked,
  unpackedWhole,
  runsOf(/[A-Za-z0-9+/_-]{12,}/g, (run) => Buffer.from(run, 'base64')),
  runsOf(/(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s:,;-]*){8,}/g, (run) =>
    Buffer.from(run.replaceAll(/0x|\\x|[^0-9a-fA-F]/g, ''), 'hex'),
  ),
  runsOf(/(?:\d{1,3}[\s,;:]+){7,}\d{1,3}/g, bytesOfNumbers),
  // {"0":255,"1":216,…}, as JSON has a Uint8Array
  runsOf(/(?:"\d+":\d{1,3},?){8,}/g, (run) => bytesOfNumbers(run.replaceAll(/"\d+":/g, ''))),
  decimals,
  unescaped,
  // Lines that were broken or indented, words in quotation marks
  (_, text) => (/[\s"']/.test(text) ? [Buffer.from(text.replaceAll(/[\s"'\\]|=(?=\r?\n)/g, ''), 'latin1')] : []),
  // Every second byte: what was encoded and then kept as UTF-16
  (_, text) => (text.includes('\0') ? [Buffer.from(text.replaceAll('\0', ''), 'latin1')] : []),
];

/** The content itself first, then whatever is in it, each once. Throws when that is more than can be looked at. */
export const openedContent = (content: Uint8Array): readonly Buffer[] => {
  const known = new Set<string>();
  const all: Buffer[] = [];
  let total = 0;
  const open = (bytes: Buffer, depth: number): void => {
    const text = bytes.toString('latin1');
    if (known.has(text)) return;
    known.add(text);
    all.push(bytes);
    total += bytes.length;
    if (total > mostBytes) throw new Error(`more than ${mostBytes} bytes within ${content.length}`);
    if (depth < deepest)
      for (const opening of openings) for (const inner of opening(bytes, text, depth)) open(inner, depth + 1);
  };
  open(Buffer.from(content), 0);
  return all;
};
