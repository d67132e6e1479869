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

test('the application is for the first time only, never said to be once in a lifetime', () => {
  expect(textOf('ja', 'registration.lead')).toContain('初回だけ');
  for (const { texts } of Object.values(languages))
    expect(texts['registration.lead']).not.toMatch(/一生|in your life|평생|जीवनमा|na vida|sa buhay|trong đời/);
});
