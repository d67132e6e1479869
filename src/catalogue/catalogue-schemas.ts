import { z } from 'zod';
import { textGrades } from '../core/catalogue/catalogue.ts';
import { hitBy, renewalStates, validityCases } from '../core/catalogue/desk-order.ts';
import { parties } from '../core/party.ts';
import { consentPrefixes, specificDiseasesPrefix } from '../protocol/oqs/oqs-xml-schema.ts';
import { facilityKinds } from '../wire/facility-settings.ts';
import { consentCode } from '../wire/messages.ts';

/* The forms of the catalogue's files. A file that breaks its form is named with the place of the mistake. */

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const sentence = z.string().min(1);
const version = z.string().max(40);
const dated = { version, validFrom: instant };

/** Prefixes that the layout of the files for the レセコン knows; a notice may declare more. */
const knownPrefixes: readonly string[] = [...consentPrefixes, specificDiseasesPrefix];

const prefix = z.string().regex(/^[A-Z][A-Za-z]{2,60}$/);

const consentsShape = {
  validityMs: z.number().int().positive(),
  /** XML prefixes that came with this notice: after which one they stand in the file */
  prefixes: z.array(z.strictObject({ name: prefix, after: prefix })).default([]),
  items: z
    .array(
      z.strictObject({
        code: consentCode,
        officialName: sentence,
        carries: z.array(prefix).min(1),
        facilityDefault: z.boolean(),
      }),
    )
    .min(1),
  questions: z.array(
    z.strictObject({
      id: sentence,
      screen: z.enum(['consent', 'specific-disease']),
      codes: z.array(consentCode).min(1),
      bundled: z.boolean(),
      subjects: z.record(z.string(), sentence),
    }),
  ),
};

export type ConsentsOfNotice = z.infer<z.ZodObject<typeof consentsShape>>;

/** What one notice says of the consents must hold together. The text names what is missing. */
const checkConsents = ({ items, questions, prefixes }: ConsentsOfNotice, issue: (message: string) => void): void => {
  const codes = items.map(({ code }) => code);
  for (const code of codes.filter((each, index) => codes.indexOf(each) !== index)) issue(`${code} stands twice`);
  for (const { id, codes: asked } of questions)
    for (const code of asked.filter((each) => !codes.includes(each)))
      issue(`question ${id} asks for code ${code}, which is no item`);
  const declared = prefixes.map(({ name }) => name);
  for (const { name, after } of prefixes) {
    if (consentPrefixes.includes(name as never)) issue(`prefix ${name} is declared though the layout has it`);
    if (![...consentPrefixes, ...declared].includes(after as never)) issue(`prefix ${name} stands after no known one`);
  }
  const carriers = new Map<string, string>();
  for (const { code, carries } of items)
    for (const each of carries) {
      if (!knownPrefixes.includes(each) && !declared.includes(each))
        issue(`${code} carries ${each}, which is neither known nor declared`);
      if (carriers.has(each)) issue(`${each} is carried by ${carriers.get(each)} and ${code}`);
      carriers.set(each, code);
    }
};

const holdsTogether = (consents: ConsentsOfNotice, context: z.RefinementCtx): void =>
  checkConsents(consents, (message) => void context.addIssue({ code: 'custom', message }));

export const consentsSchema = z
  .strictObject({
    ...dated,
    basis: sentence,
    ...consentsShape,
    /** What the field knows of and nobody may fill in by guessing */
    unknown: z.array(sentence),
  })
  .superRefine(holdsTogether);

const kindsShape = z.record(
  z.enum(facilityKinds),
  z.strictObject({
    officialName: sentence,
    asks: z.record(consentCode, z.boolean()),
    order: z.array(sentence),
    prescriptionForm: z.boolean(),
    pendingDocuments: z.enum(['referrals', 'prescriptions']),
    defaults: z.strictObject({
      medicalSubsidy: z.boolean(),
      prescriptionUse: z.number().int().min(0).max(9),
      prescriptionTiming: z.number().int().min(0).max(9),
      referralDocuments: z.boolean(),
    }),
  }),
);

export const kindsSchema = z.strictObject({ ...dated, basis: sentence, kinds: kindsShape, unknown: z.array(sentence) });

const textsOf = z.record(z.string(), sentence);
const languageCode = z.string().regex(/^[a-z]{2}(-[A-Za-z]+)?$/);

/**
 * How far the texts of a language have been proved. `backTranslated`: what asks for a consent or a PIN, may be refused or
 * tells of a failure was put back into Japanese or English from the text alone (words/back-translations), and meant the
 * same. `native`: a person who grew up with the language has read all of it. null: neither, so it is not offered.
 */
const grade = z.enum(textGrades).nullable();

/** Who has read a language's texts, when, and which: SHA-256 of them all (scripts/words/text-hash.ts). */
const nativeReader = z.strictObject({ name: sentence, date: z.iso.date(), textsHash: z.string().length(43) });

export const textsSchema = z
  .strictObject({
    language: languageCode,
    name: sentence,
    ...dated,
    grade,
    gradeNote: sentence,
    nativeReaders: z.array(nativeReader).default([]),
    texts: textsOf,
    readings: textsOf,
  })
  .refine(
    ({ grade: said, nativeReaders }) => said !== 'native' || nativeReaders.length > 0,
    'native, and read by nobody',
  );

/**
 * Words of consents that were mended, from a day on. Unlike a notice it changes nothing of what is asked, so terminals that
 * do not have it yet go on with the words of before, and their agent goes on knowing them (released/).
 */
