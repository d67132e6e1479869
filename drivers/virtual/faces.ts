/**
 * The people of the demo: faces cut by set-up (scripts/models/cut-faces.ts) from pictures of an npm package. The
 * pictures stay in the git-ignored .cache/faces, as PNG.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { RgbImage } from '../../src/face/picture/sample-image.ts';

/** Where a face stands in `demo/<picture>` of @vladmandic/face-api, in pixels; 3:4 as on a card. */
type FaceCut = {
  readonly picture: string;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
};

/** Eight different people. `sample1-c` is `sample3-b` once more, on another evening: a real genuine pair for tests. */
export const faceCuts = {
  'sample3-a': { picture: 'sample3.jpg', left: 477, top: 208, width: 444, height: 592 },
  'sample3-b': { picture: 'sample3.jpg', left: 940, top: 81, width: 480, height: 640 },
  'sample5-b': { picture: 'sample5.jpg', left: 674, top: 17, width: 366, height: 488 },
  'sample5-c': { picture: 'sample5.jpg', left: 1017, top: 121, width: 366, height: 488 },
  'sample6-a': { picture: 'sample6.jpg', left: 122, top: 348, width: 468, height: 624 },
  'sample6-b': { picture: 'sample6.jpg', left: 548, top: 198, width: 480, height: 640 },
  'sample6-c': { picture: 'sample6.jpg', left: 1023, top: 150, width: 486, height: 648 },
  'sample6-d': { picture: 'sample6.jpg', left: 1352, top: 137, width: 468, height: 624 },
  'sample1-c': { picture: 'sample1.jpg', left: 1406, top: 129, width: 336, height: 448 },
} as const satisfies Record<string, FaceCut>;

/** Middles of both eyes in the cuts, found by the landmark model: where lids close. */
export const eyesOf = {
  'sample3-a': [
    { x: 164, y: 243 },
    { x: 265, y: 243 },
  ],
  'sample3-b': [
    { x: 178, y: 240 },
    { x: 276, y: 260 },
  ],
  'sample5-b': [
    { x: 225, y: 231 },
    { x: 321, y: 247 },
  ],
  'sample5-c': [
    { x: 173, y: 228 },
    { x: 278, y: 226 },
  ],
  'sample6-a': [
    { x: 205, y: 268 },
    { x: 309, y: 256 },
  ],
  'sample6-b': [
    { x: 153, y: 257 },
    { x: 246, y: 251 },
  ],
  'sample6-c': [
    { x: 202, y: 276 },
    { x: 299, y: 277 },
  ],
  'sample6-d': [
    { x: 187, y: 242 },
    { x: 284, y: 265 },
  ],
  'sample1-c': [
    { x: 217, y: 217 },
    { x: 301, y: 298 },
  ],
} as const satisfies Record<keyof typeof faceCuts, readonly { readonly x: number; readonly y: number }[]>;

export type FaceId = keyof typeof faceCuts;
export const faceIds = Object.keys(faceCuts) as FaceId[];
export const isFaceId = (text: string): text is FaceId => Object.hasOwn(faceCuts, text);

export const cutWidth = 480;
export const cutHeight = 640;

export const facesDir: string = fileURLToPath(new URL('../../.cache/faces', import.meta.url));

const cutFile = (faceId: FaceId): string => join(facesDir, `${faceId}.png`);

/** 480×640 RGB. @throws Error when scripts/setup-models has not run */
export const loadFaceRgb = async (faceId: FaceId): Promise<RgbImage> => {
  const { data, info } = await sharp(cutFile(faceId)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: new Uint8Array(data) };
};

const cardPhotoWidth = 240;
const cardPhotoHeight = 320;

/** The persona's photo as it stands on a card: 240×320, grey. @throws Error when scripts/setup-models has not run */
export const loadFaceGrey = async (faceId: FaceId): Promise<{ width: 240; height: 320; grey: Uint8Array }> => {
  const grey = await sharp(cutFile(faceId))
    .removeAlpha()
    .resize(cardPhotoWidth, cardPhotoHeight, { fit: 'fill' })
    .greyscale()
    .raw()
    .toBuffer();
  return { width: cardPhotoWidth, height: cardPhotoHeight, grey: new Uint8Array(grey) };
};
