import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Catalogue, FailureEntry, LanguageTexts } from '../core/catalogue/catalogue.ts';
import type { ConsentCatalogue } from '../core/catalogue/consent-catalogue.ts';
import { type FailureCode, failureRules } from '../core/failure.ts';
import { consentCodes } from '../wire/messages.ts';

/*
 * What an official notice may change, as files. A notice = a new file with the instant from which it holds, beside the
 * old one; `catalogueAt` takes of each kind the newest that has begun. Bad files stop the start with a clear word.
 */

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const sentence = z.string().min(1);

const consentsSchema = z.strictObject({
  version: z.string().max(40),
  validFrom: instant,
  basis: sentence,
  validityMs: z.number().int().positive(),
  items: z.array(
    z.strictObject({
      code: z.enum(consentCodes),
      officialName: sentence,
      carries: z.array(sentence).min(1),
      setting: z.enum(['askTKK', 'askYZK', 'askSRJ', 'askSHJ', 'askTSR']),
      facilityDefault: z.boolean(),
    }),
  ),
  questions: z.array(
    z.strictObject({
      id: sentence,
      screen: z.enum(['consent', 'specific-disease']),
      codes: z.array(z.enum(consentCodes)).min(1),
      bundled: z.boolean(),
      subjects: z.record(z.string(), sentence),
    }),
  ),
  /** What the field knows of and nobody may fill in by guessing */
  unknown: z.array(sentence),
});

const textsSchema = z.strictObject({
  language: z.string().regex(/^[a-z]{2}(-[A-Za-z]+)?$/),
  name: sentence,
  version: z.string().max(40),
  validFrom: instant,
  reviewed: z.boolean(),
  reviewNote: sentence,
  texts: z.record(z.string(), sentence),
  readings: z.record(z.string(), sentence),
});

const failuresSchema = z.strictObject({
  version: z.string().max(40),
  validFrom: instant,
  notices: z.array(z.strictObject({ number: z.string().regex(/^\d{3}$/), name: sentence.nullable() })),
  failures: z.record(
    z.string(),
    z.strictObject({
      notice: z
        .string()
        .regex(/^【\d{3}:.+】$/)
        .nullable(),
      patientText: z.string().regex(/^[a-z-]+$/),
      staff: z.strictObject({ summary: sentence, cause: z.string(), steps: z.array(sentence).min(1) }),
      technician: z.strictObject({ cause: sentence, steps: z.array(sentence).min(1) }),
    }),
  ),
});

const maintenanceSchema = z.strictObject({
  version: z.string().max(40),
  windows: z.array(
    z
      .strictObject({
        areas: z.array(z.string().regex(/^\d{2}$/)),
        from: instant,
        until: instant,
        announceHours: z.number().positive(),
      })
      .refine((window) => window.from < window.until, 'a maintenance window ends after it begins'),
  ),
});

/** Where the files lie unless told otherwise: beside this one. */
export const catalogueDir = import.meta.dirname;

