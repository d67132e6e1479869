import type { Exhibit } from '../src/cli/preview-gallery.ts';
import type { Catalogue } from '../src/core/catalogue.ts';

/** One picture to take. */
export type Shot = {
  readonly exhibit: string;
  readonly language: string;
  readonly theme: 'default' | 'high-contrast' | 'dark';
  readonly textPercent: 100 | 150 | 200;
  readonly orientation: 'landscape' | 'portrait';
  readonly layout: 'standard' | 'low';
};

const themes = ['default', 'high-contrast', 'dark'] as const;
const sizes = [100, 150, 200] as const;
const orientations = ['landscape', 'portrait'] as const;
const layouts = ['standard', 'low'] as const;

/** Desk screens differ by their patient text only: one code for each is enough but for `--all`. */
export const distinct = (exhibits: readonly Exhibit[], catalogue: Catalogue): readonly Exhibit[] => {
  const seen = new Set<string>();
  return exhibits.filter(({ session: { state } }) => {
    if (state.name !== 'interrupted' || state.resume) return true;
    const { patientText } = catalogue.failures[state.failure.code];
    const isNew = !seen.has(patientText);
    seen.add(patientText);
    return isNew;
  });
};

/** Every exhibit in every language, theme, size, orientation and layout. */
export const allShots = (exhibits: readonly string[], languages: readonly string[]): readonly Shot[] =>
  exhibits.flatMap((exhibit) =>
    languages.flatMap((language) =>
      themes.flatMap((theme) =>
        sizes.flatMap((textPercent) =>
          orientations.flatMap((orientation) =>
            layouts.map((layout) => ({ exhibit, language, theme, textPercent, orientation, layout })),
          ),
        ),
      ),
    ),
  );

const at = <T>(values: readonly T[], index: number): T => values[index % values.length] as T;

/**
 * About two hundred: every exhibit as it is seen most (Japanese, default, 100 %, landscape), and every exhibit once more
 * in a combination that moves through languages, themes, sizes, orientations and layouts with steps that share no
 * factor, so that each value meets each other many times.
 */
export const chosenShots = (exhibits: readonly string[], languages: readonly string[]): readonly Shot[] => [
  ...exhibits.map((exhibit) => ({
    exhibit,
    language: 'ja',
    theme: 'default' as const,
    textPercent: 100 as const,
    orientation: 'landscape' as const,
    layout: 'standard' as const,
  })),
  ...exhibits.map((exhibit, index) => ({
    exhibit,
    language: at(languages, index * 3 + 1),
    theme: at(themes, Math.floor(index / 2)),
    textPercent: at(sizes, index + Math.floor(index / 7)),
    orientation: at(orientations, Math.floor(index / 3)),
    layout: at(layouts, Math.floor(index / 5)),
  })),
];
