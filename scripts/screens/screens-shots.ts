import type { Exhibit } from '../../src/cli/preview-gallery.ts';
import type { Catalogue } from '../../src/core/catalogue/catalogue.ts';

/** One picture to take. */
export type Shot = {
  readonly exhibit: string;
  readonly language: string;
  readonly theme: 'default' | 'high-contrast' | 'dark';
  readonly textPercent: 100 | 150 | 200;
  readonly panel: PanelName;
  readonly layout: 'standard' | 'low';
};

export const nameOf = (shot: Shot): string =>
  `${shot.exhibit} ${shot.language} ${shot.theme} ${shot.textPercent} ${shot.panel} ${shot.layout}`;

const themes = ['default', 'high-contrast', 'dark'] as const;
const sizes = [100, 150, 200] as const;
/** The glass a screen is drawn on: pixels, and how wide it is. mm */
export const panelSizes = {
  landscape: { width: 1280, height: 800, widthMm: 218, diagonalInches: 10.1 },
  portrait: { width: 800, height: 1280, widthMm: 136, diagonalInches: 10.1 },
  wide: { width: 1024, height: 600, widthMm: 222, diagonalInches: 10.1 },
  small: { width: 800, height: 480, widthMm: 154, diagonalInches: 7 },
} as const;
type PanelName = keyof typeof panelSizes;
const panels = ['landscape', 'portrait', 'wide', 'small'] as const;
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

/**
 * Every exhibit in every language, theme, size, panel and layout; what is dear to change (the size of the window)
 * changes seldom, what is cheap (the theme) at every step.
 */
export const allShots = (exhibits: readonly string[], languages: readonly string[]): readonly Shot[] =>
  panels.flatMap((panel) =>
    layouts.flatMap((layout) =>
      exhibits.flatMap((exhibit) =>
        languages.flatMap((language) =>
          sizes.flatMap((textPercent) =>
            themes.map((theme) => ({ exhibit, language, theme, textPercent, panel, layout })),
          ),
        ),
      ),
    ),
  );

/** Shots of one screen that differ in their theme only. */
export const scenes = (shots: readonly Shot[]): readonly (readonly [Shot, ...Shot[]])[] => {
  const groups: [Shot, ...Shot[]][] = [];
  for (const shot of shots) {
    const group = groups.at(-1);
    if (group !== undefined && nameOf({ ...group[0], theme: shot.theme }) === nameOf(shot)) group.push(shot);
    else groups.push([shot]);
  }
  return groups;
};

/**
 * Of thousands of shots, those where axe can find something else than before: the page's structure depends on exhibit and language, its colours on
 * the theme, its places on size, panel and layout.
 */
export const axeCanDiffer = ({ language, theme, textPercent, panel, layout }: Shot): boolean =>
  (textPercent === 100 && panel === 'landscape' && layout === 'standard') || (language === 'ja' && theme === 'default');

const at = <T>(values: readonly T[], index: number): T => values[index % values.length] as T;

/** Answers that have a picture and two lines of words: where these are highest or longest. */
const withPictures: readonly string[] = ['choose-phone', 'prescription-form'];
const highestAnswers = [
  { language: 'ja-easy', textPercent: 100, panel: 'landscape' },
  { language: 'ja-easy', textPercent: 150, panel: 'wide' },
  { language: 'ko', textPercent: 100, panel: 'small' },
] as const;

/**
 * About two hundred: every exhibit as it is seen most (Japanese, default, 100 %, landscape), and every exhibit once more
 * in a combination that moves through languages, themes, sizes, panels and layouts with steps that share no
 * factor, so that each value meets each other many times.
 */
export const chosenShots = (exhibits: readonly string[], languages: readonly string[]): readonly Shot[] => [
  ...exhibits.map((exhibit) => ({
    exhibit,
    language: 'ja',
    theme: 'default' as const,
    textPercent: 100 as const,
    panel: 'landscape' as const,
    layout: 'standard' as const,
  })),
  ...exhibits.map((exhibit, index) => ({
    exhibit,
    language: at(languages, index * 3 + 1),
    theme: at(themes, Math.floor(index / 2)),
    textPercent: at(sizes, index + Math.floor(index / 7)),
    panel: at(panels, Math.floor(index / 3)),
    layout: at(layouts, Math.floor(index / 5)),
  })),
  ...exhibits
    .filter((exhibit) => withPictures.includes(exhibit))
    .flatMap((exhibit) =>
      highestAnswers.map((shot) => ({ exhibit, theme: 'default' as const, layout: 'standard' as const, ...shot })),
    ),
];

/** Every exhibit on every panel at every size of letters, in Japanese. */
export const everySize = (exhibits: readonly string[]): readonly Shot[] =>
  panels.flatMap((panel) =>
    exhibits.flatMap((exhibit) =>
      sizes.map((textPercent) => ({
        exhibit,
        language: 'ja',
        theme: 'default' as const,
        textPercent,
        panel,
        layout: 'standard' as const,
      })),
    ),
  );

/** One of several parts of about the same size, as `2/3` names it; together they are the whole. */
export const partOf = (shots: readonly Shot[], part: string): readonly Shot[] => {
  const [, number, of] = /^([1-9])\/([1-9])$/.exec(part) ?? [];
  if (number === undefined || of === undefined || number > of) throw new Error(`--part ${part}: not like 1/3`);
  const at = (share: number): number => Math.round((shots.length * share) / Number(of));
  return shots.slice(at(Number(number) - 1), at(Number(number)));
};
