import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { galleryNow } from '../../../src/cli/preview-gallery.ts';

/*
 * A catalogue whose Japanese texts are their own names, `⟦idle.heading ⟧`, with the places for what is filled in: what is drawn
 * tells which text it is.
 */
const inForce = catalogueAt(galleryNow.wallMs);
const found = inForce.languages.ja;
if (found === undefined) throw new Error('no Japanese texts');
export const japanese = found;

const placesOf = (text: string): string => (text.match(/\{[a-z]+\}/g) ?? []).join('');
const namedTexts = (texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, `⟦${key} ${placesOf(text)}⟧`]));
export const catalogue = {
  ...inForce,
  languages: {
    ...inForce.languages,
    ja: { ...japanese, texts: namedTexts(japanese.texts), readings: namedTexts(japanese.readings) },
  },
};

/** The names of all texts in what was drawn, in their order there. */
export const keysIn = (drawn: unknown): readonly string[] =>
  [...JSON.stringify(drawn).matchAll(/⟦([a-z0-9.-]+)/g)].map(([, key]) => key ?? '');
