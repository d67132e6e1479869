import { describe, expect, it, test } from 'vitest';
import { lookup, settings, VisitStory } from '../../../scripts/beds/visit-story.ts';
import {
  answerQuestion,
  askedTopics,
  consentRecord,
  isAsked,
  isMixed,
  noAnswers,
  questionsOf,
  unbundled,
} from '../../../src/core/catalogue/consent.ts';
import type { CertificateState } from '../../../src/core/visit/identity.ts';
import type { LookupResult } from '../../../src/wire/messages.ts';

/* Which questions a patient is asked at which house, and what of the answers is written down. */

const { consentCatalogue: catalogue } = VisitStory.atRest().session.surroundings;
const kindsOf = (
  more: Partial<typeof settings> = {},
  answer: Partial<LookupResult> | null = {},
  state: CertificateState = 'valid',
) =>
  questionsOf(catalogue, { ...settings, ...more }, answer === null ? null : { ...lookup, ...answer }, state).map(
    ({ kind }) => kind,
  );
const consents = ['consent-bundle', 'consent-item', 'consent-item'] as const;
const documents = [{ id: 'd1', title: '紹介状', from: '別の医院', date: '2026-11-01' }];
const asksNothing = Object.fromEntries(catalogue.items.map(({ code }) => [code, false]));

describe('what is asked', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['nothing known of the patient', kindsOf({}, null), [...consents, 'summary']],
    ['nothing special', kindsOf(), [...consents, 'summary']],
    ['a certificate that has ended in mid-visit', kindsOf({}, {}, 'dead'), [...consents, 'summary']],
    ['no certificate: the chip could not be read', questionsOf(catalogue, settings, lookup, undefined).map(String), []],
    ['no 特定疾病療養受療証', kindsOf({}, { specificDisease: false }), ['consent-bundle', 'consent-item', 'summary']],
    ['医療費助成', kindsOf({}, { medicalSubsidy: true }), [...consents, 'medical-subsidy', 'summary']],
    [
      '医療費助成 where the house does not ask',
      kindsOf({ medicalSubsidy: false }, { medicalSubsidy: true }),
      [...consents, 'summary'],
    ],
    [
      'a prescription of today',
      kindsOf({}, { prescription: { use: 1, timing: 2 } }),
      [...consents, 'prescription-form', 'summary'],
    ],
    [
      'a prescription at another moment',
      kindsOf({}, { prescription: { use: 1, timing: 1 } }),
      [...consents, 'summary'],
    ],
    ['no e-prescriptions there', kindsOf({}, { prescription: { use: 0, timing: 2 } }), [...consents, 'summary']],
    [
      'a letter of referral',
      kindsOf({}, { pendingDocuments: documents }),
      [...consents, 'referral-documents', 'summary'],
    ],
    [
      'letters that the house does not take',
      kindsOf({ referralDocuments: false }, { pendingDocuments: documents }),
      [...consents, 'summary'],
    ],
    ['a list of no letters', kindsOf({}, { pendingDocuments: [] }), [...consents, 'summary']],
    ['a certificate that ends soon', kindsOf({}, {}, 'near-expiry'), [...consents, 'certificate-notice', 'summary']],
    ['the months of grace', kindsOf({}, { medicalSubsidy: true }, 'grace'), ['certificate-notice']],
    ['a house that asks nothing', kindsOf({ asks: asksNothing }), []],
    [
      'a house that asks nothing, of a card that ends soon',
      kindsOf({ asks: asksNothing }, {}, 'near-expiry'),
      ['certificate-notice', 'summary'],
    ],
  ])('%s', (_what, asked, expected) => {
    expect(asked).toEqual(expected);
  });

  it('at a pharmacy: prescriptions that wait, and no form of one', () => {
    const at = { institutionType: 'pharmacy' } as const;
    expect(kindsOf(at, { pendingDocuments: documents, prescription: { use: 1, timing: 2 } })).toContain(
      'waiting-prescriptions',
    );
    expect(kindsOf(at, { pendingDocuments: documents, prescription: { use: 1, timing: 2 } })).not.toContain(
      'prescription-form',
    );
    expect(kindsOf(at, { pendingDocuments: documents, prescription: { use: 0, timing: 2 } })).not.toContain(
      'waiting-prescriptions',
    );
    expect(kindsOf(at, { pendingDocuments: documents })).not.toContain('referral-documents');
  });

  it('one topic alone is no bundle', () => {
    const only = questionsOf(catalogue, { ...settings, asks: { ...asksNothing, TKK: true } }, lookup, 'valid');
    expect(only.map(({ kind }) => kind)).toEqual(['consent-item', 'summary']);
  });

  it('an item is asked by the house’s own word, else by its kind’s, else by its own', () => {
    const kinds = { ...catalogue.kinds, medical: { ...catalogue.kinds.medical, asks: { YZK: false } } };
    const of = { ...catalogue, kinds };
    const house = { institutionType: 'medical', asks: {} } as const;
    expect(isAsked('YZK', of, { ...house, asks: { YZK: true } })).toBe(true);
    expect(isAsked('YZK', of, house)).toBe(false);
    expect(isAsked('SRJ', of, house)).toBe(true);
    expect(isAsked('XXX', of, house)).toBe(false);
  });

  it('in the order of the kind, and what it does not name comes after that as it stands', () => {
    const order = ['operations', 'check-ups'];
    const kinds = { ...catalogue.kinds, medical: { ...catalogue.kinds.medical, order } };
    const ids = askedTopics({ ...catalogue, kinds }, settings).map(({ id }) => id);
    expect(ids).toEqual(['operations', 'check-ups', 'treatment-and-drugs', 'specific-disease']);
  });

  it('a rule of which some items are asked is named for these', () => {
    const [first] = askedTopics(catalogue, { ...settings, asks: { SRJ: false } });
    expect(first).toMatchObject({ id: 'treatment-and-drugs', codes: ['YZK'], subject: 'drugs', bundled: true });
  });
});

