/**
 * The fonts of the patient's screen, for `vite build` to copy: `scripts/node scripts/generate/cut-page-fonts.ts FOLDER`
 * writes FOLDER/fonts with the slices (WOFF2), their style sheet, their licences and `fonts.json`, which says what is
 * drawn by which file (src/terminal/doctor/page-fonts.ts reads it). Japanese is taken whole, because names of people
 * and clinics are drawn in it; of the others only what the catalogue's texts need.
 */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import decompress from 'woff2-encoder/decompress';
import { catalogueAt, catalogueBeforeMended } from '../../src/catalogue/load-catalogue.ts';
import { isWithin, licenceOf, type Slice, slicesOf, writeRanges } from './font-slices.ts';

/** Families, and the languages whose texts each is the first to draw; the Japanese one draws what is left. */
const families = [
  { family: 'Noto Sans JP', npm: '@fontsource-variable/noto-sans-jp', languages: [] },
  { family: 'Noto Sans SC', npm: '@fontsource-variable/noto-sans-sc', languages: ['zh-Hans'] },
  { family: 'Noto Sans TC', npm: '@fontsource-variable/noto-sans-tc', languages: ['zh-Hant'] },
  { family: 'Noto Sans KR', npm: '@fontsource-variable/noto-sans-kr', languages: ['ko'] },
  { family: 'Noto Sans Devanagari', npm: '@fontsource-variable/noto-sans-devanagari', languages: ['ne'] },
] as const;
/** Latin of the Devanagari font has other proportions than that of the Japanese one, which draws it everywhere else. */
const notAsked = /^noto-sans-devanagari-latin/;

const folder = process.argv[2];
if (folder === undefined) throw new Error('page-fonts: name the folder to write to');
const out = join(folder, 'fonts');
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

/** Of today's notice and of the last that is known of; the clock of a machine that is being set up may be wrong. */
const now = Math.max(Date.now(), Date.UTC(2026, 0));
// The words of before are shown where an agent knows no others.
const catalogues = [catalogueAt(now), catalogueAt(Date.UTC(9_999, 0)), catalogueBeforeMended(now)];
const codes = [...new Set(catalogues.flatMap(({ languages }) => Object.keys(languages)))];
const charactersOfLanguage = (code: string): Set<number> => {
  const texts = catalogues.flatMap(({ languages: { [code]: language } }) =>
    language === undefined ? [] : [language.name, ...Object.values(language.texts)],
  );
  return new Set(texts.flatMap((text) => [...text].map((character) => character.codePointAt(0) ?? 0)));
};

/** Of two slices with one character the later is asked, as by the browser. */
const asked = (slices: readonly Slice[], languages: readonly string[]): readonly Slice[] => {
  const wanted = new Set(
    languages
      .flatMap((code) => [...charactersOfLanguage(code)])
      .map((code) => slices.findLast(({ ranges }) => isWithin(ranges, code))),
  );
  return slices.filter((slice) => wanted.has(slice));
};

const sheet: string[] = [];
const drawnBy: Record<string, { file: string; sha256: string; ranges: string }[]> = {};
let bytes = 0;
for (const { family, npm, languages } of families) {
  const all = (await slicesOf(npm)).filter(({ name, ranges }) => ranges.length > 0 && !notAsked.test(name));
  const slices = languages.length === 0 ? all : asked(all, languages);
  writeFileSync(join(out, `${npm.split('/').at(-1)}-LICENSE.txt`), licenceOf(npm));
  drawnBy[family] = slices.map(({ path, name, ranges }) => {
    cpSync(path, join(out, name));
    const content = readFileSync(path);
    bytes += content.length;
    sheet.push(
      `@font-face{font-family:"${family}";font-weight:100 900;font-display:block;src:url(./${name}) format("woff2");unicode-range:${writeRanges(ranges)}}`,
    );
    return { file: name, sha256: createHash('sha256').update(content).digest('hex'), ranges: writeRanges(ranges) };
  });
}
/** やさしい日本語 is Japanese to a browser, too. */
const htmlLanguages = [...new Set(codes.map((code) => (code === 'ja-easy' ? 'ja' : code)))];
const stackOf = (language: string): readonly string[] => [
  ...families
    .filter(({ languages }) => (languages as readonly string[]).includes(language))
    .map(({ family }) => family),
  families[0].family,
];
const rule = (where: string, language: string): string =>
  `${where}{font-family:${stackOf(language)
    .map((family) => JSON.stringify(family))
    .join(',')}}`;
sheet.push(rule(':root', 'ja'), ...htmlLanguages.map((language) => rule(`:lang(${language})`, language)));
const manifest = {
  families: drawnBy,
  languages: Object.fromEntries(codes.map((code) => [code, stackOf(code)])),
};

// A browser wants one font of the system, if only to wait with while ours load. FONTCONFIG_FILE=…/fonts/fonts.conf gives
// it a part of ours and nothing of the machine's.
const [latin] = (await slicesOf(families[0].npm)).filter(({ name }) => /-latin-wght/.test(name));
if (latin === undefined) throw new Error('page-fonts: the Japanese font has no Latin slice');
writeFileSync(join(out, 'system.ttf'), await decompress(readFileSync(latin.path)));
writeFileSync(
  join(out, 'fonts.conf'),
  '<?xml version="1.0"?>\n<fontconfig><dir prefix="relative">.</dir><selectfont><acceptfont><glob>*/system.ttf</glob></acceptfont><rejectfont><glob>*</glob></rejectfont></selectfont></fontconfig>\n',
);
writeFileSync(join(out, 'fonts.css'), `${sheet.join('\n')}\n`);
writeFileSync(join(out, 'fonts.json'), `${JSON.stringify(manifest)}\n`);
process.stderr.write(`page-fonts: ${Object.values(drawnBy).flat().length} files, ${(bytes / 1e6).toFixed(1)} MB\n`);
