import { beforeEach, describe, expect, it } from 'vitest';
import { identity, settings, VisitStory } from '../../../scripts/beds/visit-story.ts';
import { failure } from '../../../src/core/failure.ts';
import { delays } from '../../../src/core/visit/delays.ts';

let story: VisitStory;
beforeEach(() => {
  story = VisitStory.atRest();
  story.tell({ type: 'SettingsChanged', settings: { ...settings, smartphone: true } });
});

const present = (): void => void story.tell({ type: 'PhonePresented', insertion: 'phone-1', session: 'session-p' });

it('is off by default: the control means nothing where the facility has none', () => {
  expect(settings.smartphone).toBe(false);
  const without = VisitStory.atRest();
  without.touch('use-smartphone');
  expect(without.name).toBe('idle');
});

describe('the choice of a smartphone', () => {
  it.each(['iphone', 'android'] as const)('%s: its reader is asked, and a visit begins like a card’s', (phone) => {
    story.touch('use-smartphone');
    expect(story.state).toMatchObject({ name: 'choosingPhone', phone: null });
    expect(story.touch(phone)).toEqual([{ type: 'PresentPhone', phone }]);
    present();
    expect(story.name).toBe('readingCard');
    expect(story.effects.at(-1)).toEqual({ type: 'ReadCard', insertion: 'phone-1' });
    story.tell({ type: 'CardRead', insertion: 'phone-1', identity });
    expect(story.name).toBe('choosingMethod');
  });

  it('back, or nobody there: idle', () => {
    story.touch('use-smartphone');
    story.touch('back');
    expect(story.name).toBe('idle');
    story.touch('use-smartphone');
    story.pass(settings.timeouts.answerMs);
    expect(story.name).toBe('idle');
    expect(story.did('DismissPhone')).toBe(0);
  });

  it('every touch gives the full time again, and the chosen language stays on the way back', () => {
    story.touch('use-smartphone');
    story.pass(settings.timeouts.answerMs - 1);
    story.touch('language', 'en');
    story.pass(settings.timeouts.answerMs - 1);
    expect(story.name).toBe('choosingPhone');
    story.touch('back');
    expect(story.session.display.language).toBe('en');
    story.pass(delays.chosenAtRestMs);
    expect(story.session.display.language).toBe('ja');
  });

  it.each<[string, () => void, string]>([
    ['a card laid down wins', () => void story.insert(), 'readingCard'],
    ['a card laid down wrongly leads to the desk', () => unreadable(), 'interrupted'],
    ['back', () => void story.touch('back'), 'idle'],
    ['nobody presents it', () => story.pass(delays.presentPhoneMs), 'idle'],
    ['shutdown', () => void story.tell({ type: 'ShutdownRequested' }), 'outOfService'],
  ])('while the phone is awaited: %s, and it is awaited no more', (_name, happen, name) => {
    story.touch('use-smartphone');
    story.touch('iphone');
    happen();
    expect(story.name).toBe(name);
    expect(story.did('DismissPhone')).toBe(1);
    present();
    expect(story.name).toBe(name);
  });

  it('cannot be read: to the desk with the reason', () => {
    story.touch('use-smartphone');
    story.touch('android');
    story.tell({ type: 'CardUnreadable', failure: failure('card.phone-not-supported'), session: 's' });
    expect(story.state).toMatchObject({ name: 'interrupted', failure: { code: 'card.phone-not-supported' } });
  });

  it('a stranger’s card laid down and taken away during the visit disturbs nothing; the phone leaves no card behind', () => {
    story.touch('use-smartphone');
    story.touch('iphone');
    present();
    story.tell({ type: 'CardRead', insertion: 'phone-1', identity });
    story.insert();
    story.tell({ type: 'CardRemoved' });
    expect(story.name).toBe('choosingMethod');
    story.enterPin();
    story.answerAll('agree');
    story.tell({ type: 'LookupFailed', insertion: 'phone-1', failure: failure('eligibility.unavailable') });
    story.answerAll('agree');
    story.deliver();
    story.pass(delays.showResultMs);
    expect(story.name).toBe('idle');
  });
});

const unreadable = (): void =>
  void story.tell({ type: 'CardUnreadable', failure: failure('card.unreadable'), session: 's' });
