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
  expect(story.tell({ type: 'CardRemoved' })).toEqual([]);
  expect(shown(story.state)).toBe('registering signing');
  story.tell({ type: 'RequestSigned', insertion, kind: 'registration', requestId: 'registration-1' });
  expect(shown(story.state)).toBe('interrupted card.phone-removed');
});

describe('a registration with a phone that lies there', () => {
  const asked = (): string => {
    layDownTwice();
    verified();
    const { insertion } = story.visit;
    story.tell({ type: 'LookupAnswered', insertion, result: { ...lookup, registered: 'no' } });
    expect(shown(story.state)).toBe('registering asking');
    return insertion;
  };
  const durable = (insertion: string): void => {
    story.touch('agree');
    story.tell({ type: 'RequestSigned', insertion, kind: 'registration', requestId: 'registration-1' });
  };

  it('is signed, sent and answered, and the visit goes on', () => {
    durable(asked());
    expect(shown(story.state)).toBe('registering sending');
    const done = { outcome: 'registered', qualificationValidity: null, code: null } as const;
    story.tell({ type: 'ResultArrived', requestId: 'registration-1', ...done });
    expect(story.name).toBe('askingConsent');
  });

  it.each(['asked for', 'sent'])('lifted while it is %s: it could not sign what comes after it', (until) => {
    const insertion = asked();
    if (until === 'sent') durable(insertion);
    story.tell({ type: 'CardRemoved' });
    expect(shown(story.state)).toBe('interrupted card.phone-removed');
  });
});

describe('a My Number card in the place of the phone whose PIN was typed', () => {
  it('is that card’s own visit, as if it had been laid down first, and was asked for no PIN', () => {
    layDownTwice();
    story.pass(2_000);
    const { insertion } = story.visit;
    expect(story.tell({ type: 'PhoneWasCard', insertion })).toEqual([{ type: 'ReadCard', insertion }]);
    expect(story.state).toEqual({
      ...{ name: 'readingCard', resuming: null, deadlineMs: story.nowMs + delays.readCardMs },
      visit: expect.objectContaining({ insertion, phone: null, verification: { state: 'open' } }),
    });
    story.tell({ type: 'CardRead', insertion, identity });
    expect(story.name).toBe('choosingMethod');
    expect(story.did('VerifyPin')).toBe(0);
  });

  it('belongs on the bed where phones have a reader of their own', () => {
    story = VisitStory.atRest();
    story.tell({ type: 'SettingsChanged', settings: { ...settings, smartphone: true } });
    story.touch('use-smartphone');
    story.touch('android');
    typePin();
    story.tell({ type: 'PhonePresented', insertion: 'phone-1', session: 'session-p' });
    story.tell({ type: 'PhoneWasCard', insertion: 'phone-1' });
    expect(shown(story.state)).toBe('interrupted card.unreadable');
    expect(story.did('ReadCard')).toBe(0);
  });

  it('is told late, when nobody waits for a phone any more: nothing changes', () => {
    layDownTwice();
    verified();
    const { state } = story;
    expect(story.tell({ type: 'PhoneWasCard', insertion: story.visit.insertion })).toEqual([]);
    expect(story.state).toEqual(state);
  });
});

it('nobody is asked for a phone where it lies already: the one place waits for it', () => {
  layDown();
  story.tell({ type: 'PhonePinDigitsChanged', entered: 4 });
  expect(story.tell({ type: 'PhonePinSubmitted' })).toEqual([]);
  expect(story.name).toBe('awaitingPhone');
});

describe('what cannot be read there', () => {
  const laid = (code: 'card.unreadable' | 'card.not-my-number' | 'card.communication' | 'card.old-juki') =>
    void story.tell({ type: 'CardUnreadable', failure: failure(code), session: 'session-x' });

  it.each(['card.unreadable', 'card.not-my-number', 'card.communication'] as const)(
    '%s, while a phone is asked for or waited for, is taken for one',
    (code) => {
      for (const until of ['typed', 'submitted']) {
        story = VisitStory.atRest(true);
        story.tell({ type: 'SettingsChanged', settings: { ...settings, smartphone: true } });
        layDown();
        if (until === 'submitted') typePin();
        else story.tell({ type: 'PhonePinDigitsChanged', entered: 2 });
        laid(code);
        expect(shown(story.state)).toBe('interrupted card.phone-unreadable');
        expect(story.visit.phone).toBe('android');
        expect(story.did('ClearPinEntry')).toBeGreaterThan(1);
      }
    },
  );

  it('staff are told what the reader knew of it, else which of them it was', () => {
    const seen = (detail?: string) => {
      story = VisitStory.atRest(true);
      story.tell({ type: 'SettingsChanged', settings: { ...settings, smartphone: true } });
      layDownTwice();
      const reason = failure('card.communication', detail);
      story.tell({ type: 'PinCheckFailed', insertion: story.visit.insertion, failure: reason });
      return story.state;
    };
    const code = 'card.phone-unreadable';
    expect(seen('6F00')).toMatchObject({ name: 'interrupted', failure: { code, detail: '6F00' } });
    expect(seen()).toMatchObject({ name: 'interrupted', failure: { code, detail: 'card.communication' } });
  });

  it('a card of another kind is told as what it is', () => {
    layDown();
    laid('card.old-juki');
    expect(shown(story.state)).toBe('interrupted card.old-juki');
  });

  it('at rest no phone is supposed: a card that lies badly', () => {
    laid('card.unreadable');
    expect(shown(story.state)).toBe('interrupted card.unreadable approvable');
    expect(story.visit.phone).toBeNull();
  });

  it('nor where phones have a reader of their own', () => {
    story = VisitStory.atRest();
    story.tell({ type: 'SettingsChanged', settings: { ...settings, smartphone: true } });
    story.touch('use-smartphone');
    story.touch('android');
    laid('card.unreadable');
    expect(shown(story.state)).toBe('interrupted card.unreadable approvable');
    expect(story.visit.phone).toBeNull();
  });

  it('an iPhone, or an Android where none is read, goes to the desk as the phone it is; a card as a card', () => {
    const fail = (phoneThere: 'iphone' | 'android' | undefined) => {
      const insertion = story.insert();
      story.tell({
        ...{ type: 'CardReadFailed', insertion, failure: failure('card.phone-not-supported') },
        ...(phoneThere !== undefined && { phone: phoneThere }),
      });
      const told = [shown(story.state), story.visit.phone];
      story.tell({ type: 'CardRemoved' });
      story.pass(600_000);
      return told;
    };
    expect(fail('iphone')).toEqual(['interrupted card.phone-not-supported', 'iphone']);
    expect(fail(undefined)).toEqual(['interrupted card.phone-not-supported', null]);
    story.tell({ type: 'SettingsChanged', settings: { ...settings, smartphone: false } });
    expect(fail('android')).toEqual(['interrupted card.phone-not-supported', 'android']);
  });
});

