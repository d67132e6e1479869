import { join } from 'node:path';
import sharp from 'sharp';
import { drawWithOwnFonts } from '../../drivers/virtual/own-fonts.ts';

const columns = 5;
const rows = 6;
const cell = { width: 400, height: 280 };

/** Contact sheets of thirty pictures with their names; answers the files written. */
export const contactSheets = async (
  pictures: readonly { readonly name: string; readonly png: Buffer }[],
  dir: string,
): Promise<readonly string[]> => {
  drawWithOwnFonts();
  const files: string[] = [];
  for (let first = 0; first < pictures.length; first += columns * rows) {
    const tiles = await Promise.all(
      pictures.slice(first, first + columns * rows).map(async ({ name, png }, index) => {
        const left = (index % columns) * cell.width;
        const top = Math.floor(index / columns) * cell.height;
        const label = Buffer.from(
          `<svg width="${cell.width}" height="24"><text x="4" y="17" font-family="monospace" font-size="12">${name}</text></svg>`,
        );
        const small = await sharp(png)
          .resize({ width: cell.width - 8, height: cell.height - 28, fit: 'contain', background: '#888' })
          .png()
          .toBuffer();
        return [
          { input: label, left, top },
          { input: small, left, top: top + 24 },
        ];
      }),
    );
    const file = join(dir, `sheet-${String(files.length + 1).padStart(2, '0')}.png`);
    await sharp({
      create: { width: columns * cell.width, height: rows * cell.height, channels: 3, background: '#bbb' },
    })
      .composite(tiles.flat())
      .png({ palette: true })
      .toFile(file);
    files.push(file);
  }
  return files;
};