export const mendedTextsSchema = z.strictObject({
  ...dated,
  reason: sentence,
  texts: z.record(languageCode, textsOf),
  readings: z.record(languageCode, textsOf).default({}),
  /** Of the languages whose grade changes with it */
  grades: z.record(languageCode, grade).default({}),
});
export type MendedTexts = z.infer<typeof mendedTextsSchema>;

const noticeNumbers = z.array(z.strictObject({ number: z.string().regex(/^\d{3}$/), name: sentence.nullable() }));
const failureEntry = z.strictObject({
  notice: z
    .string()
    .regex(/^【\d{3}:.+】$/)
    .nullable(),
  patientText: z.string().regex(/^[a-z-]+$/),
  staff: z.strictObject({ summary: sentence, cause: z.string(), steps: z.array(sentence) }),
  technician: z.strictObject({ cause: sentence, steps: z.array(sentence).min(1) }),
});

export const failuresSchema = z.strictObject({
  ...dated,
  notices: noticeNumbers,
  parties: z.record(z.enum([...parties, 'not-known-yet']), z.strictObject({ name: sentence, call: sentence })),
  failures: z.record(z.string(), failureEntry),
});

const day = z.iso.date();
const shareRules = z.array(
  z.strictObject({
    from: day,
    until: day.optional(),
    addition: sentence,
    formula: z.enum(['uses-per-confirmation', 'people-per-receipt']),
    levels: z
      .array(z.strictObject({ name: sentence, percent: z.number().min(0).max(100), points: sentence.optional() }))
      .min(1),
    note: sentence.optional(),
    source: sentence,
  }),
);
export const sharesSchema = z.strictObject({ ...dated, rules: shareRules.min(1) });

const deskOrder = z.strictObject({
  steps: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[a-z-]+$/),
        needs: z.enum(['nothing', 'home-consent', 'qualification-app', 'national-outage']),
        name: sentence,
        text: sentence,
      }),
    )
    .min(1),
  never: sentence,
  say: sentence,
  contacts: z.array(z.strictObject({ name: sentence, number: z.string().regex(/^[\d-]+$/), hours: sentence })),
  emergencyItems: z.array(sentence).min(1),
  renewal: z.strictObject({
    place: sentence,
    placeNote: sentence,
    bring: z.array(sentence).min(1),
    states: z.record(
      z.enum(renewalStates),
      z.strictObject({
        name: sentence,
        title: sentence,
        deadline: sentence,
        openDeadline: sentence,
        today: sentence,
        next: sentence,
      }),
    ),
  }),
  outages: z.record(z.enum(hitBy), z.strictObject({ name: sentence, text: sentence })),
  validity: z.record(z.enum(validityCases), z.strictObject({ name: sentence, next: z.string() })),
  source: sentence,
});
export const deskSchema = z.strictObject({ ...dated, order: deskOrder });

const yen = z.number().int().min(0);
const lumpSumTable = z
  .strictObject({
    steps: z.array(z.number().int().positive()).min(1),
    rows: z.array(z.strictObject({ below: z.number().positive().nullable(), yen: z.array(yen) })).min(1),
    ordinaryFrom: z.array(z.number().int().min(0)).optional(),
  })
  .refine(({ steps, rows }) => rows.every((row) => row.yen.length === steps.length), 'a cell for each step');
const readersOfSteps = z.array(z.number().int().min(0).max(3));
const month = z.string().regex(/^\d{4}-\d{2}$/);
export const grantsSchema = z.strictObject({
  ...dated,
  grants: z.strictObject({
    readers: z.strictObject({
      months: z.strictObject({ from: month, until: month }),
      appliedUntil: day,
      capYen: z.array(yen).length(3),
      useSteps: z.array(z.number().int().positive()),
      clinic: readersOfSteps,
      hospital: z.record(z.string(), readersOfSteps),
      source: sentence,
    }),
    lumpSums: z.record(
      z.string(),
      z.strictObject({
        name: sentence,
        period: z.strictObject({ from: day, until: day }),
        reportUntil: day,
        conditions: z.array(sentence),
        clinic: lumpSumTable,
        hospital: lumpSumTable,
        small: lumpSumTable,
        source: sentence,
      }),
    ),
  }),
});

/**
 * One official notice in one file: whatever of the above it changes. Consents and kinds stand whole; texts, readings and
 * failure texts stand for themselves and leave the others as they were; `withdrawnTexts` are no longer needed.
 */
export const noticeSchema = z.strictObject({
  version: z.string().regex(/^\d{4}-\d{2}-\d{2}(\.\d)?$/),
  validFrom: instant,
  source: z.strictObject({ title: sentence, publisher: sentence, date: z.iso.date() }),
  consents: z.strictObject(consentsShape).superRefine(holdsTogether).optional(),
  kinds: kindsShape.optional(),
  texts: z.record(z.string(), z.record(z.string(), sentence)).default({}),
  readings: z.record(z.string(), z.record(z.string(), sentence)).default({}),
  withdrawnTexts: z.array(sentence).default([]),
  noticeNumbers: noticeNumbers.optional(),
  failures: z.record(z.string(), failureEntry).default({}),
  /** Added to the rules known so far */
  shares: shareRules.default([]),
  desk: deskOrder.optional(),
});
export type Notice = z.infer<typeof noticeSchema>;

export const maintenanceSchema = z.strictObject({
  version,
  windows: z.array(
    z
      .strictObject({
        hits: z.enum(hitBy).default('everyone'),
        areas: z.array(z.string().regex(/^\d{2}$/)),
        from: instant,
        until: instant,
        announceHours: z.number().positive(),
      })
      .refine((window) => window.from < window.until, 'a maintenance window ends after it begins'),
  ),
});
