/** The card's photo (DF27: JPEG 2000 in a JP2 container) → RGB picture, a grey one in the colour of skin. */
import { createRequire } from 'node:module';
import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { RgbImage } from '../picture/sample-image.ts';

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
  getDecodedBuffer(): Uint8Array;
};
type OpenJpeg = { readonly J2KDecoder: new () => Decoder; readonly HEAPU8: Uint8Array };

/** A card's photo is far smaller; what claims to be larger is not one. */
const maxSide = 1024;
const maxBytes = 1 << 20;

const createOpenJpeg = createRequire(import.meta.url)('@cornerstonejs/codec-openjpeg/decodewasmjs') as (options: {
  print: () => void;
  printErr: () => void;
}) => Promise<OpenJpeg>;

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

/**
 * Decodes in a WebAssembly memory of its own, which is overwritten as a whole afterwards: OpenJPEG's own buffers hold
 * the picture, too. Failure `face.reference-unusable` for what is no JPEG 2000, larger than 1024×1024, or not 8-bit
 * with one or three components.
 */
export const decodeReference = async (jp2: Uint8Array): Promise<Result<RgbImage>> => {
  const header = readImageHeader(jp2);
  if (header === null) return unusable('no JPEG 2000 image header');
  if (header.width > maxSide || header.height > maxSide || jp2.length > maxBytes)
    return unusable(`${header.width}×${header.height} in ${jp2.length} bytes`);
  const openJpeg = await createOpenJpeg({ print: () => undefined, printErr: () => undefined });
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
    return ok(toRgb(decoder.getDecodedBuffer(), info));
  } catch {
    return unusable('the decoder gave up');
  } finally {
    openJpeg.HEAPU8.fill(0);
  }
};