describe('lifted', () => {
  it.each<[string, () => void]>([
    ['before its lookup was answered', () => {}],
    [
      'while its owner is asked',
      () =>
        void story.tell({
          ...{ type: 'LookupAnswered', insertion: story.visit.insertion },
          result: { ...lookup, registered: 'yes' },
        }),
    ],
  ])('%s: nothing more is asked in vain', (_when, before) => {
    layDownTwice();
    verified();
    before();
    story.tell({ type: 'CardRemoved' });
    expect(shown(story.state)).toBe('interrupted card.phone-removed');
  });

  it('while it checks its PIN: the PIN is asked again', () => {
    layDownTwice();
    story.tell({ type: 'CardRemoved' });
    expect(shown(story.state)).toBe('enteringPhonePin missed');
  });

  it.each<[string, () => void, string, string]>([
    ['on its way', () => {}, 'sending', 'EndCard'],
    ['received', () => accepted(), 'awaitingResult', 'EndCard'],
    ['answered', () => answered(), 'showingResult eligible', 'EndCard'],
    [
      ...['answered long ago', () => leftThere(), 'idle'],
      'EndCard, ReleaseRequest, VisitEnded accepted signed',
    ] as const,
  ])('once its request is signed, %s, it is needed no more than a card', (_when, come, screen, done) => {
    layDownTwice();
    verified();
    const { insertion } = story.visit;
    story.tell({ type: 'LookupAnswered', insertion, result: lookup });
    story.answerAll('agree');
    story.tell({ type: 'RequestSigned', insertion, kind: 'eligibility', requestId: 'r' });
    come();
    const effects = story.tell({ type: 'CardRemoved' }).map(did).join(', ');
    expect([shown(story.state), effects]).toEqual([screen, done]);
  });
  const accepted = (): void =>
    void story.tell({ type: 'ReceiptArrived', requestId: 'r', verdict: 'accepted', code: null });
  const answered = (): void => {
    accepted();
    const result = { outcome: 'eligible', qualificationValidity: 1, code: null } as const;
    story.tell({ type: 'ResultArrived', requestId: 'r', ...result });
  };
  const leftThere = (): void => {
    answered();
    story.pass(delays.showResultMs);
    expect(story.name).toBe('awaitingCardRemoval');
  };

  it('at the desk: its owner has seen why, and the screen is free soon', () => {
    layDownTwice();
    const { insertion } = story.visit;
    story.tell({ type: 'PinRefused', insertion, triesLeft: 0 });
    expect(story.tell({ type: 'CardRemoved' })).toEqual([]);
    expect(shown(story.state)).toBe('interrupted card.phone-pin-blocked');
    expect(story.state.deadlineMs).toBe(story.nowMs + delays.deskAfterRemovalMs);
  });

  it('with the reader itself, that is told', () => {
    layDownTwice();
    verified();
    story.tell({ type: 'ReaderLost', failure: failure('reader.lost') });
    expect(shown(story.state)).toBe('interrupted reader.lost');
  });

  it('while it signs its request: its signature tells, and until then nothing changes', () => {
    layDownTwice();
    verified();
    const { insertion } = story.visit;
    story.tell({ type: 'LookupAnswered', insertion, result: lookup });
    story.answerAll('agree');
    expect(story.name).toBe('signing');
    expect(story.tell({ type: 'CardRemoved' })).toEqual([]);
    expect(story.name).toBe('signing');
    story.tell({ type: 'RequestSigned', insertion, kind: 'eligibility', requestId: 'r' });
    expect(story.name).toBe('sending');
  });
});
