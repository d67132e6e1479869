/**
 * Chromium over the patient's screens: every exhibit of the gallery in languages, themes, text sizes, panels and
 * layouts, through the real page and its real driver. Counts what would make a person stumble; all counts must be 0.
 *
 *   npm run screens -- --json            four panels at three sizes of letters, and a choice of everything; the last line
 *                                        is one JSON object
 *   npm run screens -- --json --chosen   the choice alone, about 250 shots
 *   npm run screens -- --json --all      every combination (about half an hour; a picture of one in 37)
 *   npm run screens -- --json --part 1/3 the first third of them, without the times and with few pictures (tests walk so)
 *   npm run screens -- --only idle,pin --language all --text 200
 *
 * Contact sheets go to .cache/screens (never committed); `--docs` renews the few pictures in docs/screens.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { createKioskScreen } from '../../drivers/kiosk-screen.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { exhibitContext, gallery, galleryNow, gallerySettings } from '../../src/cli/preview-gallery.ts';
import { drawScreen } from '../../src/core/screen/draw-screen.ts';
import type { Display } from '../../src/core/visit/session.ts';
import { openBrowser } from './screens-browser.ts';
import { touchTwice } from './screens-double-tap.ts';
import { measureFeedback } from './screens-feedback.ts';
import { type Found, look, noFindings } from './screens-look.ts';
import { contactSheets } from './screens-sheets.ts';
import {
  allShots,
  axeCanDiffer,
  chosenShots,
  distinct,
  everySize,
  nameOf,
  panelSizes,
  partOf,
  type Shot,
  scenes,
} from './screens-shots.ts';
import { catalogueTexts, unspoken } from './screens-words.ts';
import { walkStaffPage } from './staff-walk.ts';

const root = join(import.meta.dirname, '..', '..');
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
    only: { type: 'string' },
    language: { type: 'string' },
    theme: { type: 'string' },
    text: { type: 'string' },
    panel: { type: 'string' },
    chosen: { type: 'boolean', default: false },
    staff: { type: 'boolean', default: false },
    layout: { type: 'string' },
    part: { type: 'string' },
    out: { type: 'string', default: join(root, '.cache', 'screens') },
  },
});

if (options.staff) {
  const { isGood, ...walked } = await walkStaffPage();
  process.stdout.write(`${JSON.stringify({ profile: 'demo', ...walked })}\n`);
  process.exit(isGood ? 0 : 1);
}

const docsShots = [
  'idle',
  'choose-method',
  'face',
  'pin',
  'consent-bundle',
  'consent-item.surgery',
  'summary',
  'accepted',
  'desk.card.certificate-expired',
];

const catalogue = catalogueAt(galleryNow.wallMs);
const display = (shot: Pick<Shot, 'language' | 'theme' | 'textPercent' | 'layout'>): Display => ({
  ...shot,
  voice: 'all',
  loudness: 0,
});

// The pictures of the documents show what is on by default.
const exhibitsOf = (shot: Omit<Shot, 'exhibit'>) =>
  gallery({ ...gallerySettings, smartphone: !options.docs }, catalogue, display(shot));
const languages = gallerySettings.languages.filter((code) => catalogue.languages[code] !== undefined);

const narrowed = [options.only, options.language, options.theme, options.text, options.panel, options.layout].some(
  (each) => each !== undefined,
);

/** Whether a value is what an option names: one, all, or left out the usual one. */
const isAsked = (option: string | undefined, value: string, usual: string): boolean =>
  option === 'all' || value === (option ?? usual);

const wantedShots = (): readonly Shot[] => {
  const standard = {
    language: 'ja',
    theme: 'default',
    textPercent: 100,
    panel: 'landscape',
    layout: 'standard',
  } as const;
  const exhibits = exhibitsOf(standard);
  if (options.docs) return docsShots.map((exhibit) => ({ exhibit, ...standard }));
  const { only, language, theme, text, panel, layout } = options;
  const names = (options.all ? exhibits : distinct(exhibits, catalogue)).map(({ name }) => name);
  if (!narrowed && options.all) return allShots(names, languages);
  if (!narrowed) return [...chosenShots(names, languages), ...(options.chosen ? [] : everySize(names))];
  return allShots(names, languages).filter(
    (shot) =>
      (only?.split(',').includes(shot.exhibit) ?? true) &&
      isAsked(language, shot.language, 'ja') &&
      isAsked(theme, shot.theme, 'default') &&
      isAsked(text, String(shot.textPercent), '100') &&
      isAsked(panel, shot.panel, 'landscape') &&
      isAsked(layout, shot.layout, 'standard'),
  );
};

