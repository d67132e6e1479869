/**
 * npm run catalogue -- check FILE: whether a notice's file holds together with the catalogue of this installation, and
 * what is still missing: languages, readings (読み), recorded speech. The last line is one JSON object; exit status 1
 * where the notice would be refused.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { readCatalogueFile } from '../../src/catalogue/catalogue-files.ts';
import { type Notice, noticeSchema } from '../../src/catalogue/catalogue-schemas.ts';
import { catalogueAt, catalogueDir } from '../../src/catalogue/load-catalogue.ts';
import type { Catalogue } from '../../src/core/catalogue/catalogue.ts';
import { spokenTexts } from '../generate/speech-texts.ts';

/** Texts whose kanji or particles a speech engine reads wrongly without kana: what `npm run make-speech` gives a reading. */
const needsReading = /\p{Script=Han}|[A-Za-z\d]|は|へ/u;
const spokenLanguages = ['ja', 'ja-easy'] as const;

type NoticeReport = {
  readonly file: string;
  readonly validFrom: string | null;
  /** Why it would be refused */
  readonly refused: readonly string[];
  /** language: keys whose Japanese text is changed and theirs is not */
  readonly untranslated: Readonly<Record<string, readonly string[]>>;
  readonly withoutReading: Readonly<Record<string, readonly string[]>>;
  /** Texts that will be said and have no recording */
  readonly withoutSpeech: Readonly<Record<string, number>>;
};

/** The catalogue's folder with a notice laid into it, as an update would. The caller removes it. */
export const catalogueWith = (file: string): string => {
  const dir = mkdtempSync(join(tmpdir(), 'uketsuke-notice-'));
  cpSync(catalogueDir, dir, { recursive: true, filter: (path) => !path.includes(`${catalogueDir}/speech`) });
  mkdirSync(join(dir, 'notices'), { recursive: true });
  copyFileSync(file, join(dir, 'notices', basename(file)));
  return dir;
};

const untranslatedOf = ({ texts }: Notice, languages: readonly string[]): NoticeReport['untranslated'] => {
  const keys = Object.keys(texts.ja ?? {});
  const missing = languages.map(
    (language) => [language, keys.filter((key) => texts[language]?.[key] === undefined)] as const,
  );
  return Object.fromEntries(missing.filter(([, each]) => each.length > 0));
};

const withoutSpeechOf = (catalogue: Catalogue): NoticeReport['withoutSpeech'] =>
  Object.fromEntries(
    spokenLanguages.map((language) => {
      const index = join(catalogueDir, 'speech', language, 'index.json');
      const { files } = existsSync(index)
        ? (JSON.parse(readFileSync(index, 'utf8')) as { files: Record<string, string> })
        : { files: {} };
      return [language, spokenTexts(catalogue, language).filter((text) => files[text] === undefined).length];
    }),
  );

/** What is missing of one file. Never throws for what the file says. */
export const checkNotice = (file: string): NoticeReport => {
  const read = readCatalogueFile(noticeSchema, file);
  const nothing = { file, validFrom: null, untranslated: {}, withoutReading: {}, withoutSpeech: {} };
  if ('unusable' in read) return { ...nothing, refused: [read.unusable.reason] };
  const notice = read.value;
  const validFrom = new Date(notice.validFrom).toISOString();
  const dir = catalogueWith(file);
  try {
    const catalogue = catalogueAt(notice.validFrom, dir);
    const refused = catalogue.refusedNotices.map(({ reason }) => reason);
    const languages = Object.keys(catalogue.languages);
    const withoutReading = spokenLanguages.map((language) => {
      const changed = Object.entries(notice.texts[language] ?? {});
      const unread = changed.filter(
        ([key, text]) => needsReading.test(text) && notice.readings[language]?.[key] === undefined,
      );
      return [language, unread.map(([key]) => key)] as const;
    });
    return {
      file,
      validFrom,
      refused,
      untranslated: untranslatedOf(notice, languages),
      withoutReading: Object.fromEntries(withoutReading.filter(([, keys]) => keys.length > 0)),
      withoutSpeech: refused.length > 0 ? {} : withoutSpeechOf(catalogue),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
};

if (process.argv[1] === import.meta.filename) {
  const [order, file] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  if (order !== 'check' || file === undefined) {
    process.stderr.write('usage: npm run catalogue -- check FILE\n');
    process.exit(2);
  }
  const report = checkNotice(file);
  const tell = (line: string): boolean => process.stderr.write(`${line}\n`);
  for (const reason of report.refused) tell(`refused: ${reason}`);
  for (const [language, keys] of Object.entries(report.untranslated))
    tell(`${language}: not translated: ${keys.join(', ')}`);
  for (const [language, keys] of Object.entries(report.withoutReading))
    tell(`${language}: no reading (読み): ${keys.join(', ')}`);
  for (const [language, count] of Object.entries(report.withoutSpeech))
    if (count > 0) tell(`${language}: ${count} spoken texts have no recording: npm run make-speech`);
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exit(report.refused.length === 0 ? 0 : 1);
}
