import { createRequire } from 'node:module';
import { concatBytes, fromAscii, uint16 } from '../../src/protocol/bytes.ts';

/** 8-bit grey, row by row. */
export type GreyImage = { readonly width: number; readonly height: number; readonly grey: Uint8Array };

type Encoder = {
  getDecodedBuffer(frame: {
    width: number;
    height: number;
    bitsPerSample: number;
    componentCount: number;
    isSigned: boolean;
    isUsingColorTransform: boolean;
  }): Uint8Array;
  setQuality(lossless: boolean, quality: number): void;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
  delete(): void;
};
type OpenJpeg = { readonly J2KEncoder: new () => Encoder };

let loading: Promise<OpenJpeg> | null = null;
const load = (): Promise<OpenJpeg> => {
  const create = createRequire(import.meta.url)('@cornerstonejs/codec-openjpeg/wasmjs') as (
    options: object,
  ) => Promise<OpenJpeg>;
  loading ??= create({ print: () => undefined, printErr: () => undefined });
  return loading;
};

const uint32 = (value: number): Uint8Array => concatBytes(uint16(value >>> 16), uint16(value & 0xffff));
const box = (type: string, ...parts: readonly Uint8Array[]): Uint8Array => {
  const content = concatBytes(...parts);
  return concatBytes(uint32(content.length + 8), fromAscii(type), content);
};

/** The four boxes of ISO/IEC 15444-1 annex I around a grey codestream: jP, ftyp, jp2h{ihdr, colr 17}, jp2c. */
const wrap = (codestream: Uint8Array, width: number, height: number): Uint8Array =>
  concatBytes(
    box('jP  ', Uint8Array.of(0x0d, 0x0a, 0x87, 0x0a)),
    box('ftyp', fromAscii('jp2 '), uint32(0), fromAscii('jp2 ')),
    box(
      'jp2h',
      box('ihdr', uint32(height), uint32(width), uint16(1), Uint8Array.of(7, 7, 0, 0)),
      box('colr', Uint8Array.of(1, 0, 0), uint32(17)),
    ),
    box('jp2c', codestream),
  );

/** FF20 must stay within reach of a 15-bit offset; a real photo is smaller than this. */
const photoLimit = 24_000;

/** One pass of 1-2-1 along the rows and the columns. */
const smooth = ({ width, height, grey }: GreyImage): GreyImage => {
  const at = (pixels: Uint8Array, x: number, y: number): number =>
    pixels[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))] ?? 0;
  const pass = (pixels: Uint8Array, dx: number, dy: number): Uint8Array =>
    pixels.map((pixel, index) => {
      const x = index % width;
      const y = (index - x) / width;
      return (at(pixels, x - dx, y - dy) + 2 * pixel + at(pixels, x + dx, y + dy) + 2) >> 2;
    });
  return { width, height, grey: pass(pass(grey, 1, 0), 0, 1) };
};

/**
 * JPEG 2000 in a JP2 container. This build of the encoder has no rate control, so a picture too rich for the card is
 * smoothed until it fits: a portrait of 240×320 takes 13 to 20 KB and needs none of it.
 * Throws on a picture that stays too large.
 */
export const encodeGreyJp2 = async (image: GreyImage, maxBytes: number = photoLimit): Promise<Uint8Array> => {
  const { J2KEncoder } = await load();
  const encode = ({ width, height, grey }: GreyImage): Uint8Array => {
    const encoder = new J2KEncoder();
    try {
      encoder
        .getDecodedBuffer({
          width,
          height,
          bitsPerSample: 8,
          componentCount: 1,
          isSigned: false,
          isUsingColorTransform: false,
        })
        .set(grey);
      encoder.setQuality(false, 8);
      encoder.encode();
      return wrap(new Uint8Array(encoder.getEncodedBuffer()), width, height);
    } finally {
      encoder.delete();
    }
  };
  let source = image;
  for (let passes = 0; passes < 12; passes++) {
    const jp2 = encode(source);
    if (jp2.length <= maxBytes) return jp2;
    source = smooth(source);
  }
  throw new Error('a photo that does not fit on the card');
};
