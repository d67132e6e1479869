import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { personas } from '../../../drivers/virtual/personas.ts';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { missingRelease, releases } from '../../../scripts/beds/release-tree.ts';
import { simulatedStartMs } from '../../../scripts/beds/simulated-clock.ts';
import { testRequest, testSettings } from '../../../scripts/beds/test-facility.ts';
import { consentKeys, consentTexts } from '../../../src/agent/intake/consent-texts.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { type ReleasedTexts, readReleasedTexts } from '../../../src/catalogue/released-texts.ts';
import type { Catalogue } from '../../../src/core/catalogue/catalogue.ts';
import {
  answerQuestion,
  consentRecord,
  noAnswers,
  questionsOf,
  unbundled,
} from '../../../src/core/catalogue/consent.ts';
import { consentTextOf } from '../../../src/core/screen/draw-screen-consent.ts';
import { facilityKinds } from '../../../src/wire/facility-settings.ts';
import type { Consent } from '../../../src/wire/messages.ts';

const catalogue = catalogueAt(simulatedStartMs);
const consentCodes = catalogue.consents.items.map(({ code }) => code);
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
const [right] = testRequest({ issuedAt: simulatedStartMs }).consents as [Consent];

test('whatever a screen can ask, in every language, for every choice of items and kind of institution, is known', () => {
  const texts = consentTexts([catalogue]);
  let asked = 0;
  for (let items = 0; items < 2 ** consentCodes.length; items += 1)
    for (const institutionType of facilityKinds) {
      const switches = consentCodes.map((code, bit) => [code, (items & (1 << bit)) !== 0]);
      const settings = { ...testSettings, asks: Object.fromEntries(switches), institutionType };
      const questions = questionsOf(catalogue.consents, settings, null, 'valid');
      for (const language of Object.keys(catalogue.languages))
        for (const question of [...questions, ...unbundled(questions)]) {
          if (question.kind !== 'consent-bundle' && question.kind !== 'consent-item') continue;
          const answers = answerQuestion(noAnswers, question, true, 0, language);
          const textHashOf = () => hashOf(consentTextOf(catalogue, language, question, institutionType));
          const consents = consentRecord(answers, catalogue.version, textHashOf);
          expect(consents.every((consent) => texts.isShown(consent))).toBe(true);
          asked += consents.length;
        }
    }
  expect(asked).toBeGreaterThan(1_000);
});

describe('terminals of an earlier release', () => {
  const released = readReleasedTexts();
  const consentsOf = ({ catalogueVersion, texts }: ReleasedTexts): Consent[] =>
    Object.entries(texts).flatMap(([language, hashes]) =>
      Object.entries(hashes).flatMap(([code, each]) =>
        each.map((textHash) => ({ code, given: true, at: 0, catalogueVersion, textHash, language })),
      ),
    );
  /** Everything as it is, with one consent's words mended in every language, and so another version of the texts. */
  const mended: Catalogue = {
    ...catalogue,
    version: catalogue.version.replace(/\+[^+]+/, '+2027-01-05'),
    languages: Object.fromEntries(
      Object.entries(catalogue.languages).map(([language, { texts, ...rest }]) => {
        const words = Object.entries(texts).map(([key, text]) => [
          key,
          key.startsWith('subject.') ? `${text} ✓` : text,
        ]);
        return [language, { ...rest, texts: Object.fromEntries(words) }];
      }),
    ),
  };

  test('of each it is written down what its screens say, in every language', () => {
    // What is written down of the next one: version, language, code, hash, and of what was answered beforehand which answer.
    for (const key of consentKeys(catalogue)) expect(key).toMatch(/^\S+ \S+ [A-Z0-9]+ [\w-]{43}( true| false)?$/);
    const wanted = releases().filter((release) => missingRelease(release) === null);
    expect(released.map(({ release }) => release)).toEqual(expect.arrayContaining([...wanted]));
    for (const each of released) {
      expect(Object.keys(each.texts)).toContain('ja');
      expect(consentsOf(each).length).toBeGreaterThan(100);
    }
  });

  test.each(released)('$release: every text is known to an agent whose own have been mended since', (each) => {
    const texts = consentTexts([mended], released);
    expect(texts.versions).toContain(each.catalogueVersion);
    expect(consentsOf(each).filter((consent) => !texts.isShown(consent))).toEqual([]);
    // Without what was written down it knows none of them: the catalogue was indeed another.
    const alone = consentTexts([mended]);
    expect(consentsOf(each).some((consent) => alone.isShown(consent))).toBe(false);
    expect(alone.versions).not.toContain(each.catalogueVersion);
  });

  test.each(released)('$release: no text under its version, but its own', (each) => {
    const [consent] = consentsOf(each) as [Consent];
    const texts = consentTexts([mended], released);
    expect(texts.isShown({ ...consent, textHash: hashOf('同意しますか') })).toBe(false);
    expect(texts.isShown({ ...consent, catalogueVersion: 'x+y' })).toBe(false);
  });

  test('a notice that they do not know ends their words, once no screen of before may still show them', () => {
    const noticed = { ...mended, version: `${mended.version}+2027-04-01` };
    const [overlapping, after] = [consentTexts([catalogue, noticed], released), consentTexts([noticed], released)];
    for (const each of released) {
      expect(overlapping.versions).toContain(each.catalogueVersion);
      expect(after.versions).not.toContain(each.catalogueVersion);
      expect(consentsOf(each).some((consent) => after.isShown(consent))).toBe(false);
    }
  });
});

describe('a consent to a text that no screen shows', () => {
  let bed: AgentBed;
  beforeEach(async () => {
    bed = await makeAgentBed();
  });
  afterEach(() => bed.close());

  test.each<[string, Partial<Consent>]>([
    ['a text of somebody else', { textHash: hashOf('同意しますか') }],
    ['the text of another item', { code: 'SHJ' }],
    ['the text of another language', { language: 'en' }],
    ['a language that the catalogue does not have', { language: 'xx' }],
  ])('%s: refused with its own code, in receipt and journal; nobody is asked', async (_what, change) => {
    const signed = await bed.sign(await bed.pin(personas.get('hanako')?.serial ?? ''), {
      consents: [{ ...right, ...change }],
    });
    await bed.request(signed.sealed);
    expect(await bed.receipts()).toMatchObject([{ verdict: 'refused', code: 'consent.text-unknown' }]);
    expect(bed.journal.visits()).toMatchObject([{ verdict: 'refused', code: 'consent.text-unknown', outcome: null }]);
    expect(bed.files()).toEqual([]);
  });

  test('a withheld consent is held to the same text', async () => {
    const consents = [{ ...right, given: false, textHash: hashOf('?') }];
    await bed.request((await bed.sign(await bed.pin(personas.get('hanako')?.serial ?? ''), { consents })).sealed);
    expect(await bed.receipts()).toMatchObject([{ verdict: 'refused', code: 'consent.text-unknown' }]);
  });
});
