import type { Page } from 'playwright-core';
import { nameOf, type Shot } from './screens-shots.ts';

/** What was found, one line each; the keys are those of the report. */
export type Found = Record<
  'axe' | 'overflow' | 'clipped' | 'smallTargets' | 'lowContrast' | 'withoutSpeech' | 'textOutsideCatalogue',
  string[]
>;
export const noFindings = (): Found => ({
  axe: [],
  overflow: [],
  clipped: [],
  smallTargets: [],
  lowContrast: [],
  withoutSpeech: [],
  textOutsideCatalogue: [],
});

type Seen = {
  readonly overflow: readonly string[];
  readonly clipped: readonly string[];
  readonly smallTargets: readonly string[];
  readonly lowContrast: readonly string[];
  readonly scrolled: number;
  readonly readable: number;
  readonly texts: readonly string[];
};
type AxeResults = {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
};

/** Large letters may make the words scroll, but never to less than this at a time. px */
const leastReadable = 150;

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
  add('smallTargets', seen.smallTargets);
  add('lowContrast', seen.lowContrast);
  // At 100 % everything is to be seen at once; larger letters may scroll.
  if (seen.scrolled > 1 && shot.textPercent === 100) add('overflow', [`words scroll by ${seen.scrolled} px`]);
  if (seen.scrolled > 1 && seen.readable < leastReadable)
    add('overflow', [`only ${seen.readable} px of words at a time`]);
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
