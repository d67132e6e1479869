import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { contentTypes } from './content-types.ts';
import type { LocalAnswer } from './local-server.ts';

/** Where the built page of the patient's screen has its fonts; staff see the same ones. */
const fontDir = join(import.meta.dirname, '..', '..', 'dist', 'screens', 'fonts');

/** The address of the style sheet that names the product's own fonts */
export const fontStyle = '/fonts/fonts.css';

/**
 * Answers requests for the product's own fonts, the same files that the patient's page loads; null for any other path,
 * and where the page was not built: letters are then the machine's.
 */
export const pageFonts = (dir: string = fontDir): ((path: string) => Promise<LocalAnswer | null>) => {
  const names = new Set(
    existsSync(dir) ? readdirSync(dir).filter((name) => contentTypes[extname(name)] !== undefined) : [],
  );
  return async (path) => {
    const name = path.startsWith('/fonts/') ? path.slice('/fonts/'.length) : '';
    if (!names.has(name)) return null;
    const body = await readFile(join(dir, name)).catch(() => null);
    return body === null ? null : { status: 200, headers: { 'Content-Type': contentTypes[extname(name)] ?? '' }, body };
  };
};
