/** The card's photo (DF27: JPEG 2000 in a JP2 container) → RGB picture, a grey one in the colour of skin. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { RgbImage } from '../picture/sample-image.ts';
import { beginningWith } from './wasm-memory.ts';

type FrameInfo = {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
  readonly isSigned: boolean;
};
type Decoder = {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getFrameInfo(): FrameInfo;
  /** A copy outside of its memory */
  getDecodedBuffer(): Uint8Array;
};
type OpenJpeg = { readonly J2KDecoder: new () => Decoder; readonly HEAPU8: Uint8Array };

/** A card's photo is far smaller; what claims to be larger is not one. */
const maxSide = 1024;
const maxBytes = 1 << 20;

/** Of WebAssembly's interface what is used here; TypeScript has it with a browser's types only. */
type Wasm = {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<object>;
};
const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: Wasm };

const require = createRequire(import.meta.url);
const createOpenJpeg = require('@cornerstonejs/codec-openjpeg/decodewasmjs') as (options: {
  print: () => void;
  printErr: () => void;
  instantiateWasm: (imports: object, made: (instance: object, module: object) => void) => object;
}) => Promise<OpenJpeg>;

/** 4 MB. A card's photo takes 1.6 MB of it; a larger picture makes it grow. */
const memoryPages = 64;

/**
 * Compiled once: an instance of it has a memory of its own, and the code that the last one has warmed up. It would begin with
 * 50 MB, which are overwritten after each patient: most of them would be asked of the machine for that alone.
 */
let compiled: Promise<object> | null = null;
const compile = async (): Promise<object> => {
  const program = await readFile(require.resolve('@cornerstonejs/codec-openjpeg/decodewasm'));
  return wasm.compile(beginningWith(program, memoryPages));
};

const unusable = (detail: string): Result<never> => err(failure('face.reference-unusable', detail));

/** Width and height of the `ihdr` box (ISO/IEC 15444-1 annex I.5.3.1); null when there is none near the start. */
export const readImageHeader = (jp2: Uint8Array): { width: number; height: number } | null => {
  const view = new DataView(jp2.buffer, jp2.byteOffset, jp2.byteLength);
  const last = Math.min(jp2.length - 12, 256);
  for (let at = 0; at <= last; at++)
    if (view.getUint32(at) === 0x69686472) return { height: view.getUint32(at + 4), width: view.getUint32(at + 8) };
  return null;
};

/**
 * A grey level as skin of that brightness: red above it, blue below, most in the middle, none in black and white. The
 * face models have learnt from colour pictures; any strength from 20 to 44 serves as well, none at all costs accuracy.
 */
const skinTint = 32;
/** What green takes for each step of red up and blue down, so that the brightness stays (ITU-R BT.601). */
const greenTint = (0.114 - 0.299) / 0.587;

const toRgb = (decoded: Uint8Array, { width, height, componentCount }: FrameInfo): RgbImage => {
  const rgb = new Uint8Array(width * height * 3);
  if (componentCount === 3) rgb.set(decoded.subarray(0, rgb.length));
  else
    for (let i = 0; i < width * height; i++) {
      const grey = decoded[i] as number;
      const tint = (skinTint * 4 * grey * (255 - grey)) / 255 ** 2;
      rgb[i * 3] = Math.round(grey + tint);
      rgb[i * 3 + 1] = Math.round(grey + greenTint * tint);
      rgb[i * 3 + 2] = Math.round(grey - tint);
    }
  return { width, height, rgb };
};

const decodeBy = (openJpeg: OpenJpeg, jp2: Uint8Array): Result<RgbImage> => {
  try {
    const decoder = new openJpeg.J2KDecoder();
    decoder.getEncodedBuffer(jp2.length).set(jp2);
    decoder.decode();
    const info = decoder.getFrameInfo();
    // Junk does not throw, it gives a frame of 0×0.
    if (info.width === 0 || info.height === 0) return unusable('the codestream does not decode');
    if (info.width > maxSide || info.height > maxSide) return unusable(`${info.width}×${info.height}`);
    if (info.bitsPerSample !== 8 || info.isSigned || (info.componentCount !== 1 && info.componentCount !== 3))
      return unusable(`${info.componentCount} components of ${info.bitsPerSample} bits`);
    const decoded = decoder.getDecodedBuffer();
    const picture = toRgb(decoded, info);
    decoded.fill(0);
    return ok(picture);
  } catch {
    return unusable('the decoder gave up');
  }
};

export type ReferenceDecoder = {
  /** Once. `jp2` stays the caller's. */
  decode(jp2: Uint8Array): Result<RgbImage>;
  /** Overwrites the decoder's memory where it has decoded anything: 4 MB and more. */
  wipe(): void;
};

/**
 * A decoder for one picture, in a WebAssembly memory of its own, which is overwritten as a whole: OpenJPEG's own buffers hold the
 * picture, too. Made before the photo is there, it takes nothing of the time in which somebody waits. Failure
 * `face.reference-unusable` for what is no JPEG 2000, larger than 1024×1024, or not 8-bit with one or three components.
 */
export const prepareDecoder = async (): Promise<ReferenceDecoder> => {
  compiled ??= compile();
  const module = await compiled;
  const openJpeg = await createOpenJpeg({
    print: () => undefined,
    printErr: () => undefined,
    instantiateWasm: (imports, made) => {
      void wasm.instantiate(module, imports).then((instance) => made(instance, module));
      return {};
    },
  });
  let isClean = true;
  return {
    decode: (jp2) => {
      const header = readImageHeader(jp2);
      if (header === null) return unusable('no JPEG 2000 image header');
      if (header.width > maxSide || header.height > maxSide || jp2.length > maxBytes)
        return unusable(`${header.width}×${header.height} in ${jp2.length} bytes`);
      isClean = false;
      return decodeBy(openJpeg, jp2);
    },
    wipe: () => {
      if (!isClean) openJpeg.HEAPU8.fill(0);
      isClean = true;
    },
  };
};

/** The same in one, for whoever is not waited for. */
export const decodeReference = async (jp2: Uint8Array): Promise<Result<RgbImage>> => {
  const decoder = await prepareDecoder();
  try {
    return decoder.decode(jp2);
  } finally {
    decoder.wipe();
  }
};
