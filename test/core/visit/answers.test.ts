import { describe, expect, it, test } from 'vitest';
import { settings, VisitStory } from '../../../scripts/beds/visit-story.ts';
import { noAnswers, type Question } from '../../../src/core/catalogue/consent.ts';
import { controlIds } from '../../../src/core/visit/control-ids.ts';
import { tools } from './situations.ts';

/* What each control says to each question of a visit, and that nothing else says anything. */

const documents = ['d1', 'd2'].map((id) => ({ id, title: '紹介状', from: '別の医院', date: '2026-11-01' }));

/** A patient who is asked everything that the house asks; `pharmacy`: where prescriptions wait. */
const begun = (institutionType: 'medical' | 'pharmacy' = 'medical'): VisitStory => {
  const story = VisitStory.atRest();
  story.tell({ type: 'SettingsChanged', settings: { ...settings, institutionType } });
  story.present({}, { medicalSubsidy: true, prescription: { use: 1, timing: 2 }, pendingDocuments: documents });
  story.enterPin();
  return story;
};
const kindOf = ({ visit }: VisitStory): Question['kind'] | undefined => visit.questions?.[visit.questionIndex]?.kind;

const yes: Partial<Record<Question['kind'], Parameters<VisitStory['touch']>[0]>> = {
  ...{ 'consent-bundle': 'agree', 'consent-item': 'decline', 'medical-subsidy': 'use' },
  ...{
    'prescription-form': 'paper',
    'referral-documents': 'next',
    'waiting-prescriptions': 'next',
    summary: 'confirm',
  },
} as const;

const at = (kind: Question['kind'], institutionType: 'medical' | 'pharmacy' = 'medical'): VisitStory => {
  const story = begun(institutionType);
  for (let left = 20; left > 0 && kindOf(story) !== kind; left -= 1) {
    const here = kindOf(story);
    story.touch((here && yes[here]) ?? 'next');
  }
  expect(kindOf(story)).toBe(kind);
  return story;
};

/** The answers that a control gives, and how many questions on the visit is then. */
type Meaning = readonly [answers: Record<string, unknown>, on: number];
const meanings: readonly [Question['kind'], 'medical' | 'pharmacy', Readonly<Record<string, Meaning>>][] = [
  [
    'consent-bundle',
    'medical',
    {
      agree: [{ consents: [expect.objectContaining({ given: true }), expect.objectContaining({ given: true })] }, 1],
      decline: [
        { consents: [expect.objectContaining({ given: false }), expect.objectContaining({ given: false })] },
        1,
      ],
      'one-by-one': [{}, 0],
    },
  ],
  [
    'consent-item',
    'medical',
    {
      agree: [{ consents: expect.arrayContaining([expect.objectContaining({ given: true })]) }, 1],
      decline: [{ consents: expect.arrayContaining([expect.objectContaining({ given: false })]) }, 1],
    },
  ],
  [
    'medical-subsidy',
    'medical',
    { use: [{ medicalSubsidyUse: true }, 1], 'do-not-use': [{ medicalSubsidyUse: false }, 1] },
  ],
  [
    'prescription-form',
    'medical',
    { electronic: [{ prescriptionForm: 'electronic' }, 1], paper: [{ prescriptionForm: 'paper' }, 1] },
  ],
  ['referral-documents', 'medical', { next: [{}, 1] }],
  ['waiting-prescriptions', 'pharmacy', { next: [{}, 1] }],
  ['summary', 'medical', {}],
];

