import type { Catalogue, FailureEntry, LanguageTexts, RefusedNotice } from '../core/catalogue/catalogue.ts';
import type { ConsentCatalogue } from '../core/catalogue/consent-catalogue.ts';
import { type FailureCode, failureRules } from '../core/failure.ts';
import { hourMs } from '../core/time-units.ts';
import { consentPrefixes } from '../protocol/oqs/oqs-xml-schema.ts';
import { type CatalogueFiles, catalogueDir, readCatalogueFiles } from './catalogue-files.ts';
import type { ConsentsOfNotice, MendedTexts, Notice } from './catalogue-schemas.ts';

export { catalogueDir } from './catalogue-files.ts';

/*
 * What an official notice may change, as files. A notice = a new file in notices/ (or a whole file beside an old one)
 * with the instant from which it holds; `catalogueAt` takes of each kind the newest that has begun. A notice that does
 * not hold together is refused as a whole and told: what held before goes on. Without anything before it the start stops
 * with a clear word.
 */

type Dated = { readonly validFrom: number };

const newest = <T extends Dated>(files: readonly T[], atMs: number, what: string): T => {
  const begun = files.filter((file) => file.validFrom <= atMs).sort((a, b) => b.validFrom - a.validFrom)[0];
  if (begun === undefined) throw new Error(`no ${what} of the catalogue holds at ${new Date(atMs).toISOString()}`);
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

const placeholders = (text: string): string => [...new Set(text.match(/\{[a-z]+\}/g))].sort().join();

/** What is missing or wrong between texts and consents, in words. Empty: every question has a name in every language. */
const faultsOfTexts = (languages: readonly LanguageTexts[], consents: ConsentCatalogue): readonly string[] => {
  const japanese = languages.find(({ language }) => language === 'ja');
  if (japanese === undefined) return ['the catalogue has no Japanese texts'];
  const subjects = [...new Set(consents.questions.flatMap((question) => Object.values(question.subjects)))];
  const nameless = subjects
    .filter((subject) => ['', '.note'].some((part) => japanese.texts[`subject.${subject}${part}`] === undefined))
    .map((subject) => `no text names the consent subject ${subject}`);
  const incomplete = languages.flatMap(({ language, texts, readings }) => {
    const keys = [...new Set([...Object.keys(japanese.texts), ...Object.keys(texts)])];
    const wrong = keys.filter((key) => {
      const [original, translated] = [japanese.texts[key], texts[key]];
      return original === undefined || translated === undefined || placeholders(original) !== placeholders(translated);
    });
    const misread = Object.entries(readings).filter(
      ([key, reading]) => placeholders(reading) !== placeholders(texts[key] ?? ''),
    );
    return [
      ...wrong.map(
        (key) => `texts/${language}: ${key} is missing, superfluous, or has other placeholders than in Japanese`,
      ),
      ...misread.map(([key]) => `texts/${language}: the reading of ${key} has other placeholders than its text`),
    ];
  });
  return [...nameless, ...incomplete];
};

/** The layout's prefixes with those that the notice declares, each at its place. */
const prefixesOf = ({ prefixes }: ConsentsOfNotice): readonly string[] =>
  prefixes.reduce<string[]>(
    (known, { name, after }) => known.toSpliced(known.indexOf(after) + 1, 0, name),
    [...consentPrefixes],
  );

type TextsFile = CatalogueFiles['texts'][number];
type Change = Notice | MendedTexts;

/** `changes`: notices and mended texts that hold, oldest first */
const languageOf = ({ language, name, grade, texts, readings }: TextsFile, changes: readonly Change[]) => {
  const withdrawn = new Set(changes.flatMap((change) => ('withdrawnTexts' in change ? change.withdrawnTexts : [])));
  const changed = Object.assign({}, ...changes.map((change) => change.texts[language] ?? {})) as Record<string, string>;
  const spoken = Object.assign({}, ...changes.map((change) => change.readings[language] ?? {})) as typeof changed;
  const regraded = changes.findLast((change): change is MendedTexts => 'grades' in change && language in change.grades);
  // The old reading of a text that a notice changed would say the old words.
  const kept = Object.entries(readings).filter(([key]) => changed[key] === undefined && !withdrawn.has(key));
  return {
    language,
    name,
    grade: regraded === undefined ? grade : (regraded.grades[language] ?? null),
    texts: Object.fromEntries(Object.entries({ ...texts, ...changed }).filter(([key]) => !withdrawn.has(key))),
    readings: { ...Object.fromEntries(kept), ...spoken },
  };
};

type Parts = Omit<CatalogueFiles, 'unusable'>;

/** What a set of files comes to at an instant. Throws with everything that is missing. */
const compose = (files: Parts, atMs: number): Omit<Catalogue, 'refusedNotices' | 'nextChangeMs'> => {
  const consents = newest(files.consents, atMs, 'consents');
  const kinds = newest(files.kinds, atMs, 'kinds of facilities');
  const failures = newest(files.failures, atMs, 'failure texts');
  const desk = newest(files.desk, atMs, 'order at the desk');
  const shares = newest(files.shares, atMs, 'rules of 利用率');
  const texts = Object.values(Object.groupBy(files.texts, ({ language }) => language)).flatMap((each = []) =>
    each.some(({ validFrom }) => validFrom <= atMs) ? [newest(each, atMs, 'texts')] : [],
  );
  const notices = files.notices.filter(({ validFrom }) => validFrom <= atMs).sort((a, b) => a.validFrom - b.validFrom);
  /** A notice changes what held before it; a whole file of a later day already holds it. */
  const after = ({ validFrom }: Dated): readonly Notice[] => notices.filter((notice) => notice.validFrom >= validFrom);
  const mended = files.mended.filter(({ validFrom }) => validFrom <= atMs);
  const changes: readonly Change[] = [...notices, ...mended].sort((a, b) => a.validFrom - b.validFrom);

  const consentsNow = after(consents).findLast((notice) => notice.consents !== undefined)?.consents ?? consents;
  const kindsNow = after(kinds).findLast((notice) => notice.kinds !== undefined)?.kinds ?? kinds.kinds;
  const languages = texts.map((file) =>
    languageOf(
      file,
      changes.filter(({ validFrom }) => validFrom >= file.validFrom),
    ),
  );
  const textVersion = [...texts, ...mended]
    .map(({ version }) => version)
    .sort()
    .at(-1);
  const { validityMs, items, questions } = consentsNow;
  const all: ConsentCatalogue = {
    version: consentsNow === consents ? consents.version : (notices.at(-1)?.version ?? consents.version),
    validityMs,
    items,
    questions,
    prefixes: prefixesOf(consentsNow),
    kinds: kindsNow,
  };
  const faults = faultsOfTexts(languages, all);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return {
    version: [`${consents.version}+${textVersion}`, ...notices.slice(-1).map(({ version }) => version)].join('+'),
    consents: all,
    languages: Object.fromEntries(languages.map((each) => [each.language, each])),
    failures: completeFailures(
      Object.assign({}, failures.failures, ...after(failures).map((notice) => notice.failures)) as Record<
        string,
        FailureEntry
      >,
    ),
    parties: failures.parties,
    notices:
      after(failures).findLast(({ noticeNumbers }) => noticeNumbers !== undefined)?.noticeNumbers ?? failures.notices,
    desk: after(desk).findLast((notice) => notice.desk !== undefined)?.desk ?? desk.order,
    shares: [...shares.rules, ...after(shares).flatMap((notice) => notice.shares)],
    grants: newest(files.grants, atMs, 'grants').grants,
    maintenance: files.maintenance.map((window) => ({
      hits: window.hits,
      areas: window.areas,
      fromMs: window.from,
      untilMs: window.until,
      announceMs: window.announceHours * hourMs,
    })),
  };
};

const datedKinds = ['consents', 'kinds', 'failures', 'texts', 'mended', 'desk', 'shares', 'grants', 'notices'] as const;
/** Kinds that change what another says: nothing is missing while none has begun. */
const amending: readonly string[] = ['mended', 'notices'];

const dated = (files: Parts): readonly Dated[] => datedKinds.flatMap((kind) => [...files[kind]]);

/** The files without everything that begins at one instant: a notice is refused whole or not at all. */
const without = (files: Parts, instants: ReadonlySet<number>): Parts => {
  const kept = datedKinds.map((kind) => [
    kind,
    (files[kind] as readonly Dated[]).filter(({ validFrom }) => !instants.has(validFrom)),
  ]);
  return { ...files, ...(Object.fromEntries(kept) as Pick<Parts, (typeof datedKinds)[number]>) };
};

const hold = (files: CatalogueFiles, atMs: number): Omit<Catalogue, 'nextChangeMs'> => {
  const refused: RefusedNotice[] = files.unusable.map(({ file, reason, validFrom }) => ({
    validFromMs: validFrom,
    reason: `catalogue file ${file}: ${reason}`,
  }));
  const instants = new Set(refused.flatMap(({ validFromMs }) => (validFromMs === null ? [] : [validFromMs])));
  let first: Error | null = null;
  for (;;) {
    const remaining = without(files, instants);
    try {
      return { ...compose(remaining, atMs), refusedNotices: refused };
    } catch (error) {
      first ??= error as Error;
      const begun = dated(remaining).filter(({ validFrom }) => validFrom <= atMs);
      // Nothing to fall back on.
      if (begun.length === 0) throw new Error([...refused.map(({ reason }) => reason), first.message].join('\n'));
      const newestMs = Math.max(...begun.map(({ validFrom }) => validFrom));
      instants.add(newestMs);
      refused.push({ validFromMs: newestMs, reason: (error as Error).message });
    }
  }
};

/** Files are read once: they are laid in with an update, long before the day on which they begin to hold. */
const loaded = new Map<string, CatalogueFiles>();
const held = new Map<string, Catalogue>();

const filesOf = (dir: string): CatalogueFiles => {
  const files = loaded.get(dir) ?? readCatalogueFiles(dir);
  loaded.set(dir, files);
  return files;
};

const instantsOf = new Map<string, readonly number[]>();

/** The instants at which something begins to hold, in order. ms since 1970 UTC */
export const changeInstants = (dir: string = catalogueDir): readonly number[] => {
  const known = instantsOf.get(dir);
  if (known !== undefined) return known;
  const instants = [...new Set(dated(filesOf(dir)).map(({ validFrom }) => validFrom))].sort((a, b) => a - b);
  instantsOf.set(dir, instants);
  return instants;
};

const wholeFrom = new Map<string, number>();

/** From when on something holds of every kind of file. ms since 1970 UTC */
const firstWholeMs = (dir: string): number => {
  const known = wholeFrom.get(dir);
  if (known !== undefined) return known;
  const files = filesOf(dir);
  const firsts = datedKinds
    .filter((kind) => !amending.includes(kind) && files[kind].length > 0)
    .map((kind) => Math.min(...files[kind].map(({ validFrom }) => validFrom)));
  const firstMs = Math.max(...firsts);
  wholeFrom.set(dir, firstMs);
  return firstMs;
};

/** `words`: with the mended texts, or as it was before them */
const heldAt = (askedMs: number, dir: string, words: 'mended' | 'before'): Catalogue => {
  // Before the first files began, which is where a clock without a battery stands, the first hold.
  const atMs = Math.max(askedMs, firstWholeMs(dir));
  const instants = changeInstants(dir);
  const begun = instants.findLast((instant) => instant <= atMs);
  const name = `${dir} ${words} ${begun}`;
  const known = held.get(name);
  if (known !== undefined) return known;
  const nextChangeMs = instants.find((instant) => instant > atMs) ?? Number.POSITIVE_INFINITY;
  const all = filesOf(dir);
  const files = words === 'mended' ? all : { ...all, mended: [] };
  const catalogue = { ...hold(files, atMs), nextChangeMs };
  held.set(name, catalogue);
  return catalogue;
};

/**
 * The catalogue as it holds at an instant (ms since 1970 UTC): the same object until something changes. Throws when
 * files are missing or wrong and nothing older holds.
 */
export const catalogueAt = (askedMs: number, dir: string = catalogueDir): Catalogue => heldAt(askedMs, dir, 'mended');

/**
 * The same without mended texts, for a terminal whose agent is of a release before them: it would refuse a consent to
 * words that it does not know. A language whose grade rests on them is not offered then.
 */
export const catalogueBeforeMended = (askedMs: number, dir: string = catalogueDir): Catalogue =>
  heldAt(askedMs, dir, 'before');

/** The catalogue that a request or a consent names, whenever it held; undefined: none of these files ever came to it. */
export const catalogueOfVersion = (version: string, dir: string = catalogueDir): Catalogue | undefined =>
  changeInstants(dir)
    .flatMap((atMs) => {
      try {
        return [catalogueBeforeMended(atMs, dir), catalogueAt(atMs, dir)];
      } catch {
        return [];
      }
    })
    .findLast((catalogue) => catalogue.version === version);

/** What is refused now, or would be on its day: told while there is time to mend it. */
export const refusedNotices = (wallMs: number, dir: string = catalogueDir): readonly string[] => [
  ...new Set(
    [wallMs, ...changeInstants(dir).filter((instant) => instant > wallMs)].flatMap((atMs) =>
      catalogueAt(atMs, dir).refusedNotices.map(({ reason }) => `catalogue.notice-refused: ${reason}`),
    ),
  ),
];
