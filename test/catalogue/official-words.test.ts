import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';

const { languages, failures } = catalogueAt(Date.parse('2026-12-01T00:00:00Z'));
const textOf = (language: string, key: string): string => languages[language]?.texts[key] ?? '';

test('a locked PIN can be unlocked in two places: town hall, or a convenience store with the signature password', () => {
  expect(textOf('ja', 'failure.pin-blocked')).toMatch(/市区町村の窓口、またはコンビニ（署名用の暗証番号/);
  expect(textOf('en', 'failure.pin-blocked')).toMatch(/town hall, or at a convenience store .*signature password/);
  expect(failures['card.pin-blocked'].staff.cause).toMatch(/市区町村の窓口、またはコンビニ/);
  for (const [language, { texts }] of Object.entries(languages)) {
    // Longer by the second place than the words of one alone.
    expect(texts['failure.pin-blocked']?.length, language).toBeGreaterThan((texts['pin.wrong'] ?? '').length + 15);
    expect(texts['pin-last-try.lead'], language).not.toMatch(
      /市区町村|市役所|town hall|市區町村|시구정촌|prefeitura|munisipyo|tòa thị chính|नगरपालिका/,
    );
  }
});

test('a phone’s PIN is another than the card’s: it is unlocked in the マイナポータル app, and the card still serves', () => {
  const { cause, steps } = failures['card.phone-pin-blocked'].staff;
  expect(cause).toMatch(/カードの暗証番号とは別.*マイナポータルアプリ/);
  expect(steps.join(' ')).toMatch(/マイナンバーカードを置いて.*@desk/);
  const town = /市区町村|市役所|town hall|市區町村|시구정촌|prefeitura|munisipyo|tòa thị chính|नगरपालिका/;
  for (const [language, { texts }] of Object.entries(languages)) {
    expect(texts['failure.phone-pin-blocked'], language).toMatch(/マイナポータル|Mynaportal|마이나포털/);
    expect(texts['failure.phone-pin-blocked'], language).not.toMatch(town);
    expect(texts['phone-pin.lead'], language).not.toBe(texts['pin.lead']);
  }
});

test('the application is for the first time only, never said to be once in a lifetime', () => {
  expect(textOf('ja', 'registration.lead')).toContain('初回だけ');
  for (const { texts } of Object.values(languages))
    expect(texts['registration.lead']).not.toMatch(/一生|in your life|평생|जीवनमा|na vida|sa buhay|trong đời/);
});

/*
 * A terminal that was not updated yet names the version of its own files, and its agent must know the texts behind it.
 * So what a consent question shows is never changed in place: it comes in a notice with its day. (Other texts may be.)
 */
test('the version that terminals of release 19854c3 name is still the one in force, with the same consent texts', () => {
  const catalogue = catalogueAt(Date.parse('2026-12-01T00:00:00Z'));
  expect(catalogue.version).toBe('2024-10-07.1+2026-11-22');
  const shown = Object.values(catalogue.languages).map(({ language, texts }) => [
    language,
    ...Object.entries(texts)
      .filter(([key]) => /^(consent|subject|specific-disease)\./.test(key) && !key.endsWith('.visiting-nurse'))
      .map(([key, text]) => `${key}=${text}`)
      .sort(),
    ...['agree', 'decline', 'provide', 'withhold'].map((name) => texts[`control.${name}`]),
  ]);
  expect(createHash('sha256').update(JSON.stringify(shown)).digest('hex')).toBe(
    'e101d01cc5e9919435c8b4e57e53bb23017890071b849def5d5e0e59bc34e887',
  );
});
