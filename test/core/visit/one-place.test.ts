import { beforeEach, describe, expect, it } from 'vitest';
import { identity, lookup, settings, VisitStory } from '../../../scripts/beds/visit-story.ts';
import { failure } from '../../../src/core/failure.ts';
import { delays } from '../../../src/core/visit/delays.ts';
import { did, shown } from './happenings.ts';
import { phone } from './situations.ts';

/* Card and phone at one place: what comes and goes there at a bad moment. */

let story: VisitStory;
beforeEach(() => {
  story = VisitStory.atRest(true);
  story.tell({ type: 'SettingsChanged', settings: { ...settings, smartphone: true } });
});

const layDown = (): void => {
  const insertion = story.insert();
  story.tell({ type: 'CardReadFailed', insertion, failure: failure('card.phone-not-supported'), phone: 'android' });
};
const typePin = (): void => {
  story.tell({ type: 'PhonePinDigitsChanged', entered: 4 });
  story.tell({ type: 'PhonePinSubmitted' });
};
/** Known, its PIN typed, laid down again: it is being asked. */
const layDownTwice = (): void => {
  layDown();
  typePin();
  story.tell({ type: 'CardRemoved' });
  story.insert();
};
const verified = (earlier?: string): void =>
  void story.tell({
    ...{ type: 'PhoneVerified', insertion: story.visit.insertion, identity: phone },
    ...(earlier !== undefined && { earlier }),
  });

describe('a phone that lies on after its visit is over', () => {
  it.each([
    ['its PIN was wrong', { type: 'PinRefused', triesLeft: 2 }],
    ['it did not answer', { type: 'PinCheckFailed', failure: failure('card.removed') }],
  ] as const)('%s: back at rest it is not read again, whatever else happens around the terminal', (_, refusal) => {
    layDownTwice();
    story.tell({ ...refusal, insertion: story.visit.insertion });
    expect(story.name).toBe('enteringPhonePin');
    const reads = story.did('ReadCard');
    story.touch('back');
    expect(story.name).toBe('idle');
    story.tell({ type: 'ChallengesChanged', ready: true });
    expect([story.name, story.did('ReadCard')]).toEqual(['idle', reads]);
  });

  it('nor when nobody types any more', () => {
    layDownTwice();
    story.tell({ type: 'PinRefused', insertion: story.visit.insertion, triesLeft: 2 });
    const reads = story.did('ReadCard');
    story.pass(settings.timeouts.answerMs + delays.stillThereMs);
    expect([story.name, story.did('ReadCard')]).toEqual(['idle', reads]);
  });

  it('somebody’s card in its place is served', () => {
    layDownTwice();
    story.tell({ type: 'PinRefused', insertion: story.visit.insertion, triesLeft: 2 });
    story.tell({ type: 'CardRemoved' });
    story.insert();
    story.tell({ type: 'CardRead', insertion: story.visit.insertion, identity });
    expect(story.name).toBe('choosingMethod');
  });
});

describe('the reader itself goes', () => {
  it.each(['typed', 'submitted'])('while a PIN is %s: told at once, and the digits are gone', (until) => {
    layDown();
    if (until === 'submitted') typePin();
    else story.tell({ type: 'PhonePinDigitsChanged', entered: 3 });
    const effects = story.tell({ type: 'ReaderLost', failure: failure('reader.lost') });
    expect(shown(story.state)).toBe('outOfService reader.lost');
    expect(effects.map(did)).toContain('ClearPinEntry');
    story.tell({ type: 'ReaderFound' });
    expect(story.name).toBe('idle');
    story.insert();
    expect(story.name).toBe('readingCard');
  });
});

describe('the terminal was started again', () => {
  const restart = (): void => {
    for (const id of ['own', 'other'])
      story.tell({ type: 'EarlierVisitFound', requestId: id, session: `session-of-${id}` });
    layDownTwice();
  };

  it('the phone that had signed goes on where its visit stood, and signs nothing again', () => {
    restart();
    const from = story.effects.length;
    verified('own');
    expect(story.state).toMatchObject({ name: 'sending', visit: { session: 'session-of-own', phone: 'android' } });
    expect(story.effects.slice(from).map(did)).toEqual(['TellLate', 'ReleaseRequest', 'EndCard']);
    story.tell({ type: 'ReceiptArrived', requestId: 'own', verdict: 'accepted', code: null });
    story.tell({
      ...{ type: 'ResultArrived', requestId: 'own', outcome: 'eligible', qualificationValidity: 1, code: null },
    });
    expect(shown(story.state)).toBe('showingResult eligible');
    expect([story.did('SignRequest'), story.did('StartLookup')]).toEqual([0, 0]);
  });

  it('refused meanwhile: the desk, with the reason', () => {
    restart();
    story.tell({
      ...{ type: 'ReceiptArrived', requestId: 'own', verdict: 'refused', code: 'card.certificate-revoked' },
    });
    verified('own');
    expect(shown(story.state)).toBe('interrupted card.certificate-revoked');
  });

  it('another phone: staff hear that both of before have gone without an answer', () => {
    restart();
    verified();
    expect(story.name).toBe('awaitingLookup');
    expect(story.did('TellLate')).toBe(2);
    expect(story.session.surroundings.earlier).toEqual([]);
  });
});

it('lifted while its registration is signed: told before anything is asked that it could not sign', () => {
  layDownTwice();
  verified();
  const { insertion } = story.visit;
  story.tell({ type: 'LookupAnswered', insertion, result: { ...lookup, registered: 'no' } });
  story.touch('agree');
  expect(shown(story.state)).toBe('registering signing');
  story.tell({ type: 'CardRemoved' });
  story.tell({ type: 'RequestSigned', insertion, kind: 'registration', requestId: 'registration-1' });
  expect(shown(story.state)).toBe('interrupted card.phone-removed');
});
