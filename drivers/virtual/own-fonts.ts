import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Written by scripts/setup (scripts/generate/drawing-fonts.ts). */
const ownFonts = fileURLToPath(new URL('../../.cache/fonts/fonts.conf', import.meta.url));

/**
 * Text in pictures that this process draws with sharp is drawn with the product's own letters, and never with what a
 * machine happens to have. To be called before the first picture; throws when scripts/setup has not made them.
 */
export const drawWithOwnFonts = (): void => {
  if (!existsSync(ownFonts)) throw new Error(`${ownFonts} is missing: run scripts/setup`);
  process.env.FONTCONFIG_FILE = ownFonts;
};
