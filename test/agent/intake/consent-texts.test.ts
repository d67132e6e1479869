import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fewLanguages, fixtures, IntakeBed } from '../../../scripts/beds/intake-bed.ts';
import { missingRelease, releases } from '../../../scripts/beds/release-tree.ts';
import { SimulatedClock, simulatedStartMs } from '../../../scripts/beds/simulated-clock.ts';
import { testRequest, testSettings } from '../../../scripts/beds/test-facility.ts';
import { ConsentTextsInForce, consentKeys, consentTexts } from '../../../src/agent/intake/consent-texts.ts';
import { receiveRequest } from '../../../src/agent/intake/receive-request.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { type ReleasedTexts, readReleasedTexts } from '../../../src/catalogue/released-texts.ts';
import type { Catalogue } from '../../../src/core/catalogue/catalogue.ts';
import {
  answerQuestion,
  askedTopics,
  consentRecord,
  noAnswers,
  questionsOf,
  unbundled,
} from '../../../src/core/catalogue/consent.ts';
import { consentTextOf } from '../../../src/core/screen/draw-screen-consent.ts';
import { dayMs } from '../../../src/core/time-units.ts';
import { facilityKinds } from '../../../src/wire/facility-settings.ts';
import type { Consent } from '../../../src/wire/messages.ts';

const catalogue = catalogueAt(simulatedStartMs);
const few = fewLanguages(catalogue);
const consentCodes = catalogue.consents.items.map(({ code }) => code);
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
const [right] = testRequest({ issuedAt: simulatedStartMs }).consents as [Consent];

/** The same questions, where each kind of facility asks them in an order of its own */
const inOrder = (change: (order: readonly string[]) => string[]): Catalogue => {
  const kinds = Object.entries(few.consents.kinds).map(([kind, one]) => [kind, { ...one, order: change(one.order) }]);
  return { ...few, consents: { ...few.consents, kinds: Object.fromEntries(kinds) } };
};

/** All that can be asked in two languages is put together in milliseconds: whatever is wrong in general shows there first. */
test.each([
  ['two languages', few],
  // A bundle lists its topics in the order of its kind of facility; a rule that the order does not name comes last.
  ['another order', inOrder((order) => [...order].reverse())],
  ['an order that names few', inOrder((order) => order.slice(-1))],
  ['every language', catalogue],
])('whatever a screen can ask, in %s, for every choice of items and kind of institution, is known', (_which, of) => {
  const texts = consentTexts([of]);
  let asked = 0;
  for (let items = 0; items < 2 ** consentCodes.length; items += 1)
    for (const institutionType of facilityKinds) {
      const switches = consentCodes.map((code, bit) => [code, (items & (1 << bit)) !== 0]);
      const settings = { ...testSettings, asks: Object.fromEntries(switches), institutionType };
      const questions = questionsOf(of.consents, settings, null, 'valid');
      for (const language of Object.keys(of.languages))
        for (const question of [...questions, ...unbundled(questions)]) {
          if (question.kind !== 'consent-bundle' && question.kind !== 'consent-item') continue;
          const answers = answerQuestion(noAnswers, question, true, 0, language);
          const textHashOf = () => hashOf(consentTextOf(of, language, question, institutionType));
          const consents = consentRecord(answers, catalogue.version, textHashOf);
          expect(consents.every((consent) => texts.isShown(consent))).toBe(true);
          asked += consents.length;
        }
    }
  expect(asked).toBeGreaterThan(1_000);
});

