import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { consentCode } from '../wire/messages.ts';
import { catalogueDir } from './catalogue-files.ts';

/**
 * What the screens of one release say when they ask for consents: SHA-256 of each text, by language and code. Kept so
 * that texts can be mended: an agent is updated before its terminals, and theirs still show the words of before.
 */
const hashes = z.record(z.string(), z.record(consentCode, z.array(z.string().length(43)).min(1)));

const releasedTextsSchema = z.strictObject({
  release: z.string(),
  catalogueVersion: z.string().max(40),
  texts: hashes,
  /**
   * The same of what was answered beforehand (pre-check-in), by the answer that the text says: its hash is good for no other. A
   * release that does not know it has none.
   */
  beforehand: z.strictObject({ true: hashes, false: hashes }).optional(),
});
export type ReleasedTexts = z.infer<typeof releasedTextsSchema>;

/** Of every release, as scripts/generate/stored-release.ts wrote them down. Throws when a file is not whole. */
export const readReleasedTexts = (dir: string = catalogueDir): readonly ReleasedTexts[] => {
  const folder = join(dir, 'released');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => releasedTextsSchema.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
};