const read = <T>(schema: z.ZodType<T>, path: string): T => {
  const parsed = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new Error(`catalogue file ${path}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
};

const readAll = <T>(schema: z.ZodType<T>, dir: string): readonly T[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => read(schema, join(dir, name)));

/** The newest that has begun. Before the first one began, which is where a clock without a battery stands, the first. */
const newest = <T extends { validFrom: number }>(files: readonly T[], atMs: number, what: string): T => {
  const sorted = [...files].sort((a, b) => b.validFrom - a.validFrom);
  const begun = sorted.find((file) => file.validFrom <= atMs) ?? sorted.at(-1);
  if (begun === undefined) throw new Error(`the catalogue has no ${what}`);
  return begun;
};

/** A failure that has no texts of its own is told in general words; a test keeps the file complete. */
const generalEntry = (code: FailureCode): FailureEntry => ({
  notice: null,
  patientText: 'device',
  staff: { summary: code, cause: '', steps: [code] },
  technician: { cause: code, steps: ['uketsuke doctor'] },
});

const completeFailures = (failures: Record<string, FailureEntry>): Record<FailureCode, FailureEntry> => {
  const codes = Object.keys(failureRules) as FailureCode[];
  return Object.fromEntries(codes.map((code) => [code, failures[code] ?? generalEntry(code)])) as Record<
    FailureCode,
    FailureEntry
  >;
};

/** Every question has a name in every language, each language every text of the Japanese file with its placeholders. */
const checkTexts = (languages: readonly LanguageTexts[], consents: ConsentCatalogue): void => {
  const placeholders = (text: string): string => [...new Set(text.match(/\{[a-z]+\}/g))].sort().join();
  const japanese = languages.find(({ language }) => language === 'ja');
  if (japanese === undefined) throw new Error('the catalogue has no Japanese texts');
  const subjects = consents.questions.flatMap((question) => Object.values(question.subjects));
  for (const subject of subjects)
    if (japanese.texts[`subject.${subject}`] === undefined || japanese.texts[`subject.${subject}.note`] === undefined)
      throw new Error(`no text names the consent subject ${subject}`);
  for (const { language, texts, readings } of languages) {
    const keys = new Set([...Object.keys(japanese.texts), ...Object.keys(texts)]);
    for (const key of keys) {
      const [original, translated] = [japanese.texts[key], texts[key]];
      if (original === undefined || translated === undefined || placeholders(original) !== placeholders(translated))
        throw new Error(
          `texts/${language}: ${key} is missing, superfluous, or has other placeholders than in Japanese`,
        );
    }
    for (const [key, reading] of Object.entries(readings))
      if (placeholders(reading) !== placeholders(texts[key] ?? ''))
        throw new Error(`texts/${language}: the reading of ${key} has other placeholders than its text`);
  }
};

const load = (dir: string) => ({
  consents: readAll(consentsSchema, join(dir, 'consents')),
  failures: readAll(failuresSchema, join(dir, 'failures')),
  texts: readAll(textsSchema, join(dir, 'texts')),
  maintenance: readAll(maintenanceSchema, join(dir, 'maintenance')).flatMap(({ windows }) => windows),
});

/** Files are read once; a new notice comes with a new version of the software and a restart. */
const loaded = new Map<string, ReturnType<typeof load>>();
const held = new Map<string, Catalogue>();

/** The catalogue as it holds at an instant (ms since 1970 UTC). Throws when a file is missing or wrong, never for a date. */
export const catalogueAt = (atMs: number, dir: string = catalogueDir): Catalogue => {
  const files = loaded.get(dir) ?? load(dir);
  loaded.set(dir, files);
  const { validFrom: begun, basis: _basis, unknown: _unknown, ...consents } = newest(files.consents, atMs, 'consents');
  const failures = newest(files.failures, atMs, 'failure texts');
  const firstTextsMs = Math.min(...files.texts.map(({ validFrom }) => validFrom));
  const texts = Object.values(Object.groupBy(files.texts, ({ language }) => language)).flatMap((each = []) =>
    each.some(({ validFrom }) => validFrom <= Math.max(atMs, firstTextsMs)) ? [newest(each, atMs, 'texts')] : [],
  );
  const name = [dir, begun, failures.validFrom, ...texts.map(({ validFrom }) => validFrom)].join(' ');
  const known = held.get(name);
  if (known !== undefined) return known;
  const languages = texts.map(({ language, name, reviewed, texts, readings }) => ({
    language,
    name,
    reviewed,
    texts,
    readings,
  }));
  checkTexts(languages, consents);
  const catalogue: Catalogue = {
    version: `${consents.version}+${texts
      .map(({ version }) => version)
      .sort()
      .at(-1)}`,
    consents,
    languages: Object.fromEntries(languages.map((each) => [each.language, each])),
    failures: completeFailures(failures.failures),
    notices: failures.notices,
    maintenance: files.maintenance.map((window) => ({
      areas: window.areas,
      fromMs: window.from,
      untilMs: window.until,
      announceMs: window.announceHours * 3_600_000,
    })),
  };
  held.set(name, catalogue);
  return catalogue;
};