const keepForDocs = async (name: string, png: Buffer): Promise<void> => {
  const docs = join(root, 'docs', 'screens');
  mkdirSync(docs, { recursive: true });
  await sharp(png)
    .png({ palette: true, colours: 64 })
    .toFile(join(docs, `${name}.png`));
};

const screen = await createKioskScreen({ port: 0, pageDir: join(root, 'dist', 'screens') });
const { page, close } = await openBrowser(screen.port);
const shots = options.part === undefined ? wantedShots() : partOf(wantedShots(), options.part);
const found: Found = noFindings();
const pictures: { readonly name: string; readonly png: Buffer }[] = [];
const screensSeen = new Set<string>();
mkdirSync(options.out, { recursive: true });

/** Of a whole walk, one picture of each exhibit and language, moving through the other values; of a part nobody looks at them. */
const isPictured = (index: number): boolean =>
  options.all || options.part !== undefined
    ? index % 37 === 0
    : narrowed || options.docs || options.chosen || index % 7 === 0;

let revision = 0;
let walked = 0;
for (const scene of scenes(shots)) {
  const [first] = scene;
  const exhibit = exhibitsOf(first).find((each) => each.name === first.exhibit);
  if (exhibit === undefined) throw new Error(`no exhibit ${first.exhibit}`);
  const panel = panelSizes[first.panel];
  const { diagonalInches } = panel;
  const drawn = drawScreen(exhibit.session, { ...exhibitContext(catalogue, exhibit), diagonalInches });
  screensSeen.add(drawn.screen);
  await page.setViewportSize({ width: panel.width, height: panel.height });
  // Without a loudspeaker, or in a language nobody speaks here, there is nothing to hear and no button for it.
  const mute = drawScreen(exhibit.session, { ...exhibitContext(catalogue, exhibit), speaks: () => false });
  for (const { id } of mute.tools)
    if (['voice', 'repeat', 'softer', 'louder'].includes(id)) found.deadTools.push(`${nameOf(first)}: ${id}`);
  revision += 1;
  screen.show({ ...drawn, revision });
  await page.waitForSelector(`[data-revision="${revision}"]`);
  for (const words of unspoken(drawn, catalogue)) found.withoutSpeech.push(`${nameOf(first)}: ${words}`);
  const isOfCatalogue = catalogueTexts(catalogue, first.language, gallerySettings.facilityName);
  for (const shot of scene) {
    await look(page, shot, isOfCatalogue, !options.all || axeCanDiffer(shot), found);
    if (isPictured(walked)) {
      const png = await page.screenshot();
      if (options.docs) await keepForDocs(shot.exhibit, png);
      else pictures.push({ name: nameOf(shot), png });
    }
    walked += 1;
    if (walked % (options.all ? 500 : 20) === 0) process.stderr.write(`screens: ${walked} of ${shots.length}\n`);
  }
  // As the model has it: the next one changes the theme only where it differs.
  await page.evaluate(`document.querySelector('.screen').dataset.theme = ${JSON.stringify(first.theme)}`);
}
const sheets = await contactSheets(pictures, options.out);
// A narrowed walk looks at pictures; the times belong to the whole one, on a machine that does nothing else.
const isWhole = !narrowed && !options.docs && !options.chosen && options.part === undefined;
const feedbackMs = isWhole ? await measureFeedback(page, screen, catalogue) : null;
if (isWhole) found.sameSpotWithin800Ms.push(...(await touchTwice(page, screen, catalogue)));
await close();
await screen.close();

for (const [kind, findings] of Object.entries(found))
  for (const finding of findings) process.stderr.write(`screens: ${kind}: ${finding}\n`);
for (const sheet of sheets) process.stderr.write(`screens: ${sheet}\n`);
const counts = Object.fromEntries(Object.entries(found).map(([kind, findings]) => [kind, findings.length]));
const report = {
  screens: screensSeen.size,
  shots: shots.length,
  sizes: [...new Set(shots.map(({ panel }) => `${panelSizes[panel].width}x${panelSizes[panel].height}`))],
  ...counts,
  ...(feedbackMs === null ? {} : { feedbackMs }),
};
process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
process.exitCode = Object.values(found).every((findings) => findings.length === 0) ? 0 : 1;
