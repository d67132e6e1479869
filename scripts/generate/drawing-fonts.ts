/**
 * The Japanese letters of pictures (cards, contact sheets, the staff page in the documents), as fontconfig reads them:
 * `scripts/node scripts/generate/drawing-fonts.ts FOLDER` writes FOLDER with the slices of the page's own font as
 * TrueType and a `fonts.conf` that knows nothing else (drivers/virtual/own-fonts.ts uses it).
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import decompress from 'woff2-encoder/decompress';
import { licenceOf, slicesOf } from './font-slices.ts';

const npm = '@fontsource-variable/noto-sans-jp';
/** The file names its thinnest weight; fontconfig lists the others as styles of that. */
const named = 'Noto Sans JP Thin';

const folder = process.argv[2];
if (folder === undefined) throw new Error('drawing-fonts: name the folder to write to');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const { path, name } of await slicesOf(npm))
  writeFileSync(join(folder, name.replace(/woff2$/, 'ttf')), await decompress(readFileSync(path)));
writeFileSync(join(folder, 'LICENSE.txt'), licenceOf(npm));
const alias = (family: string): string =>
  `<alias binding="same"><family>${family}</family><prefer><family>${named}</family></prefer></alias>`;
writeFileSync(
  join(folder, 'fonts.conf'),
  `<?xml version="1.0"?>\n<fontconfig><dir prefix="relative">.</dir>${['Noto Sans JP', 'sans-serif', 'monospace'].map(alias).join('')}</fontconfig>\n`,
);
