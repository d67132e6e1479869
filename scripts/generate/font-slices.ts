import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import decompress from 'woff2-encoder/decompress';

/** Code points, first and last, ascending. */
type Ranges = readonly (readonly [number, number])[];

/** One file of a font that is cut in many, and the characters that it is asked for. */
export type Slice = { readonly path: string; readonly name: string; readonly ranges: Ranges };

const parseRanges = (text: string): Ranges =>
  text.split(',').map((part) => {
    const [first = '', last = first] = part.trim().replace(/^U\+/i, '').split('-');
    return [Number.parseInt(first, 16), Number.parseInt(last, 16)];
  });

/** As CSS writes them: U+20-7E,U+3042 */
export const writeRanges = (ranges: Ranges): string =>
  ranges
    .map(([first, last]) => `U+${first.toString(16)}${last === first ? '' : `-${last.toString(16)}`}`)
    .join(',')
    .toUpperCase();

const rangesOf = (codePoints: Iterable<number>): Ranges => {
  const ranges: [number, number][] = [];
  for (const code of [...new Set(codePoints)].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === code - 1) last[1] = code;
    else ranges.push([code, code]);
  }
  return ranges;
};

export const isWithin = (ranges: Ranges, code: number): boolean =>
  ranges.some(([first, last]) => first <= code && code <= last);

/** The characters that a TrueType font draws: its cmap table (OpenType, formats 4 and 12; glyph 0 is the box). */
export const charactersOf = (font: Uint8Array): Set<number> => {
  const view = new DataView(font.buffer, font.byteOffset, font.byteLength);
  const characters = new Set<number>();
  const tables = view.getUint16(4);
  for (let index = 0; index < tables; index += 1) {
    const record = 12 + index * 16;
    if (view.getUint32(record) !== 0x636d6170) continue; // 'cmap'
    const cmap = view.getUint32(record + 8);
    const subtables = view.getUint16(cmap + 2);
    for (let each = 0; each < subtables; each += 1) {
      const at = cmap + view.getUint32(cmap + 4 + each * 8 + 4);
      if (view.getUint16(at) === 12) readFormat12(view, at, characters);
      if (view.getUint16(at) === 4) readFormat4(view, at, characters);
    }
  }
  return characters;
};

const readFormat12 = (view: DataView, at: number, characters: Set<number>): void => {
  const groups = view.getUint32(at + 12);
  for (let group = 0; group < groups; group += 1) {
    const [first, last] = [view.getUint32(at + 16 + group * 12), view.getUint32(at + 20 + group * 12)];
    for (let code = first; code <= last; code += 1) characters.add(code);
  }
};

const readFormat4 = (view: DataView, at: number, characters: Set<number>): void => {
  const doubled = view.getUint16(at + 6);
  const [ends, starts] = [at + 14, at + 16 + doubled];
  for (let segment = 0; segment < doubled; segment += 2) {
    const [first, last] = [view.getUint16(starts + segment), view.getUint16(ends + segment)];
    const delta = view.getUint16(starts + doubled + segment);
    const offsetAt = starts + 2 * doubled + segment;
    const offset = view.getUint16(offsetAt);
    for (let code = first; code <= last && code !== 0xffff; code += 1) {
      const found = offset === 0 ? code : view.getUint16(offsetAt + offset + (code - first) * 2);
      if (offset === 0 ? (code + delta) % 0x1_00_00 !== 0 : found !== 0) characters.add(code);
    }
  }
};

const require = createRequire(import.meta.url);
const packageDir = (name: string): string => dirname(require.resolve(`${name}/package.json`));

/**
 * The slices of a @fontsource-variable package (weights 100 to 900 in one file), in the order of its style sheet: of two
 * slices with one character the later is asked. The package names what a slice may be asked for; what it draws its
 * cmap says, and only what both name is promised on.
 */
export const slicesOf = async (packageName: string): Promise<readonly Slice[]> => {
  const dir = packageDir(packageName);
  const short = packageName.split('/').at(-1) ?? '';
  const asked = JSON.parse(readFileSync(join(dir, 'unicode.json'), 'utf8')) as Record<string, string>;
  const slices = Object.entries(asked).map(async ([subset, ranges]): Promise<Slice> => {
    const name = `${short}-${subset.replace(/[[\]]/g, '')}-wght-normal.woff2`;
    const path = join(dir, 'files', name);
    const drawn = charactersOf(await decompress(readFileSync(path)));
    const promised = parseRanges(ranges);
    return { path, name, ranges: rangesOf([...drawn].filter((code) => isWithin(promised, code))) };
  });
  return Promise.all(slices);
};

export const licenceOf = (packageName: string): string =>
  readFileSync(join(packageDir(packageName), 'LICENSE'), 'utf8');
