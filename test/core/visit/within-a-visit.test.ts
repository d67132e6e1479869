import { describe, expect, it } from 'vitest';
import { identity, lookup, settings, type VisitStory } from '../../../scripts/beds/visit-story.ts';
import { failure } from '../../../src/core/failure.ts';
import { delays } from '../../../src/core/visit/delays.ts';
import type { Session } from '../../../src/core/visit/session.ts';
import { did, offline, screenOf, type Told, trouble } from './happenings.ts';
import { eachSituation, insertionOf, requestId, type Situation, situations } from './situations.ts';

describe('what was typed', () => {
  const notices: readonly Situation[] = ['PIN, nothing typed', 'phone PIN, nothing typed'];
  it.each(notices)('%s: that digits were missing is said until the next one, and gives a fresh time', (situation) => {
    const story = situations[situation]();
    const isPhone = situation.startsWith('phone');
    const submit: Told = isPhone
      ? { type: 'PhonePinSubmitted' }
      : { type: 'PinSubmitted', insertion: insertionOf(story) };
    story.pass(1_000);
    story.tell(submit);
    expect(story.state).toMatchObject({ notice: 'incomplete', deadlineMs: story.nowMs + settings.timeouts.answerMs });
    story.pass(1_000);
    story.tell(
      isPhone
        ? { type: 'PhonePinDigitsChanged', entered: 1 }
        : { type: 'PinDigitsChanged', insertion: insertionOf(story), entered: 1 },
    );
    expect(story.state).toMatchObject({
      ...{ notice: 'none', entered: 1, deadlineMs: story.nowMs + settings.timeouts.answerMs },
    });
  });

  it('a notice that the last PIN was wrong stays while the next is typed', () => {
    const story = situations['PIN is checked']();
    const insertion = insertionOf(story);
    story.tell({ type: 'PinRefused', insertion, triesLeft: 2 });
    story.tell({ type: 'PinDigitsChanged', insertion, entered: 1 });
    expect(story.state).toMatchObject({ notice: 'wrong', entered: 1 });
    const onPhone = situations['an Android checks']();
    onPhone.tell({ type: 'PinRefused', insertion: 'phone-1', triesLeft: 2 });
    onPhone.tell({ type: 'PhonePinDigitsChanged', entered: 1 });
    expect(onPhone.state).toMatchObject({ notice: 'wrong', entered: 1 });
  });

  it('digits count only where a PIN is being typed: not while one is checked, nor before the yes to the last try', () => {
    for (const [situation, come] of eachSituation) {
      const card = come();
      const before = card.state;
      card.tell({ type: 'PinDigitsChanged', insertion: insertionOf(card), entered: 3 });
      const typesCard = before.name === 'enteringPin' && !before.checking;
      expect(card.state, situation).toEqual(
        typesCard ? { ...before, entered: 3, deadlineMs: card.nowMs + settings.timeouts.answerMs } : before,
      );
      const onPhone = come();
      onPhone.tell({ type: 'PhonePinDigitsChanged', entered: 3 });
      const typesPhone = before.name === 'enteringPhonePin' && before.lastTry !== 'asking';
      expect(onPhone.state, situation).toEqual(
        typesPhone ? { ...before, entered: 3, deadlineMs: onPhone.nowMs + settings.timeouts.answerMs } : before,
      );
    }
  });

  it('a call for help puts away what was typed for a phone, with all that is known of its tries', () => {
    const typed = situations['phone PIN, two digits']();
    typed.touch('call-help');
    expect(typed.state).toMatchObject({ name: 'enteringPhonePin', entered: 0, triesLeft: null, notice: 'none' });
    const held = situations['an Android checks']();
    held.tell({ type: 'PinRefused', insertion: 'phone-1', triesLeft: 2 });
    held.tell({ type: 'PhonePinDigitsChanged', entered: 4 });
    held.tell({ type: 'PhonePinSubmitted' });
    held.touch('call-help');
    expect(held.state).toMatchObject({ name: 'enteringPhonePin', entered: 0, triesLeft: 2, notice: 'none' });
    const again = situations['an Android checks']();
    again.tell({ type: 'PinRefused', insertion: 'phone-1', triesLeft: 2 });
    again.tell({ type: 'PhonePinDigitsChanged', entered: 2 });
    again.touch('call-help');
    expect(again.state).toMatchObject({ name: 'enteringPhonePin', entered: 0, triesLeft: 2, notice: 'wrong' });
  });

  it('an iPhone that is waited for is waited for still when somebody calls', () => {
    const story = situations['waiting for an iPhone']();
    expect(story.touch('call-help').map(did)).toEqual(['Chime key']);
    expect(story.name).toBe('awaitingPhone');
  });
});

