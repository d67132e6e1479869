import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Catalogue } from '../../core/catalogue/catalogue.ts';

/** fonts.json beside the page's fonts, as scripts/generate/cut-page-fonts.ts writes it. `ranges`: U+20-7E,U+3042 */
const manifestSchema = z.object({
  families: z.record(
    z.string(),
    z.array(z.object({ file: z.string().regex(/^[\w.-]+$/), sha256: z.string(), ranges: z.string() })),
  ),
  /** For each language of the catalogue the families that draw it, the first that has a character wins. */
  languages: z.record(z.string(), z.array(z.string())),
});

const codePoints = (ranges: string): readonly number[] =>
  ranges.split(',').flatMap((part) => {
    const [first = '', last = first] = part.slice(2).split('-');
    const from = Number.parseInt(first, 16);
    return Array.from({ length: Number.parseInt(last, 16) - from + 1 }, (_, index) => from + index);
  });

const isWhole = async (path: string, sha256: string): Promise<boolean> => {
  const content = await readFile(path).catch(() => null);
  return content !== null && createHash('sha256').update(content).digest('hex') === sha256;
};

/** What is never drawn needs no glyph. */
const needsGlyph = (character: string): boolean => /[^\p{Default_Ignorable_Code_Point}\p{Control}]/u.test(character);

/**
 * The languages of the catalogue that the page cannot draw with the fonts it is served, and what is wrong: a file that
 * is missing or is not the one that was built, or a character of a text that no font has. Empty = all can be drawn.
 * `pageDir`: the built page.
 */
export const undrawableLanguages = async (
  pageDir: string,
  { languages }: Catalogue,
): Promise<ReadonlyMap<string, string>> => {
  const folder = join(pageDir, 'fonts');
  const undrawable = new Map<string, string>();
  let manifest: z.infer<typeof manifestSchema>;
  try {
    manifest = manifestSchema.parse(JSON.parse(await readFile(join(folder, 'fonts.json'), 'utf8')));
  } catch {
    return new Map(Object.keys(languages).map((code) => [code, 'fonts.json is missing or unreadable']));
  }
  const drawn = new Map<string, ReadonlySet<number>>();
  const broken = new Map<string, string>();
  for (const [family, files] of Object.entries(manifest.families)) {
    const whole = await Promise.all(files.map(({ file, sha256 }) => isWhole(join(folder, file), sha256)));
    drawn.set(family, new Set(files.flatMap(({ ranges }, index) => (whole[index] ? codePoints(ranges) : []))));
    const first = files[whole.indexOf(false)];
    if (first !== undefined) broken.set(family, first.file);
  }
  for (const [code, { name, texts }] of Object.entries(languages)) {
    const families = manifest.languages[code] ?? [];
    const lacking = [name, ...Object.values(texts)]
      .flatMap((text) => [...text])
      .find(
        (character) =>
          needsGlyph(character) &&
          !families.some((family) => drawn.get(family)?.has(character.codePointAt(0) ?? 0) === true),
      );
    if (lacking === undefined) continue;
    const file = families.map((family) => broken.get(family)).find((each) => each !== undefined);
    undrawable.set(code, file === undefined ? `no font has ${lacking}` : `${file} is missing or damaged`);
  }
  return undrawable;
};
