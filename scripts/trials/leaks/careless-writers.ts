import { inspect } from 'node:util';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import iconv from 'iconv-lite';
import sharp from 'sharp';
import { type Canary, searchContent, type searchFor } from '../../beds/canary-search.ts';

/*
 * What careless code would write of a canary, made by other means than those by which the search makes what it looks for: whole
 * values as libraries print, pack and send them.
 */

type Writer = (value: Buffer, at: number) => Buffer | string | Promise<Buffer>;

const lines = (text: string, width: number): string => text.replaceAll(new RegExp(`.{${width}}`, 'g'), '$&\r\n');
/** A member as zip programs write it that do not know its length yet (APPNOTE 4.4.4, bit 3) */
const zipped = (name: string, content: Buffer): Buffer => {
  const header = Buffer.alloc(30);
  header.write('PK\x03\x04', 'latin1');
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(8, 6);
  header.writeUInt16LE(8, 8);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name), deflateRawSync(content), Buffer.from('PK\x07\x08')]);
};
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify({ event: 'x', detail: value }));

const ofAny: Readonly<Record<string, Writer>> = {
  'base64 in JSON': (value, at) => json(Buffer.concat([Buffer.from('x'.repeat(at % 3)), value]).toString('base64')),
  'base64 in lines': (value) => lines(value.toString('base64'), 76),
  'base64 of base64': (value) => Buffer.from(value.toString('base64')).toString('base64'),
  'data URL': (value) => `<img src="data:image/x;base64,${value.toString('base64')}">`,
  'hex dump': (value) => lines(value.toString('hex').replaceAll(/../g, '$& '), 48),
  'hex with 0x': (value) => value.toString('hex').replaceAll(/../g, '0x$&, '),
  'C string': (value) => `"${value.toString('hex').replaceAll(/../g, '\\x$&')}"`,
  'Buffer in JSON': (value) => json(value),
  'Uint8Array in JSON': (value) => json(new Uint8Array(value)),
  'Uint8Array, inspected': (value) => inspect(new Uint8Array(value.subarray(0, 400)), { maxArrayLength: null }),
  gzip: (value) => gzipSync(json(value.toString('base64'))),
  'gzip in JSON': (value) => json(gzipSync(value).toString('base64')),
  deflate: (value) => Buffer.concat([Buffer.from('stored:'), deflateSync(value)]),
  brotli: (value) => brotliCompressSync(json(value.toString('latin1'))),
  zstd: (value) => Buffer.concat([Buffer.from('stored:'), zstdCompressSync(value)]),
  'zip, second member': (value) => Buffer.concat([zipped('about.json', json('none')), zipped('log.txt', value)]),
  'zip in gzip': (value) => gzipSync(zipped('log.txt', json(value.toString('hex')))),
};
const ofText: Readonly<Record<string, Writer>> = {
  'a line': (value) => `2026-11-30 patient ${value} arrived`,
  'URL query': (value) => `GET /?name=${encodeURIComponent(String(value))}`,
  'UTF-16 of a registry': (value) => iconv.encode(String(value), 'utf16'),
  'Shift_JIS, CSV': (value) => iconv.encode(`1,"${value}",2\r\n`, 'CP932'),
  'EUC-JP': (value) => iconv.encode(`${value}`, 'eucjp'),
  'JSON, all escaped': (value) =>
    JSON.stringify(String(value)).replaceAll(/[^"]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`),
  'XML references': (value) => [...String(value)].map((one) => `&#x${one.codePointAt(0)?.toString(16)};`).join(''),
  inspected: (value) => inspect({ patient: { deep: [String(value)] } }, { depth: 9 }),
};
const floatsOf = (value: Buffer): Float32Array => new Float32Array(Uint8Array.from(value).buffer);
const ofFloats: Readonly<Record<string, Writer>> = {
  'Float32Array, inspected': (value) => inspect(floatsOf(value)),
  'Float32Array in JSON': (value) => json(floatsOf(value)),
  'numbers in JSON': (value) => json([...floatsOf(value)]),
  'numbers, four places': (value) => json([...floatsOf(value)].map((float) => Number(float.toFixed(4)))),
  'a column of numbers': (value) => [...floatsOf(value)].join('\n'),
  doubles: (value) => Buffer.from(Float64Array.from(floatsOf(value)).buffer),
  'big-endian': (value) => Buffer.from(value).swap32(),
};
/** A piece of a picture as it is, and the picture made anew: its own width is not kept. */
const ofPicture: Readonly<Record<string, Writer>> = {
  'a piece, inspected': (value, at) => inspect(value.subarray(1_000 + at * 7, 1_050 + at * 7)),
  'a piece as it is': (value, at) => value.subarray(2_000 + at * 7, 2_040 + at * 7),
  'a smaller JPEG': async (value) => thumbnail(value).jpeg().toBuffer(),
  'a smaller PNG in JSON': async (value) => json((await thumbnail(value).png().toBuffer()).toString('base64')),
  'a smaller WebP in hex': async (value) => json((await thumbnail(value).webp().toBuffer()).toString('hex')),
};
const thumbnail = (value: Buffer) =>
  sharp(value.subarray(0, 9_600), { raw: { width: 80, height: 40, channels: 3 } }).resize(32);

type Careless = { readonly name: string; readonly what: string; readonly bytes: Buffer };

const writersOf = (canary: Canary): Readonly<Record<string, Writer>> => {
  if ('text' in canary) return { ...ofText, ...ofAny };
  return 'floats' in canary ? { ...ofFloats, ...ofAny } : { ...ofPicture, ...ofAny };
};
const wholeOf = (canary: Canary): Buffer => {
  if ('text' in canary) return Buffer.from(canary.text);
  return Buffer.from('floats' in canary ? Uint8Array.from(Buffer.from(canary.floats.slice().buffer)) : canary.bytes);
};

/** So many, each canary by each of its writers in turn. Of what is shorter than a picture's piece there is no picture. */
export const writeCarelessly = async (canaries: readonly Canary[], wanted: number): Promise<readonly Careless[]> => {
  const all = canaries.map((canary) => ({ canary, writers: Object.entries(writersOf(canary)) }));
  const written: Careless[] = [];
  for (let round = 0; written.length < wanted && round < wanted; round += 1)
    for (const [index, { canary, writers }] of all.entries()) {
      const [name = '', write] = writers[(round + index) % writers.length] ?? [];
      const value = wholeOf(canary);
      if (write === undefined || (Object.hasOwn(ofPicture, name) && value.length < 12_000)) continue;
      if (written.length < wanted)
        written.push({ name, what: canary.what, bytes: Buffer.from(await write(value, round)) });
    }
  return written;
};

/** Found is what was written of a person, under this name or, of two texts that are the same, under the first; or that it is a picture. */
export const isFoundIn = (search: ReturnType<typeof searchFor>, { what, bytes }: Careless): boolean =>
  searchContent(search, bytes).some((found) => what.startsWith(found.what) || found.what.startsWith('a picture'));