describe('a question is answered by its own controls and by no other', () => {
  test.each(meanings)('%s (%s)', (kind, house, meant) => {
    for (const control of controlIds) {
      if (tools.includes(control) || (kind === 'summary' && control === 'confirm')) continue;
      const story = at(kind, house);
      const before = story.visit;
      story.touch(control);
      const [answers, on] = meant[control] ?? [];
      if (answers !== undefined) {
        expect(story.visit.answers, control).toMatchObject(answers);
        expect(story.visit.questionIndex, control).toBe(before.questionIndex + (on ?? 0));
      } else if (control === 'back') {
        expect(story.visit.questionIndex).toBe(Math.max(0, before.questionIndex - 1));
        expect(story.visit.answers).toEqual(before.answers);
      } else if (control === 'start-over') {
        expect(story.visit).toMatchObject({ questionIndex: 0, answers: noAnswers });
      } else expect(story.visit, control).toEqual(before);
    }
  });

  it('the summary, which stands there where some was given and some refused, is confirmed and signed', () => {
    const story = at('summary');
    expect(story.touch('confirm')).toMatchObject([{ type: 'SignRequest', kind: 'eligibility' }]);
    const alike = begun();
    for (const control of ['agree', 'agree', 'agree', 'use', 'paper', 'next'] as const) alike.touch(control);
    expect(alike.name).toBe('signing');
  });

  it('a new answer to the same question takes the place of the first', () => {
    const story = begun();
    story.touch('agree');
    story.touch('back');
    story.touch('decline');
    expect(story.visit.answers.consents.map(({ given }) => given)).toEqual([false, false]);
  });

  it.each(['referral-documents', 'waiting-prescriptions'] as const)('%s: each by its own touch, and back', (kind) => {
    const story = at(kind, kind === 'waiting-prescriptions' ? 'pharmacy' : 'medical');
    const chosen = () => story.visit.answers.approvedDocuments;
    const { questionIndex } = story.visit;
    story.touch('toggle-document', 'd1');
    story.touch('toggle-document', 'd2');
    expect(chosen()).toEqual(['d1', 'd2']);
    story.touch('toggle-document', 'd1');
    expect(chosen()).toEqual(['d2']);
    story.touch('toggle-document', 'somebody-else’s');
    story.touch('toggle-document');
    story.touch('use', 'd1');
    expect(chosen()).toEqual(['d2']);
    expect(story.visit.questionIndex).toBe(questionIndex);
  });

  it('a notice about the certificate is read and left by its own button alone', () => {
    for (const control of controlIds.filter((id) => !tools.includes(id) && id !== 'start-over')) {
      const story = VisitStory.atRest();
      story.present({ certificateState: 'grace' });
      story.enterPin();
      story.touch(control);
      expect(story.name, control).toBe(control === 'next' ? 'signing' : 'askingConsent');
    }
  });

  it('whoever starts over in the last months is told of them again, and nobody is asked for a consent', () => {
    const story = VisitStory.atRest();
    story.present({ certificateState: 'grace' });
    story.enterPin();
    story.touch('start-over');
    expect(story.visit.questions).toEqual([{ kind: 'certificate-notice', state: 'grace' }]);
  });
});

describe('the tools change the screen alone', () => {
  const display = (...controls: readonly Parameters<VisitStory['touch']>[0][]) => {
    const story = begun();
    const before = story.visit;
    for (const control of controls) expect(story.hit(control)).toEqual([]);
    expect(story.visit).toEqual(before);
    return story.session.display;
  };

  it.each<[readonly Parameters<VisitStory['touch']>[0][], Record<string, unknown>]>([
    [['theme'], { theme: 'high-contrast' }],
    [['theme', 'theme'], { theme: 'dark' }],
    [['theme', 'theme', 'theme'], { theme: 'default' }],
    [['text-size'], { textPercent: 150 }],
    [['text-size', 'text-size'], { textPercent: 200 }],
    [['text-size', 'text-size', 'text-size'], { textPercent: 100 }],
    [['louder'], { loudness: 1 }],
    [['louder', 'louder', 'louder', 'louder'], { loudness: 2 }],
    [['softer'], { loudness: -1 }],
    [['softer', 'softer', 'softer', 'softer'], { loudness: -2 }],
    [['louder', 'louder', 'louder', 'softer'], { loudness: 1 }],
    [['layout', 'voice'], { layout: 'low', voice: 'all' }],
  ])('%j', (controls, expected) => {
    const before = begun().session.display;
    expect(display(...controls)).toEqual({ ...before, ...expected });
  });

  it('a language that this facility does not offer, or none, is not taken', () => {
    const story = begun();
    const { display: before } = story.session;
    story.hit('language', 'xx');
    story.hit('language');
    expect(story.session.display).toEqual(before);
    story.hit('language', settings.languages.at(-1));
    expect(story.session.display.language).toBe(settings.languages.at(-1));
  });

  it('before any settings came no language is offered, and nothing breaks', () => {
    const story = new VisitStory();
    story.hit('language', 'ja');
    story.hit('use-smartphone');
    expect(story.name).toBe('outOfService');
  });
});
