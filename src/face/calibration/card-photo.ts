/** Pictures of a folder, as they are and as a card would hold them. */
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { decodeReference } from '../models/decode-reference.ts';
import type { RgbImage } from '../picture/sample-image.ts';

/** Of the photo in DF27. */
const cardPhotoWidth = 240;
const cardPhotoHeight = 320;
/** A portrait of a card takes 13 to 20 KB. */
const cardPhotoBytes = 15_000;

/** Grey 8-bit pixels, row by row → JPEG 2000 in a JP2 container. */
export type EncodeJp2 = (
  image: { width: number; height: number; grey: Uint8Array },
  maxBytes: number,
) => Promise<Uint8Array>;

export const readRgb = async (file: string): Promise<RgbImage> => {
  const { data, info } = await sharp(await readFile(file))
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: new Uint8Array(data) };
};

/** The encoder at hand has no rate control: as little blur as makes the picture fit takes away detail instead. */
const encodeWithin = async (grey: Buffer, maxBytes: number, encode: EncodeJp2): Promise<Uint8Array> => {
  const size = { width: cardPhotoWidth, height: cardPhotoHeight };
  let pixels = grey;
  for (let sigma = 0.3; sigma < 3; sigma += 0.1) {
    const jp2 = await encode({ ...size, grey: new Uint8Array(pixels) }, Number.POSITIVE_INFINITY);
    if (jp2.length <= maxBytes) return jp2;
    pixels = await sharp(grey, { raw: { ...size, channels: 1 } })
      .blur(sigma)
      .toColourspace('b-w')
      .raw()
      .toBuffer();
  }
  throw new Error(`card photo: does not fit into ${maxBytes} bytes`);
};

/** The picture as a card would hold it: 3:4 from its middle, 240×320, grey, JPEG 2000 of at most `maxBytes`. */
export const asCardPhoto = async (
  { rgb, width, height }: RgbImage,
  encode: EncodeJp2,
  maxBytes: number = cardPhotoBytes,
): Promise<RgbImage> => {
  const cutWidth = Math.min(width, Math.round((height * cardPhotoWidth) / cardPhotoHeight));
  const cutHeight = Math.min(height, Math.round((cutWidth * cardPhotoHeight) / cardPhotoWidth));
  const grey = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .extract({
      left: (width - cutWidth) >> 1,
      top: (height - cutHeight) >> 1,
      width: cutWidth,
      height: cutHeight,
    })
    .resize(cardPhotoWidth, cardPhotoHeight, { fit: 'fill' })
    .greyscale()
    .raw()
    .toBuffer();
  const decoded = await decodeReference(await encodeWithin(grey, maxBytes, encode));
  if (!decoded.ok) throw new Error(`card photo: ${decoded.failure.detail}`);
  return decoded.value;
};
