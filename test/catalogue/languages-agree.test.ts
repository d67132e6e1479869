import { describe, expect, it } from 'vitest';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';

const { languages } = catalogueAt(Date.now());

/** 「…など」: whoever else treats the patient. A consent that names one profession alone would be another consent. */
const andOthers: Readonly<Record<string, RegExp>> = {
  ja: /など/,
  'ja-easy': /など|たち|人/,
  en: /and other medical staff/,
  'zh-Hans': /等/,
  'zh-Hant': /等/,
  ko: /등/,
  vi: /và nhân viên y tế khác/,
  pt: /e outros profissionais de saúde/,
  tl: /at iba pang medical staff/,
  ne: /र अन्य स्वास्थ्यकर्मी/,
};

/** Changed by a notice with its day alone (test/catalogue/official-words.test.ts) */
const isConsent = (key: string): boolean => /^(consent|subject|specific-disease)\./.test(key);

describe.each(Object.keys(languages))('%s', (language) => {
  const texts = languages[language]?.texts ?? {};

  // Of the kinds that came after the first release: what its terminals ask changes by a notice with its day alone.
  it('asks for the same scope as the Japanese does', () => {
    for (const key of ['consent.heading.visiting-nurse', 'consent.item-heading.visiting-nurse'])
      expect(texts[key], key).toMatch(andOthers[language] ?? /$never/);
  });

  it('writes all figures alike: what is filled in has the digits 0-9', () => {
    for (const [key, text] of Object.entries(texts)) if (!isConsent(key)) expect(text, key).not.toMatch(/[०-९]/);
  });
});

it('has no word that was found to be wrong', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['ko', /수료증/],
    ['zh-Hans', /叫号/],
    ['zh-Hant', /叫號/],
    ['en', /Do you apply/],
    ['pt', /ser chamado|será chamado|Fique parado/],
  ];
  for (const [language, words] of wrong)
    for (const [key, text] of Object.entries(languages[language]?.texts ?? {}))
      if (!isConsent(key)) expect(text, `${language} ${key}`).not.toMatch(words);
});
