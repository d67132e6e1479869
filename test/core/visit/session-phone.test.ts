import { beforeEach, describe, expect, it } from 'vitest';
import { identity, lookup, settings, VisitStory } from '../../../scripts/beds/visit-story.ts';
import { failure } from '../../../src/core/failure.ts';
import { delays } from '../../../src/core/visit/delays.ts';
import { did } from './happenings.ts';
import { phone } from './situations.ts';

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

describe('a phone laid where a card belongs', () => {
  const lieDown = (phone: 'android' | 'iphone') => {
    story.insert();
    const { insertion } = story.visit;
    const unread = failure('card.phone-not-supported');
    return { insertion, effects: story.tell({ type: 'CardReadFailed', insertion, failure: unread, phone }) };
  };

  it('an Android is known by itself: its PIN is asked at once, and its insertion is over', () => {
    const { insertion, effects } = lieDown('android');
    expect(story.state).toMatchObject({ name: 'enteringPhonePin', entered: 0, notice: 'none' });
    expect(effects).toContainEqual({ type: 'EndCard', insertion });
    expect(effects.map(did)).toEqual(['EndCard', 'VisitEnded card.unreadable', 'ClearPinEntry']);
    expect(story.did('VerifyPhonePin')).toBe(0);
    story.tell({ type: 'PhonePinDigitsChanged', entered: 4 });
    story.tell({ type: 'PhonePinSubmitted' });
    expect(story.name).toBe('awaitingPhone');
    // It is taken from the bed on its way to its reader.
    story.tell({ type: 'CardRemoved' });
    present();
    expect(story.name).toBe('verifyingPhone');
  });

  it('whoever chose a language before laying it down types in that language, and help stays called', () => {
    story.touch('language', 'en');
    story.touch('call-help');
    lieDown('android');
    expect(story.name).toBe('enteringPhonePin');
    expect(story.session.display.language).toBe('en');
    expect(story.session.help).not.toBeNull();
  });

  it('whoever goes back is at rest: what still lies there is not read a second time', () => {
    lieDown('android');
    story.touch('back');
    expect(story.name).toBe('idle');
  });

  it('an iPhone, whose answers are not public, and any phone where the facility has none read: to the desk', () => {
    lieDown('iphone');
    expect(story.state).toMatchObject({ name: 'interrupted', failure: { code: 'card.phone-not-supported' } });
    // Taken from there, the screen is free as soon as after a card.
    story.tell({ type: 'CardRemoved' });
    expect(story.state).toMatchObject({ name: 'interrupted', deadlineMs: story.nowMs + delays.deskAfterRemovalMs });
    story = VisitStory.atRest();
    lieDown('android');
    expect(story.state).toMatchObject({ name: 'interrupted', failure: { code: 'card.phone-not-supported' } });
  });

  it('in place of a card that was pulled it is no continuation of that visit, but one of its own', () => {
    story.present();
    story.touch('language', 'en');
    const pulled = story.visit.session;
    story.tell({ type: 'CardRemoved' });
    const { effects } = lieDown('android');
    expect(story.state).toMatchObject({ name: 'enteringPhonePin', entered: 0 });
    expect(story.session.display.language).toBe('ja');
    expect(effects).toContainEqual(expect.objectContaining({ type: 'VisitEnded', session: pulled, signed: false }));
    expect(effects.map(did)).toEqual([
      ...['EndCard', 'VisitEnded card.removed', 'EndCard', 'VisitEnded card.unreadable', 'ClearPinEntry'],
    ]);
  });
});