describe('what was answered', () => {
  const topics = askedTopics(catalogue, settings);
  const [first, second] = topics;
  if (first === undefined || second === undefined) throw new Error('no topics');
  const bundle = { kind: 'consent-bundle', topics: [first, second] } as const;
  const all = answerQuestion(noAnswers, bundle, true, 5, 'ja');

  it('a bundle answers each of its topics, one item its own anew', () => {
    expect(all.consents.map(({ topic, given, atMs, language }) => [topic.id, given, atMs, language])).toEqual([
      [first.id, true, 5, 'ja'],
      [second.id, true, 5, 'ja'],
    ]);
    const changed = answerQuestion(all, { kind: 'consent-item', topic: first }, false, 9, 'en');
    expect(changed.consents.map(({ topic, given }) => [topic.id, given])).toEqual([
      [second.id, true],
      [first.id, false],
    ]);
    expect(unbundled([bundle, { kind: 'summary' }])).toEqual([
      ...[first, second].map((topic) => ({ kind: 'consent-item', topic })),
      { kind: 'summary' },
    ]);
  });

  it('is mixed where some was given and some refused, the subsidy counted with it', () => {
    expect(
      [noAnswers, all, { ...all, medicalSubsidyUse: true }, { ...all, medicalSubsidyUse: false }].map(isMixed),
    ).toEqual([...[false, false, false, true]]);
    expect(isMixed(answerQuestion(all, { kind: 'consent-item', topic: first }, false, 9, 'ja'))).toBe(true);
  });

  it('is recorded by code, as it was asked, in the language it was asked in', () => {
    const written = consentRecord(all, 'v1', (question, language) => `${question.kind} ${language}`);
    expect(written).toEqual(
      [...first.codes, ...second.codes].map((code) => ({
        ...{ code, given: true, at: 5, catalogueVersion: 'v1', textHash: 'consent-bundle ja', language: 'ja' },
      })),
    );
  });
});
