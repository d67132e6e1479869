import { join } from 'node:path';
import sharp from 'sharp';
import { createKioskScreen } from '../../drivers/kiosk-screen.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { exhibitContext, gallery, galleryDisplay, galleryNow, gallerySettings } from '../../src/cli/preview-gallery.ts';
import type { Catalogue } from '../../src/core/catalogue/catalogue.ts';
import { drawScreen } from '../../src/core/screen/draw-screen.ts';
import type { ScreenModel } from '../../src/core/screen/screen-model.ts';
import { projectRoot } from '../beds/release-tree.ts';
import { openBrowser } from '../screens/screens-browser.ts';
import { backTranslationsOf, textsHash } from './check-words.ts';

/*
 * The page of a language for whoever grew up with it and wants to help: every text with its number, what the Japanese says,
 * what it is taken to mean, and a picture of each screen with the numbers of its texts. One file, to be sent by mail.
 */

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] ?? sign);

type Exhibit = { readonly name: string; readonly picture: string; readonly keys: readonly string[] };

/** What a screen draws, as one string to look for texts in. */
const shown = (model: Omit<ScreenModel, 'revision'>): string =>
  JSON.stringify([
    model.heading,
    model.lead,
    model.note,
    model.remaining,
    model.body,
    model.controls,
    model.tools,
    model.footer,
    model.steps,
    model.pinKeys,
  ]);

/** A text of the catalogue as it may stand on a screen: with anything in the place of its values. */
const patternOf = (text: string): RegExp =>
  new RegExp(
    text
      .split(/\{[a-z]+\}/)
      .map((part) =>
        JSON.stringify(part)
          .slice(1, -1)
          .replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
      )
      .join('.{1,80}?'),
  );

const pictureWidth = 640;

/** Every screen once: its picture in the language, and which texts stand on it. */
const exhibitsOf = async (catalogue: Catalogue, language: string): Promise<readonly Exhibit[]> => {
  const texts = Object.entries(catalogue.languages[language]?.texts ?? {}).map(
    ([key, text]) => [key, patternOf(text)] as const,
  );
  const screen = await createKioskScreen({ port: 0, pageDir: join(projectRoot, 'dist/screens') });
  const { page, close } = await openBrowser(screen.port);
  const exhibits: Exhibit[] = [];
  const display = { ...galleryDisplay, language, voice: 'off' } as const;
  try {
    await page.setViewportSize({ width: 1_280, height: 800 });
    const seen = new Set<string>();
    for (const [index, exhibit] of gallery(gallerySettings, catalogue, display).entries()) {
      const drawn = drawScreen(exhibit.session, exhibitContext(catalogue, exhibit));
      const words = shown(drawn);
      if (seen.has(words)) continue;
      seen.add(words);
      screen.show({ ...drawn, revision: index + 1 });
      await page.waitForSelector(`[data-revision="${index + 1}"]`);
      const picture = await sharp(await page.screenshot())
        .resize(pictureWidth)
        .webp({ quality: 60 })
        .toBuffer();
      exhibits.push({
        name: exhibit.name,
        picture: picture.toString('base64'),
        keys: texts.filter(([, pattern]) => pattern.test(words)).map(([key]) => key),
      });
    }
  } finally {
    await close();
    await screen.close();
  }
  return exhibits;
};

const style = `body{font:1rem/1.5 sans-serif;margin:1rem auto;max-width:70rem;padding:0 1rem}table{border-collapse:collapse;width:100%}
td,th{border:1px solid #999;padding:.25rem .5rem;vertical-align:top;text-align:left}td:first-child{white-space:nowrap}
figure{margin:2rem 0}img{border:1px solid #999;max-width:100%}small{color:#444}`;

type Blind = NonNullable<ReturnType<typeof backTranslationsOf>>['blind'];

/** What a text said to whoever read it blind; of a text that is another now, that it was the one of before. */
const readBlind = (blind: Blind, key: string): string => {
  const [means, since] = [blind?.means[key] ?? '', blind?.changedSince[key]];
  return since === undefined ? means : `(the text is another since ${since}) ${means}`;
};

/** The whole page, as HTML. Throws where the catalogue has no such language; needs Chromium and the built page. */
export const correctionPage = async (language: string): Promise<string> => {
  const catalogue = catalogueAt(galleryNow.wallMs);
  const [texts, japanese] = [catalogue.languages[language], catalogue.languages.ja?.texts ?? {}];
  if (texts === undefined) throw new Error(`no language ${language}: ${Object.keys(catalogue.languages).join(', ')}`);
  const { means = {}, how = '', blind } = backTranslationsOf(language) ?? {};
  const numbers = new Map(Object.keys(japanese).map((key, index) => [key, index + 1]));
  const exhibits = await exhibitsOf(catalogue, language);
  const row = (key: string): string => {
    const cells = [japanese[key] ?? '', texts.texts[key] ?? '', means[key] ?? '', readBlind(blind, key)].map(
      (text) => `<td>${escaped(text)}</td>`,
    );
    return `<tr id="t${numbers.get(key)}"><td>${numbers.get(key)} <small>${escaped(key)}</small></td>${cells.join('')}</tr>`;
  };
  const heading =
    '<tr><th>No.</th><th>日本語</th><th>Text</th><th>Means (read back)</th><th>Says (read blind)</th></tr>';
  const figures = exhibits.map(
    ({ name, picture, keys }) =>
      `<figure><img alt="${escaped(name)}" src="data:image/webp;base64,${picture}"><figcaption>${escaped(name)}: ${keys
        .map((key) => `<a href="#t${numbers.get(key)}">${numbers.get(key)}</a>`)
        .join(' ')}</figcaption></figure>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Uketsuke: ${escaped(texts.name)}</title><style>${style}</style>
<h1>Uketsuke: ${escaped(texts.name)} (${escaped(language)})</h1>
<p>These words stand on the reader of a Japanese clinic's counter, in version ${escaped(catalogue.version)}. Nobody who grew up with
${escaped(texts.name)} has read them yet, unless their grade says native (it says: ${escaped(texts.grade ?? 'none')}). Is a word wrong, stiff
or rude? Send the number, the text as it ought to be, and why, as an issue of the project or by mail to whoever gave you this
page. The text ought to be no longer than it is, and say what the Japanese says. {words in braces} stay as they are.</p>
<p>Have you read all of it? Say so with your name and this line: <code>${escaped(language)} ${textsHash(texts)}</code></p>
<p>Read back: ${escaped(how)} Read blind: ${escaped(blind?.how ?? 'by nobody.')}</p>
<h2>Texts</h2><table>${heading}${Object.keys(japanese).map(row).join('\n')}</table>
<h2>Screens, with the numbers of their texts</h2>${figures.join('\n')}</html>
`;
};
