import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { personas } from '../../../drivers/virtual/personas.ts';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { testRequest, testSettings } from '../../../scripts/beds/test-facility.ts';
import { consentTexts } from '../../../src/agent/intake/consent-texts.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
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

const catalogue = catalogueAt(Date.now());
const consentCodes = catalogue.consents.items.map(({ code }) => code);
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
const [right] = testRequest({ issuedAt: Date.now() }).consents as [Consent];

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
