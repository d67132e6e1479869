import type { Page } from 'playwright-core';

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

/** Measures the screen that is shown now and adds what is wrong with it to `found`. */
export const look = async (
  page: Page,
  name: string,
  textPercent: number,
  isOfCatalogue: (text: string) => boolean,
  found: Found,
): Promise<void> => {
  const seen = (await page.evaluate('lookAtScreen()')) as Seen;
  const add = (kind: keyof Found, findings: readonly string[]): void => {
    for (const finding of findings) found[kind].push(`${name}: ${finding}`);
  };
  add('overflow', seen.overflow);
  add('clipped', seen.clipped);
  add('smallTargets', seen.smallTargets);
  add('lowContrast', seen.lowContrast);
  // At 100 % everything is to be seen at once; larger letters may scroll.
  if (seen.scrolled > 1 && textPercent === 100) add('overflow', [`words scroll by ${seen.scrolled} px`]);
  if (seen.scrolled > 1 && seen.readable < leastReadable)
    add('overflow', [`only ${seen.readable} px of words at a time`]);
  add(
    'textOutsideCatalogue',
    seen.texts.filter((text) => !isOfCatalogue(text)),
  );
  const axe = (await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(axeTags)}, resultTypes: ['violations'] })`,
  )) as AxeResults;
  add(
    'axe',
    axe.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id} ${html.slice(0, 120)}`)),
  );
};
