import type { Page } from 'playwright-core';
import { nameOf, panelSizes, type Shot } from './screens-shots.ts';

/** What was found, one line each; the keys are those of the report. */
export type Found = Record<
  | 'axe'
  | 'overflow'
  | 'clipped'
  | 'smallTargets'
  | 'smallLettersMm'
  | 'subjectsHidden'
  | 'sameSpotWithin800Ms'
  | 'deadTools'
  | 'lowContrast'
  | 'withoutSpeech'
  | 'textOutsideCatalogue',
  string[]
>;
export const noFindings = (): Found => ({
  axe: [],
  overflow: [],
  clipped: [],
  smallTargets: [],
  smallLettersMm: [],
  subjectsHidden: [],
  sameSpotWithin800Ms: [],
  deadTools: [],
  lowContrast: [],
  withoutSpeech: [],
  textOutsideCatalogue: [],
});

type Seen = {
  readonly overflow: readonly string[];
  readonly clipped: readonly string[];
  readonly targets: readonly { readonly what: string; readonly px: number }[];
  readonly letters: readonly { readonly what: string; readonly px: number }[];
  readonly subjectsHidden: readonly string[];
  readonly lowContrast: readonly string[];
  readonly scrolled: number;
  readonly readable: number;
  readonly texts: readonly string[];
};
type AxeResults = {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
};

/** Large letters may make the words scroll, but never to less than this at a time. mm */
const leastReadableMm = 18;
/** A finger's breadth. mm */
const leastTargetMm = 10;
/**
 * Letters that are read, by the size of the glass: as usual, and at the largest. mm (em × the panel's pitch; the measure
 * of the Korean kiosk rules of 2026-01 for panels up to 28 cm; a 7 inch panel cannot hold it at once and says so)
 */
const leastLetterMm = (diagonalInches: number, percent: Shot['textPercent']): number =>
  diagonalInches >= 10 ? (percent === 200 ? 12 : 7.25) : percent === 200 ? 7.25 : 5;

const axeTags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/**
 * Measures the screen that is shown now, in the theme of the shot, and adds what is wrong with it to `found`. A theme is
 * one attribute of the page: it is set here, so that the same screen need not be shown anew for each.
 */
export const look = async (
  page: Page,
  shot: Shot,
  isOfCatalogue: (text: string) => boolean,
  withAxe: boolean,
  found: Found,
): Promise<void> => {
  const seen = (await page.evaluate(`lookAtScreen(${JSON.stringify(shot.theme)})`)) as Seen;
  const name = nameOf(shot);
  const add = (kind: keyof Found, findings: readonly string[]): void => {
    for (const finding of findings) found[kind].push(`${name}: ${finding}`);
  };
  add('overflow', seen.overflow);
  add('clipped', seen.clipped);
  const panel = panelSizes[shot.panel];
  const mm = panel.widthMm / panel.width;
  const smaller = (seenOnes: Seen['letters'], leastMm: number): string[] =>
    seenOnes.filter(({ px }) => px * mm < leastMm - 0.02).map(({ what, px }) => `${what} ${(px * mm).toFixed(2)} mm`);
  add('smallTargets', smaller(seen.targets, leastTargetMm));
  add('smallLettersMm', smaller(seen.letters, leastLetterMm(panel.diagonalInches, shot.textPercent)));
  add('subjectsHidden', seen.subjectsHidden);
  add('lowContrast', seen.lowContrast);
  if (seen.scrolled > 1 && seen.readable * mm < leastReadableMm)
    add('overflow', [`only ${Math.round(seen.readable * mm)} mm of words at a time`]);
  add(
    'textOutsideCatalogue',
    seen.texts.filter((text) => !isOfCatalogue(text)),
  );
  if (!withAxe) return;
  const axe = (await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(axeTags)}, resultTypes: ['violations'] })`,
  )) as AxeResults;
  add(
    'axe',
    axe.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id} ${html.slice(0, 120)}`)),
  );
};