describe('what no screen asks counts for nothing', () => {
  const topics = askedTopics(few.consents, testSettings);
  const [bundled, also] = topics.filter((topic) => topic.bundled);
  const alone = topics.find((topic) => !topic.bundled);
  if (bundled === undefined || also === undefined || alone === undefined) throw new Error('no such topics');
  const texts = consentTexts([few]);
  const isShown = (question: Parameters<typeof consentTextOf>[2], code: string): boolean => {
    const textHash = hashOf(consentTextOf(few, 'ja', question, testSettings.institutionType));
    return texts.isShown({ ...right, code, textHash });
  };

  test('a bundle with what may not be bundled, or of one', () => {
    const [code = '', other = ''] = [bundled.codes[0], alone.codes[0]];
    expect(isShown({ kind: 'consent-bundle', topics: [bundled, also] }, code)).toBe(true);
    for (const asked of [
      [bundled, alone],
      [alone, bundled],
    ])
      expect([code, other].filter((each) => isShown({ kind: 'consent-bundle', topics: asked }, each))).toEqual([]);
    expect(isShown({ kind: 'consent-item', topic: bundled }, code)).toBe(true);
    expect(isShown({ kind: 'consent-bundle', topics: [bundled] }, code)).toBe(false);
  });

  test('an item that its text does not name', () => {
    const rule = few.consents.questions.find(
      ({ codes, subjects }) => codes.length > 1 && Object.keys(subjects).some((key) => !key.includes('+')),
    );
    const [own, ...others] = rule?.codes ?? [];
    const subject = own === undefined ? undefined : rule?.subjects[own];
    if (rule === undefined || own === undefined || subject === undefined) throw new Error('no such rule');
    const topic = { id: rule.id, screen: rule.screen, bundled: rule.bundled, codes: [own], subject };
    expect(isShown({ kind: 'consent-item', topic }, own)).toBe(true);
    expect(others.filter((code) => isShown({ kind: 'consent-item', topic }, code))).toEqual([]);
  });
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
    ...few,
    version: few.version.replace(/\+[^+]+/, '+2027-01-05'),
    languages: Object.fromEntries(
      Object.entries(few.languages).map(([language, { texts, ...rest }]) => {
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
    const [overlapping, after] = [consentTexts([few, noticed], released), consentTexts([noticed], released)];
    for (const each of released) {
      expect(overlapping.versions).toContain(each.catalogueVersion);
      expect(after.versions).not.toContain(each.catalogueVersion);
      expect(consentsOf(each).some((consent) => after.isShown(consent))).toBe(false);
    }
  });
});

describe('a consent to a text that no screen shows', () => {
  let bed: IntakeBed;
  beforeEach(() => {
    bed = new IntakeBed();
  });
  afterEach(() => bed.close());
  const texts = consentTexts([few]);
  /** What comes of a request with this one consent, in receipt and journal */
  const verdict = async (consent: Consent): Promise<void> => {
    const { sealed } = await bed.request(bed.pin(), { consents: [consent] });
    const { context, post, memory, afterReceipt } = bed;
    const parts = { context, post, memory, afterReceipt, consentTexts: texts };
    await receiveRequest({ leaf: 'request', device: fixtures.front1, payload: sealed }, parts);
  };
  const refused = { verdict: 'refused', code: 'consent.text-unknown' };

  test.each<[string, Partial<Consent>]>([
    ['a text of somebody else', { textHash: hashOf('同意しますか') }],
    ['the text of another item', { code: 'SHJ' }],
    ['the text of another language', { language: 'en' }],
    ['a language that the catalogue does not have', { language: 'xx' }],
    ['the text of another notice', { catalogueVersion: '2019-01-01.1' }],
    ['a withheld consent is held to the same text', { given: false, textHash: hashOf('?') }],
  ])('%s: refused with its own code, in receipt and journal; nobody is asked', async (_what, change) => {
    await verdict({ ...right, ...change });
    expect(bed.told.map(({ message }) => message)).toMatchObject([refused]);
    expect(bed.journal.visits()).toMatchObject([{ ...refused, outcome: null }]);
    expect(bed.started).toEqual([]);
    await verdict(right);
    expect(bed.started).toHaveLength(1);
  });
});

describe('the texts that count now', () => {
  const [yesterday, today, tomorrow] = ['2026-11-17', '2026-11-18', '2026-11-19'].map((day) => ({
    ...few,
    version: few.version.replace(/\+/, `+${day}+`),
  })) as [Catalogue, Catalogue, Catalogue];
  const midnightMs = simulatedStartMs;
  /** One notice comes into force at a midnight, another a day later. */
  const inForce = (released: readonly ReleasedTexts[] = []) => {
    const clock = new SimulatedClock(midnightMs);
    const asked: number[] = [];
    const at = (atMs: number): Catalogue => {
      asked.push(atMs);
      return atMs < midnightMs ? yesterday : atMs < midnightMs + dayMs ? today : tomorrow;
    };
    const texts = new ConsentTextsInForce({ clock, catalogues: { at, ofVersion: () => undefined, released } });
    const versionsAt = (wallMs: number) => {
      clock.setWall(wallMs);
      return [...texts.now().versions].sort();
    };
    return { clock, texts, versionsAt };
  };
  const versions = (...all: readonly Catalogue[]) => all.map(({ version }) => version).sort();

  test('those of the notice that a request signed a moment ago names, and of the one that a terminal ahead of us asks by', () => {
    const { versionsAt } = inForce();
    expect(versionsAt(midnightMs - 5 * 60_000 - 1)).toEqual(versions(yesterday));
    expect(versionsAt(midnightMs - 5 * 60_000)).toEqual(versions(yesterday, today));
    expect(versionsAt(midnightMs)).toEqual(versions(yesterday, today));
    expect(versionsAt(midnightMs + dayMs - 5 * 60_000 - 1)).toEqual(versions(yesterday, today));
    expect(versionsAt(midnightMs + dayMs - 1)).toEqual(versions(yesterday, today, tomorrow));
    expect(versionsAt(midnightMs + dayMs)).toEqual(versions(today, tomorrow));
    expect(versionsAt(midnightMs + 2 * dayMs - 1)).toEqual(versions(today, tomorrow));
    expect(versionsAt(midnightMs + 2 * dayMs)).toEqual(versions(tomorrow));
    // A clock that is set back.
    expect(versionsAt(midnightMs - dayMs)).toEqual(versions(yesterday));
  });

  test('put together when a notice changes them, and not for each request', () => {
    const { clock, texts, versionsAt } = inForce();
    // As many as before, and one of them the same.
    expect([versionsAt(midnightMs), versionsAt(midnightMs + dayMs)]).toEqual([
      versions(yesterday, today),
      versions(today, tomorrow),
    ]);
    clock.setWall(midnightMs);
    const first = texts.now();
    clock.setWall(midnightMs + 60_000);
    expect(texts.now()).toBe(first);
    versionsAt(midnightMs + dayMs - 1);
    expect(texts.now()).not.toBe(first);
    clock.setWall(midnightMs + dayMs);
    const [after, again] = [texts.now(), texts.now()];
    expect(after).toBe(again);
    expect(after.isShown({ ...right, catalogueVersion: yesterday.version })).toBe(false);
    expect(after.isShown({ ...right, catalogueVersion: today.version })).toBe(true);
  });

  test('and those of terminals of an earlier release, while no notice has ended them', () => {
    const [release] = readReleasedTexts();
    if (release === undefined) throw new Error('no release');
    const released = [{ ...release, catalogueVersion: yesterday.version.replace(/\+[^+]+/, '+2020-01-01') }];
    const versionsAt = inForce(released).versionsAt;
    expect(versionsAt(midnightMs)).toContain(released[0]?.catalogueVersion);
  });
});
