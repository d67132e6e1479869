/** Cuts the demo's faces out of pictures of an npm package by the fixed boxes of drivers/virtual/faces.ts. */
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { cutHeight, cutWidth, faceCuts, faceIds } from '../../drivers/virtual/faces.ts';
import type { NpmSources } from './npm-source.ts';
import { faceApi } from './recipes.ts';

const pictureHashes: Readonly<Record<string, string>> = {
  'sample1.jpg': '8ecae4b267b2d3169e06e00c7dee97097aa2a94635d45216f7732a5f4943cb51',
  'sample3.jpg': '8eb081c9efb14370fa94d9feab9e5fbeafd19a627491853a80c2bf67f7ffa936',
  'sample5.jpg': '6d45095ebb182d8f975c0790e0e4eefd86fbb40609cf4b271776d92e12662938',
  'sample6.jpg': '9baad80f9d5e306fb9b8c0913d44445f1e95848df317530efb03d0934c57ba87',
};

export const cutFaces = async (facesDir: string, npm: NpmSources, tell: (line: string) => void): Promise<void> => {
  await mkdir(facesDir, { recursive: true });
  for (const faceId of faceIds) {
    const file = join(facesDir, `${faceId}.png`);
    if (existsSync(file)) continue;
    const { picture, left, top, width, height } = faceCuts[faceId];
    const jpeg = await npm.read({ npm: faceApi, path: `demo/${picture}`, sha256: pictureHashes[picture] ?? '' });
    const cut = await sharp(jpeg)
      .extract({ left, top, width, height })
      .resize(cutWidth, cutHeight, { fit: 'fill' })
      .removeAlpha()
      .png()
      .toBuffer();
    await writeFile(`${file}.part`, cut);
    await rename(`${file}.part`, file);
    tell(`face ${faceId}: cut, ${cut.length} bytes`);
  }
};
