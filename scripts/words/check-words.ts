import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { readCatalogueFiles } from '../../src/catalogue/catalogue-files.ts';
import { catalogueAt, catalogueDir, changeInstants } from '../../src/catalogue/load-catalogue.ts';
import { backTranslationsSchema, glossarySchema, termsSchema } from '../../src/catalogue/words-schemas.ts';
import type { Catalogue, LanguageTexts } from '../../src/core/catalogue/catalogue.ts';
import { furiganaOf } from '../../src/core/screen/furigana.ts';
import { facilityKinds } from '../../src/wire/facility-settings.ts';

/** What is wrong with the words: in which file, of which text, and what is wanted instead. */
type Violation = {
  readonly check: 'back-translation' | 'blind' | 'glossary' | 'scope' | 'native' | 'reading';
  readonly file: string;
  readonly key: string;
  readonly wanted: string;
};

/** How few terms a glossary may have */
const fewestTerms = 40;

/** First letters of the SHA-256 of a text. */
export const textHash = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 16);

/** SHA-256 of all texts of a language: what a native reader signs for. */
export const textsHash = ({ texts }: Pick<LanguageTexts, 'texts'>): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(texts).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('base64url');

const families = [
  'consent pre-check-in subject specific-disease cost medical-subsidy registration',
  'pin pin-last-try choose-method promise',
  'failure outage card-pulled out-of-service staff-check certificate-notice',
].flatMap((each) => each.split(' '));
const choices = [
  'agree decline provide withhold one-by-one use do-not-use registration-yes registration-no confirm call-staff',
  'last-try-yes last-try-no use-pin use-face pre-check-in-change',
].flatMap((each) => each.split(' '));
const single = [
  'summary.provided summary.withheld referral-documents.heading referral-documents.lead still-there.heading',
  'still-there.lead waiting-prescriptions.heading waiting-prescriptions.lead prescription-form.heading',
  'prescription-form.lead card-left.heading card-left.lead desk.heading desk.portal desk.card-again',
].flatMap((each) => each.split(' '));

/** Texts of consents, PIN, refusals and failures: one that means something else would hurt. */
const needsBackTranslation = (key: string): boolean =>
  key !== 'consent.subject-item' &&
  (families.some((family) => key.startsWith(`${family}.`)) ||
    choices.some((choice) => key === `control.${choice}`) ||
    single.includes(key));

const readJson = <T>(schema: z.ZodType<T>, path: string): T | null =>
  existsSync(path) ? schema.parse(JSON.parse(readFileSync(path, 'utf8'))) : null;

export const backTranslationsOf = (language: string, dir: string = catalogueDir) =>
  readJson(backTranslationsSchema, join(dir, 'back-translations', `${language}.json`));

const backTranslationFaults = ({ language, texts }: LanguageTexts, dir: string): readonly Violation[] => {
  const file = `back-translations/${language}.json`;
  const found = backTranslationsOf(language, dir);
  const fault = (key: string, wanted: string): Violation => ({ check: 'back-translation', file, key, wanted });
  const wanted = Object.keys(texts).filter(needsBackTranslation);
  if (found === null) return [fault('*', `a back-translation of ${wanted.length} texts`)];
  const superfluous = Object.keys({ ...found.means, ...found.of }).filter((key) => !wanted.includes(key));
  return [
    ...superfluous.map((key) => fault(key, 'nothing: there is no such text')),
    ...wanted.flatMap((key) => {
      const text = texts[key] ?? '';
      if (found.means[key] === undefined) return [fault(key, `what 「${text}」 means, read by itself`)];
      const hash = textHash(text);
      return found.of[key] === hash ? [] : [fault(key, `what 「${text}」 means today; then of: ${hash}`)];
    }),
  ];
};

/** Japanese is what the others are compared with. */
const readBlind = (language: string): boolean => !language.startsWith('ja');

/** Whether what was read blind is the text of today, and each text that is another says since when. */
const blindFaults = ({ language, texts }: LanguageTexts, dir: string): readonly Violation[] => {
  const file = `back-translations/${language}.json`;
  const blind = backTranslationsOf(language, dir)?.blind;
  const fault = (key: string, wanted: string): Violation => ({ check: 'blind', file, key, wanted });
  const wanted = Object.keys(texts).filter(needsBackTranslation);
  if (blind === undefined) return readBlind(language) ? [fault('*', `${wanted.length} texts read blind`)] : [];
  const { means, of, changedSince } = blind;
  const superfluous = Object.keys({ ...means, ...of, ...changedSince }).filter((key) => !wanted.includes(key));
  return [
    ...superfluous.map((key) => fault(key, 'nothing: there is no such text')),
    ...wanted.flatMap((key) => {
      const isOfToday = means[key] !== undefined && of[key] === textHash(texts[key] ?? '');
      const since = changedSince[key];
      if (!isOfToday && since === undefined)
        return [fault(key, `the day in changedSince: 「${texts[key]}」 was not read blind`)];
      return isOfToday && since !== undefined ? [fault(key, 'no day in changedSince: it is the text read blind')] : [];
    }),
  ];
};

export const glossaryOf = (language: string, dir: string = catalogueDir) =>
  readJson(glossarySchema, join(dir, 'glossary', `${language}.json`));
const termsOf = (dir: string = catalogueDir) => readJson(termsSchema, join(dir, 'glossary', 'terms.json'))?.terms ?? {};