describe('a registration', () => {
  const durable = (story: VisitStory): readonly string[] =>
    story.tell({ type: 'RequestSigned', insertion: insertionOf(story), kind: 'registration', requestId }).map(did);

  it('is sent once it is durable, and has the time of an answer', () => {
    const story = situations['registration is signed']();
    expect(durable(story)).toEqual([]);
    expect(story.state).toMatchObject({
      ...{ name: 'registering', phase: 'sending', requestId, deadlineMs: story.nowMs + settings.timeouts.offlineMs },
    });
  });

  it('whose patient went to the desk meanwhile comes late; while a card is away it is waited for', () => {
    const desk = situations['registration is signed']();
    desk.tell({ type: 'StaffCancelled', session: desk.visit.session });
    expect(durable(desk)).toEqual(['TellLate', 'ReleaseRequest']);
    expect(desk.visit.requestId).toBeNull();
    const pulled = situations['registration is signed']();
    pulled.tell({ type: 'CardRemoved' });
    expect(durable(pulled)).toEqual([]);
    expect(pulled.visit.registration).toBe('sent');
  });

  it('done, the patient is known as registered and is not asked again, also where the lookup never answered', () => {
    const registered: Told = {
      ...{ type: 'ResultArrived', requestId, outcome: 'registered', qualificationValidity: null, code: null },
    } as const;
    const story = situations['registration is sent']();
    story.tell(registered);
    expect(story.name).toBe('askingConsent');
    expect(story.visit).toMatchObject({
      registration: 'done',
      lookup: { state: 'answered', result: { registered: 'yes' } },
    });
  });

  it('that was missed is asked for again when the card is put back, with its look-up', () => {
    const story = situations['registration is sent']();
    story.tell({ type: 'StaffApproved', session: story.visit.session, approval: 'jws' });
    story.tell({ type: 'CardRemoved' });
    const insertion = story.insert();
    expect(story.tell({ type: 'CardRead', insertion, identity }).map(did)[0]).toBe('StartLookup');
    story.typePin();
    story.tell({ type: 'PinVerified', insertion });
    story.tell({ type: 'LookupAnswered', insertion, result: { ...lookup, registered: 'no' } });
    expect(screenOf(story)).toBe('registering signing');
  });

  it('refused names its reason', () => {
    const story = situations['registration is sent']();
    const outcome = { outcome: 'failed', qualificationValidity: null, code: 'eligibility.unavailable' } as const;
    story.tell({ type: 'ResultArrived', requestId, ...outcome });
    expect(screenOf(story)).toBe('interrupted eligibility.unavailable');
  });
});

describe('before anybody is asked for a consent', () => {
  const verifiedAfter = (events: readonly Told[], ms = 0): string => {
    const story = situations['PIN is checked']();
    for (const event of events) story.tell(event);
    story.nowMs += ms;
    story.tell({ type: 'PinVerified', insertion: insertionOf(story) });
    return screenOf(story);
  };
  it.each<[string, string, readonly Told[], number]>([
    ['all is well', 'askingConsent', [], 0],
    ['the clinic has been away for less than its time', 'askingConsent', [offline], delays.nobodyAnswersMs - 1],
    ['the clinic has been away for its time', 'interrupted delivery.offline', [offline], delays.nobodyAnswersMs],
    ['the agent is silent', 'interrupted agent.silent', [trouble('agent.silent')], 0],
    ['the receipt folder is full', 'askingConsent', [trouble('files.folder-full')], 0],
  ])('%s: %s', (_what, screen, events, ms) => {
    expect(verifiedAfter(events, ms)).toBe(screen);
  });

  it('a PIN that is right is standing, staff’s word is kept, and only a PIN falls with the card', () => {
    const pulled = (situation: Situation, verify: (story: VisitStory) => void): Session['state'] => {
      const story = situations[situation]();
      verify(story);
      story.tell({ type: 'CardRemoved' });
      return story.state;
    };
    const byPin = pulled('PIN is checked', (story) =>
      story.tell({ type: 'PinVerified', insertion: insertionOf(story) }),
    );
    expect(byPin).toMatchObject({ visit: { verification: { state: 'verified', method: 'pin', standing: false } } });
    const byFace = pulled('face', (story) => story.tell({ type: 'FaceMatched', insertion: insertionOf(story) }));
    expect(byFace).toMatchObject({ visit: { verification: { state: 'verified', method: 'face', standing: true } } });
    expect(pulled('which way', () => {})).toMatchObject({ visit: { verification: { state: 'open' } } });
  });

  it('a blocked PIN is known as blocked: it is not offered again in this visit', () => {
    const story = situations['PIN is checked']();
    story.tell({ type: 'PinRefused', insertion: insertionOf(story), triesLeft: 0 });
    expect(story.visit.identity?.pin).toEqual({ state: 'blocked' });
    story.touch('back');
    story.touch('use-pin');
    expect(screenOf(story)).toBe('choosingMethod');
    story.touch('call-staff');
    expect(screenOf(story)).toBe('awaitingStaffCheck card.pin-blocked');
  });

  it('a lookup that fails before anybody was verified is not waited for afterwards', () => {
    const story = situations.reading();
    const insertion = insertionOf(story);
    story.tell({ type: 'CardRead', insertion, identity });
    story.tell({ type: 'LookupFailed', insertion, failure: failure('eligibility.unavailable') });
    story.enterPin();
    expect(screenOf(story)).toBe('askingConsent');
  });

  it('a lookup that fails is left out, and one that answers after that is taken', () => {
    const story = situations['which way']();
    const before = story.visit.lookup;
    story.tell({ type: 'LookupFailed', insertion: insertionOf(story), failure: failure('eligibility.unavailable') });
    expect(story.visit.lookup).toEqual(before);
    const waiting = situations.lookup();
    waiting.tell({
      type: 'LookupFailed',
      insertion: insertionOf(waiting),
      failure: failure('eligibility.unavailable'),
    });
    expect(waiting.visit.lookup).toEqual({ state: 'unanswered' });
    waiting.tell({ type: 'LookupAnswered', insertion: insertionOf(waiting), result: lookup });
    expect(waiting.visit.lookup).toMatchObject({ state: 'answered' });
  });
});
