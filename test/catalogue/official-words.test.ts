import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { catalogueAt, catalogueBeforeMended } from '../../src/catalogue/load-catalogue.ts';
import type { Catalogue } from '../../src/core/catalogue/catalogue.ts';

const { languages, failures } = catalogueAt(Date.parse('2026-12-01T00:00:00Z'));
const textOf = (language: string, key: string): string => languages[language]?.texts[key] ?? '';

test('a locked PIN can be unlocked in two places: town hall, or a convenience store with the signature password', () => {
  expect(textOf('ja', 'failure.pin-blocked')).toMatch(/市区町村の窓口、またはコンビニ（署名用の暗証番号/);
  expect(textOf('en', 'failure.pin-blocked')).toMatch(
    /municipal office, or at a convenience store .*signature password/,
  );
  expect(failures['card.pin-blocked'].staff.cause).toMatch(/市区町村の窓口、またはコンビニ/);
  for (const [language, { texts }] of Object.entries(languages)) {
    // Longer by the second place than the words of one alone.
    expect(texts['failure.pin-blocked']?.length, language).toBeGreaterThan((texts['pin.wrong'] ?? '').length + 15);
    expect(texts['pin-last-try.lead'], language).not.toMatch(
      /市区町村|市役所|municipal office|市區町村|시구정촌|prefeitura|munisipyo|tòa thị chính|नगरपालिका/,
    );
  }
});

test('a phone’s PIN is another than the card’s: it is unlocked in the マイナポータル app, and the card still serves', () => {
  const { cause, steps } = failures['card.phone-pin-blocked'].staff;
  expect(cause).toMatch(/カードの暗証番号とは別.*マイナポータルアプリ/);
  expect(steps.join(' ')).toMatch(/マイナンバーカードを置いて.*@desk/);
  const town = /市区町村|市役所|town hall|市區町村|시구정촌|prefeitura|munisipyo|tòa thị chính|नगरपालिका/;
  for (const [language, { texts }] of Object.entries(languages)) {
    for (const key of ['failure.phone-pin-blocked', 'failure.phone-certificate']) {
      expect(texts[key], language).toMatch(/マイナポータル|Mynaportal|마이나포털/);
      expect(texts[key], language).not.toMatch(town);
    }
    expect(texts['phone-pin.lead'], language).not.toBe(texts['pin.lead']);
  }
});

test('the application is for the first time only, never said to be once in a lifetime', () => {
  expect(textOf('ja', 'registration.lead')).toContain('初回だけ');
  for (const { texts } of Object.values(languages))
    expect(texts['registration.lead']).not.toMatch(/一生|in your life|평생|जीवनमा|na vida|sa buhay|trong đời/);
});

const releasedWords = 'e101d01cc5e9919435c8b4e57e53bb23017890071b849def5d5e0e59bc34e887';

const consentWords = (catalogue: Catalogue): string => {
  const shown = Object.values(catalogue.languages).map(({ language, texts }) => [
    language,
    ...Object.entries(texts)
      .filter(([key]) => /^(consent|subject|specific-disease)\./.test(key) && !key.endsWith('.visiting-nurse'))
      .map(([key, text]) => `${key}=${text}`)
      .sort(),
    ...['agree', 'decline', 'provide', 'withhold'].map((name) => texts[`control.${name}`]),
  ]);
  return createHash('sha256').update(JSON.stringify(shown)).digest('hex');
};

/*
 * A terminal that was not updated yet names the version of its own files, and its agent must know the texts behind it.
 * So what a consent question shows is never changed in place: it is mended from a day on (src/catalogue/mended-texts), by
 * terminals whose agent knows the mended words alone. (Other texts may be changed.)
 */
test('what a terminal shows to an agent of before are the consent texts of release 19854c3, under its version', () => {
  for (const day of ['2026-11-29T14:59:59.999Z', '2026-12-01T00:00:00Z', '2027-06-01T00:00:00Z']) {
    const before = catalogueBeforeMended(Date.parse(day));
    expect([before.version, consentWords(before)], day).toEqual(['2024-10-07.1+2026-11-22', releasedWords]);
  }
  expect(consentWords(catalogueAt(Date.parse('2026-11-29T14:59:59.999Z')))).toBe(releasedWords);
});

test('mended words hold from their midnight in Japan on, and have a version of their own', () => {
  const [before, after] = ['2026-11-29T14:59:59.999Z', '2026-11-29T15:00:00Z'].map((at) => catalogueAt(Date.parse(at)));
  expect([before?.version, after?.version]).toEqual(['2024-10-07.1+2026-11-22', '2024-10-07.1+2026-11-30']);
  expect([before, after].map((each) => each?.languages.en?.texts['consent.heading.medical'])).toEqual([
    'May we show your past medical information to the doctors here?',
    'May we show your past medical information to the doctors and other medical staff here?',
  ]);
  expect([before, after].map((each) => each?.languages.ja)).toEqual([before?.languages.ja, before?.languages.ja]);
  // Proved with the mended words alone: before them nobody is offered these languages.
  expect([before, after].map((each) => each?.languages.en?.grade)).toEqual([null, 'backTranslated']);
});