const glossaryFaults = (
  { language, texts }: LanguageTexts,
  japanese: LanguageTexts['texts'],
  dir: string,
): readonly Violation[] => {
  if (language === 'ja') return [];
  const file = `texts/${language}.json`;
  const terms = Object.entries(termsOf(dir));
  const glossary = glossaryOf(language, dir);
  const fault = (key: string, wanted: string, where = `glossary/${language}.json`): Violation => ({
    ...{ check: 'glossary', file: where, key, wanted },
  });
  if (glossary === null) return [fault('*', `a glossary of ${terms.length} terms`)];
  const unknown = Object.keys({ ...glossary.terms, ...glossary.without }).filter(
    (term) => !terms.some(([known]) => known === term),
  );
  const few = terms.length < fewestTerms ? [fault('*', `${fewestTerms} terms, not ${terms.length}`)] : [];
  return [
    ...few,
    ...unknown.map((term) => fault(term, 'nothing: terms.json has no such term')),
    ...terms.flatMap(([term, { ja, in: pattern }]) => {
      const known = glossary.terms[term];
      if (known === undefined) return [fault(term, `forms of ${ja}, and their source`)];
      const excused = glossary.without[term] ?? {};
      const said = Object.keys(japanese).filter((key) => new RegExp(pattern).test(japanese[key] ?? ''));
      const says = (key: string): boolean => {
        const text = (texts[key] ?? '').toLowerCase();
        return known.forms.some((form) => text.includes(form.toLowerCase()));
      };
      const sourceless =
        known.source !== null && glossary.sources[known.source] === undefined
          ? [fault(term, `the source ${known.source}`)]
          : [];
      const unsaid = said.length === 0 ? [fault(term, `a text that says ${ja}`, 'glossary/terms.json')] : [];
      return [
        ...sourceless,
        ...unsaid,
        ...said
          .filter((key) => !says(key) && excused[key] === undefined)
          .map((key) => fault(key, `${ja} as ${known.forms.join(' / ')}: 「${texts[key]}」`, file)),
        // An excuse that no text needs any more.
        ...Object.keys(excused)
          .filter((key) => !said.includes(key) || says(key))
          .map((key) => fault(`${term} ${key}`, 'no excuse: the text says the term, or need not')),
      ];
    }),
  ];
};

/** 「…など」: whoever else treats the patient. A consent that names one profession alone would be another consent. */
export const andOthers: Readonly<Record<string, RegExp>> = {
  ja: /など/,
  'ja-easy': /など/,
  en: /and other medical staff/,
  'zh-Hans': /等/,
  'zh-Hant': /等/,
  ko: /등/,
  vi: /và nhân viên y tế khác/,
  pt: /e outros profissionais de saúde/,
  tl: /at iba pang medical staff/,
  ne: /र अन्य स्वास्थ्यकर्मी/,
};

const scopeFaults = ({ language, texts }: LanguageTexts): readonly Violation[] =>
  ['consent.heading', 'consent.item-heading']
    .flatMap((heading) => facilityKinds.map((kind) => `${heading}.${kind}`))
    .filter((key) => andOthers[language]?.test(texts[key] ?? '') !== true)
    .map((key) => ({
      ...{ check: 'scope', file: `texts/${language}.json`, key },
      wanted: `who else treats the patient, by ${andOthers[language]?.source ?? 'a pattern in scripts/words/check-words.ts'}: 「${texts[key]}」`,
    }));

const nativeFaults = (texts: LanguageTexts, dir: string): readonly Violation[] => {
  if (texts.grade !== 'native') return [];
  const files = readCatalogueFiles(dir).texts.filter(({ language }) => language === texts.language);
  const hash = textsHash(texts);
  if (files.some(({ nativeReaders }) => nativeReaders.some((reader) => reader.textsHash === hash))) return [];
  const file = `texts/${texts.language}.json`;
  return [{ check: 'native', file, key: '*', wanted: `a native reader of the texts of today: textsHash ${hash}` }];
};

/**
 * The voice says the text of today, and each kanji of やさしい日本語 has its kana: a reading that is not that of its text is
 * one of before.
 */
const readingFaults = ({ language, texts, readings }: LanguageTexts): readonly Violation[] =>
  !language.startsWith('ja')
    ? []
    : Object.entries(texts)
        .filter(([key, text]) => /\p{Script=Han}/u.test(text) && furiganaOf(text, readings[key] ?? text) === null)
        .map(([key, text]) => ({
          ...{ check: 'reading', file: `texts/${language}.json`, key },
          wanted: `the kana of 「${text}」, not 「${readings[key] ?? 'none'}」: take them out of readings, npm run make-speech`,
        }));

export const checkWords = (catalogue: Catalogue, dir: string = catalogueDir): readonly Violation[] => {
  const languages = Object.values(catalogue.languages);
  const japanese = catalogue.languages.ja?.texts ?? {};
  return languages.flatMap((texts) => [
    // What nobody is offered need not be proved yet.
    ...(texts.grade === null ? [] : backTranslationFaults(texts, dir)),
    ...(texts.grade === null ? [] : blindFaults(texts, dir)),
    ...(texts.grade === null ? [] : scopeFaults(texts)),
    ...glossaryFaults(texts, japanese, dir),
    ...nativeFaults(texts, dir),
    ...readingFaults(texts),
  ]);
};

/** The catalogue of now, and each that a file to come will make of it. */
export const cataloguesToCheck = (nowMs: number, dir: string = catalogueDir): readonly Catalogue[] =>
  [nowMs, ...changeInstants(dir).filter((instant) => instant > nowMs)].map((atMs) => catalogueAt(atMs, dir));