describe('the choice of a smartphone', () => {
  it('iphone: its reader is asked, and a visit begins like a card’s', () => {
    story.touch('use-smartphone');
    expect(story.name).toBe('choosingPhone');
    expect(story.touch('iphone')).toEqual([{ type: 'PresentPhone', phone: 'iphone' }]);
    present();
    expect(story.name).toBe('readingCard');
    expect(story.effects.at(-1)).toEqual({ type: 'ReadCard', insertion: 'phone-1' });
    story.tell({ type: 'CardRead', insertion: 'phone-1', identity });
    expect(story.name).toBe('choosingMethod');
  });

  it('an iPhone that is taken away before it was read leaves nothing behind, as a card', () => {
    for (const control of ['use-smartphone', 'iphone'] as const) story.touch(control);
    present();
    const gone = { type: 'CardReadFailed', insertion: 'phone-1', failure: failure('card.removed') } as const;
    expect(story.tell(gone).map(did)).toEqual(['EndCard', 'VisitEnded card.removed']);
    expect(story.name).toBe('idle');
  });

  it('back, or nobody there: idle', () => {
    story.touch('use-smartphone');
    story.touch('back');
    expect(story.name).toBe('idle');
    story.touch('use-smartphone');
    story.pass(settings.timeouts.answerMs);
    story.pass(delays.stillThereMs);
    expect(story.name).toBe('idle');
    expect(story.did('DismissPhone')).toBe(0);
  });

  it.each<[string, () => void, Record<string, unknown>]>([
    ['which phone', () => undefined, { name: 'choosingPhone' }],
    ['the PIN', () => typeTwo(), { name: 'enteringPhonePin', entered: 0 }],
  ])(
    '%s: whoever takes long is asked whether they are still there, and goes on where they were, digits overwritten',
    (_name, come, there) => {
      story.touch('use-smartphone');
      come();
      const before = story.session;
      story.pass(settings.timeouts.answerMs);
      expect(story.state).toMatchObject({ ...there, patience: { asked: true } });
      story.touch('still-here');
      expect(story.state).toMatchObject({ ...there, patience: { asked: false } });
      expect(story.session.display).toEqual(before.display);
      story.pass(settings.timeouts.answerMs);
      story.pass(delays.stillThereMs - 1);
      expect(story.state).toMatchObject(there);
      story.pass(1);
      expect(story.name).toBe('idle');
    },
  );

  it('no iPhone came: whether somebody still looks for it is asked before the choice', () => {
    story.touch('use-smartphone');
    story.touch('iphone');
    story.pass(delays.presentPhoneMs);
    expect(story.state).toMatchObject({ name: 'choosingPhone', patience: { asked: true } });
    story.touch('still-here');
    story.touch('iphone');
    present();
    expect(story.name).toBe('readingCard');
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
    ['nobody presents it', () => story.pass(delays.presentPhoneMs), 'choosingPhone'],
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
    story.touch('iphone');
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

const typeTwo = (): void => {
  story.touch('android');
  story.tell({ type: 'PhonePinDigitsChanged', entered: 2 });
};

/** As far as a phone being awaited, with its PIN in memory. */
const holdPin = (): void => {
  story.touch('use-smartphone');
  story.touch('android');
  story.tell({ type: 'PhonePinDigitsChanged', entered: 4 });
  story.tell({ type: 'PhonePinSubmitted' });
};

describe('an Android’s PIN', () => {
  it('is typed first, with nothing held; 決定 alone lets a phone be awaited; one VERIFY, then a visit whose owner is verified', () => {
    story.touch('use-smartphone');
    expect(story.touch('android')).toEqual([{ type: 'ClearPinEntry' }]);
    expect(story.state).toMatchObject({ name: 'enteringPhonePin', entered: 0, triesLeft: null });
    present();
    expect(story.name).toBe('enteringPhonePin');
    story.tell({ type: 'PhonePinDigitsChanged', entered: 4 });
    expect(story.did('PresentPhone')).toBe(0);
    expect(story.tell({ type: 'PhonePinSubmitted' })).toEqual([{ type: 'PresentPhone', phone: 'android' }]);
    expect(story.did('VerifyPhonePin')).toBe(0);
    present();
    expect(story.effects.at(-1)).toEqual({ type: 'VerifyPhonePin', insertion: 'phone-1', lastTryConfirmed: false });
    story.tell({ type: 'PhoneVerified', insertion: 'phone-1', identity: phone });
    expect(story.visit.verification).toMatchObject({ state: 'verified', method: 'pin', standing: true });
    story.tell({ type: 'LookupAnswered', insertion: 'phone-1', result: lookup });
    story.answerAll('agree');
    story.deliver();
    expect(story.state).toMatchObject({ name: 'showingResult', result: { outcome: 'eligible' } });
    expect(story.did('VerifyPhonePin')).toBe(1);
  });

  it.each<[string, () => void, string]>([
    ['its time', () => story.pass(delays.phonePinHeldMs), 'enteringPhonePin'],
    ['back', () => void story.touch('back'), 'idle'],
    ['a card laid down', () => void story.insert(), 'readingCard'],
    ['something else laid down', () => unreadable(), 'interrupted'],
    ['a call for help', () => void story.touch('call-help'), 'enteringPhonePin'],
    ['shutdown', () => void story.tell({ type: 'ShutdownRequested' }), 'outOfService'],
  ])('held until the phone comes: %s overwrites it and ends the wait, before anything else', (_name, happen, name) => {
    holdPin();
    const before = story.effects.length;
    happen();
    expect(story.name).toBe(name);
    const effects = story.effects.slice(before).map(({ type }) => type);
    expect(effects[0]).toBe('ClearPinEntry');
    expect(effects).toContain('DismissPhone');
    present();
    expect(story.did('VerifyPhonePin')).toBe(0);
  });

  it('no touch and no voice lets it stay longer', () => {
    holdPin();
    const { deadlineMs } = story.state;
    story.pass(delays.phonePinHeldMs - 1_000);
    story.touch('text-size');
    story.tell({ type: 'VoiceBegan' });
    expect(story.state.deadlineMs).toBe(deadlineMs);
    story.pass(1_000);
    expect(story.state).toMatchObject({ name: 'enteringPhonePin', entered: 0, notice: 'missed' });
    story.tell({ type: 'VoiceEnded' });
  });

  it.each<[string, () => void]>([
    ['nobody goes on', () => story.pass(settings.timeouts.answerMs)],
    ['back', () => void story.touch('back')],
    ['a call for help', () => void story.touch('call-help')],
    ['a card laid down', () => void story.insert()],
  ])('half typed: %s overwrites it', (_name, happen) => {
    story.touch('use-smartphone');
    story.touch('android');
    story.tell({ type: 'PhonePinDigitsChanged', entered: 2 });
    const cleared = story.did('ClearPinEntry');
    happen();
    expect(story.did('ClearPinEntry')).toBeGreaterThan(cleared);
    expect(story.state).not.toMatchObject({ name: 'enteringPhonePin', entered: 2 });
  });

  it('with fewer than four digits 決定 says so, and no phone is awaited', () => {
    story.touch('use-smartphone');
    story.touch('android');
    story.tell({ type: 'PhonePinDigitsChanged', entered: 3 });
    story.tell({ type: 'PhonePinSubmitted' });
    expect(story.state).toMatchObject({ name: 'enteringPhonePin', notice: 'incomplete', entered: 3 });
    expect(story.did('PresentPhone')).toBe(0);
  });

  it('wrong: the phone is let go, the tries that are left are shown, and nothing of the digits is left', () => {
    holdPin();
    present();
    const effects = story.tell({ type: 'PinRefused', insertion: 'phone-1', triesLeft: 2 });
    expect(effects.map(({ type }) => type)).toEqual(['EndCard', 'VisitEnded', 'ClearPinEntry']);
    expect(story.state).toMatchObject({ name: 'enteringPhonePin', entered: 0, triesLeft: 2, notice: 'wrong' });
  });

  it('the last try goes only with its own yes, and 3 misses lead to the desk with the words for a phone', () => {
    holdPin();
    present();
    story.tell({ type: 'PinRefused', insertion: 'phone-1', triesLeft: 1 });
    expect(story.state).toMatchObject({ lastTry: 'asking' });
    story.tell({ type: 'PhonePinDigitsChanged', entered: 4 });
    story.tell({ type: 'PhonePinSubmitted' });
    expect(story.name).toBe('enteringPhonePin');
    story.touch('last-try-yes');
    story.tell({ type: 'PhonePinDigitsChanged', entered: 4 });
    story.tell({ type: 'PhonePinSubmitted' });
    story.tell({ type: 'PhonePresented', insertion: 'phone-2', session: 'session-q' });
    expect(story.effects.at(-1)).toMatchObject({ type: 'VerifyPhonePin', lastTryConfirmed: true });
    story.tell({ type: 'PinRefused', insertion: 'phone-2', triesLeft: 0 });
    expect(story.state).toMatchObject({ name: 'interrupted', failure: { code: 'card.phone-pin-blocked' } });
  });

  it('taken away while it checks: typed anew; anything else there: the desk', () => {
    holdPin();
    present();
    story.tell({ type: 'PinCheckFailed', insertion: 'phone-1', failure: failure('card.removed') });
    expect(story.state).toMatchObject({ name: 'enteringPhonePin', entered: 0, notice: 'missed' });
    story.tell({ type: 'PhonePinDigitsChanged', entered: 4 });
    story.tell({ type: 'PhonePinSubmitted' });
    story.tell({ type: 'PhonePresented', insertion: 'phone-2', session: 'session-q' });
    story.tell({ type: 'PinCheckFailed', insertion: 'phone-2', failure: failure('card.unreadable') });
    expect(story.state).toMatchObject({
      name: 'interrupted',
      failure: { code: 'card.phone-unreadable' },
      approvable: false,
    });
  });

  it('a card laid down while the phone checks waits its turn and is never sent a VERIFY', () => {
    holdPin();
    present();
    const card = story.insert();
    expect(story.name).toBe('verifyingPhone');
    story.tell({ type: 'PinRefused', insertion: 'phone-1', triesLeft: 2 });
    story.touch('back');
    expect(story.state).toMatchObject({ name: 'readingCard', visit: { insertion: card } });
    expect(story.effects.filter(({ type }) => type.startsWith('Verify'))).toHaveLength(1);
  });

  it('taken away before its visit is signed: the patient is told to begin again, for it cannot be laid down again', () => {
    holdPin();
    present();
    story.tell({ type: 'PhoneVerified', insertion: 'phone-1', identity: phone });
    story.tell({ type: 'LookupAnswered', insertion: 'phone-1', result: lookup });
    story.answerAll('agree');
    expect(story.name).toBe('signing');
    const gone = failure('card.removed');
    story.tell({ type: 'SigningFailed', insertion: 'phone-1', kind: 'eligibility', failure: gone });
    expect(story.state).toMatchObject({ name: 'interrupted', failure: { code: 'card.phone-removed' }, resume: false });
  });

  it('a phone that has forgotten its PIN is not asked for it as a card is', () => {
    holdPin();
    present();
    story.tell({ type: 'PhoneVerified', insertion: 'phone-1', identity: phone });
    story.tell({ type: 'LookupAnswered', insertion: 'phone-1', result: lookup });
    story.answerAll('agree');
    const forgot = failure('card.security-status-lost');
    story.tell({ type: 'SigningFailed', insertion: 'phone-1', kind: 'eligibility', failure: forgot });
    expect(story.state).toMatchObject({ name: 'interrupted', failure: { code: 'card.phone-removed' }, resume: false });
  });

  it('what comes and goes on the bed, and the bed’s reader, end no visit of a phone', () => {
    for (const stage of ['verifyingPhone', 'awaitingLookup', 'askingConsent']) {
      story = VisitStory.atRest();
      story.tell({ type: 'SettingsChanged', settings: { ...settings, smartphone: true } });
      holdPin();
      present();
      if (stage !== 'verifyingPhone') story.tell({ type: 'PhoneVerified', insertion: 'phone-1', identity: phone });
      if (stage === 'askingConsent') story.tell({ type: 'LookupAnswered', insertion: 'phone-1', result: lookup });
      expect(story.name).toBe(stage);
      expect(story.tell({ type: 'CardRemoved' })).toEqual([]);
      expect(story.tell({ type: 'ReaderLost', failure: failure('reader.lost') })).toEqual([]);
      expect(story.name).toBe(stage);
    }
  });

  it('held to a reader of its own it signs its registration, and goes on whatever lies on the bed', () => {
    holdPin();
    present();
    story.tell({ type: 'PhoneVerified', insertion: 'phone-1', identity: phone });
    story.tell({ type: 'LookupAnswered', insertion: 'phone-1', result: { ...lookup, registered: 'no' } });
    story.touch('agree');
    story.insert();
    story.tell({ type: 'RequestSigned', insertion: 'phone-1', kind: 'registration', requestId: 'registration-1' });
    expect(story.state).toMatchObject({ name: 'registering', phase: 'sending' });
  });

  it('its look-up begins only now, and has the whole time of one', () => {
    holdPin();
    present();
    story.tell({ type: 'PhoneVerified', insertion: 'phone-1', identity: phone });
    story.pass(delays.lookupAfterVerificationMs + 1_000);
    expect(story.name).toBe('awaitingLookup');
    story.tell({ type: 'LookupAnswered', insertion: 'phone-1', result: lookup });
    expect(story.name).toBe('askingConsent');
  });

  it('tries that a phone told of are known still when its PIN is asked again without a VERIFY', () => {
    holdPin();
    present();
    story.tell({ type: 'PinRefused', insertion: 'phone-1', triesLeft: 1 });
    story.touch('last-try-yes');
    story.tell({ type: 'PhonePinDigitsChanged', entered: 4 });
    story.tell({ type: 'PhonePinSubmitted' });
    story.pass(delays.phonePinHeldMs);
    expect(story.state).toMatchObject({ name: 'enteringPhonePin', triesLeft: 1, lastTry: 'asking' });
  });

  it('a phone’s certificate that has ended or is revoked: the desk, with words for a phone', () => {
    holdPin();
    present();
    story.tell({ type: 'PhoneVerified', insertion: 'phone-1', identity: { ...phone, certificateState: 'dead' } });
    const code = 'card.phone-certificate-unusable';
    expect(story.state).toMatchObject({ name: 'interrupted', failure: { code } });
    story.pass(delays.deskMs);
    holdPin();
    story.tell({ type: 'PhonePresented', insertion: 'phone-2', session: 'session-q' });
    story.tell({ type: 'PhoneVerified', insertion: 'phone-2', identity: phone });
    const revoked = { ...lookup, certificateStatus: 'revoked' } as const;
    story.tell({ type: 'LookupAnswered', insertion: 'phone-2', result: revoked });
    expect(story.state).toMatchObject({ name: 'interrupted', failure: { code } });
  });
});
