import { describe, expect, it } from 'vitest';
import { lookup, settings, VisitStory } from '../../../scripts/beds/visit-story.ts';
import { delays } from '../../../src/core/visit/delays.ts';
import { requestId, situations } from './situations.ts';

const questions = (): VisitStory => {
  const story = VisitStory.atRest();
  story.present();
  story.enterPin();
  return story;
};

describe('a finger that lands twice', () => {
  it.each([1, 350, 500, 700, delays.otherButtonsMs - 1])(
    '%i ms apart answers one question, never the next unseen',
    (ms) => {
      for (const [first, second] of [
        ['agree', 'agree'],
        ['decline', 'decline'],
        ['agree', 'decline'],
        ['one-by-one', 'decline'],
      ] as const) {
        const story = questions();
        story.touch(first);
        const answered = story.visit;
        story.pass(ms);
        story.hit(second);
        expect(story.visit, `${first} ${second}`).toEqual(answered);
        story.pass(delays.otherButtonsMs - ms);
        story.hit(second);
        expect(story.visit.questionIndex).toBe(answered.questionIndex + 1);
      }
    },
  );

  it('confirms nothing after the last question, and sends nobody to staff from the face check', () => {
    const story = questions();
    for (let left = 20; left > 0 && story.visit.questions?.[story.visit.questionIndex]?.kind !== 'summary'; left -= 1)
      // Some of each: only then is there something to look over.
      story.touch(left % 2 === 0 ? 'agree' : 'decline');
    story.hit('confirm');
    expect(story.name).toBe('askingConsent');
    story.touch('confirm');
    expect(story.name).toBe('signing');
  });

  it('that was going for another way when the face was recognised answers no question', () => {
    const story = VisitStory.atRest();
    story.present();
    story.touch('use-face');
    story.tell({ type: 'FaceMatched', insertion: story.visit.insertion });
    story.pass(300);
    story.hit('agree');
    expect(story.visit).toMatchObject({ questionIndex: 0, answers: { consents: [] } });
  });

  it('that was going for an answer when 「まだいらっしゃいますか」 came keeps the visit, and answers nothing', () => {
    const story = questions();
    story.pass(settings.timeouts.answerMs);
    story.hit('agree');
    expect(story.state).toMatchObject({ name: 'askingConsent', patience: { asked: false } });
    story.hit('decline');
    expect(story.visit.questionIndex).toBe(0);
  });

  it('registers nobody unseen, and spends no last try', () => {
    const story = VisitStory.atRest();
    story.present({ pin: { state: 'usable', triesLeft: 1 } }, { ...lookup, registered: 'no' });
    story.touch('use-pin');
    story.hit('last-try-yes');
    expect(story.state).toMatchObject({ name: 'enteringPin', lastTry: 'asking' });
    story.touch('last-try-yes');
    story.typePin();
    story.tell({ type: 'PinVerified', insertion: story.visit.insertion });
    story.hit('agree');
    expect(story.state).toMatchObject({ name: 'registering', phase: 'asking' });
  });
});

describe('a finger on its way when the screen changes by itself', () => {
  it('to 登録する when the registration is answered at once: no consent is given', () => {
    const story = situations['shall register?']();
    story.touch('agree');
    const { insertion } = story.visit;
    story.tell({ type: 'RequestSigned', insertion, kind: 'registration', requestId });
    story.tell({
      ...{ type: 'ResultArrived', requestId, outcome: 'registered', qualificationValidity: null, code: null },
    });
    story.pass(delays.otherButtonsMs - 1);
    story.hit('agree');
    expect(story.visit).toMatchObject({ questionIndex: 0, answers: { consents: [] } });
    story.pass(1);
    story.hit('agree');
    expect(story.visit.questionIndex).toBe(1);
  });

  it('to 戻る, or to the staff, when these approve: no consent is given', () => {
    for (const situation of ['staff are called', 'which way', 'PIN, nothing typed'] as const) {
      const story = situations[situation]();
      story.tell({ type: 'StaffApproved', session: story.visit.session, approval: 'jws' });
      story.pass(300);
      story.hit('agree');
      expect(story.visit, situation).toMatchObject({ questionIndex: 0, answers: { consents: [] } });
    }
  });

  it('to the smartphone, when a card is read at once: no way is chosen', () => {
    const story = situations['at rest']();
    story.present();
    story.hit('use-face');
    expect(story.name).toBe('choosingMethod');
  });

  it('to 「カードで」, when the PIN for a phone is complete, goes not back; nor to the PIN, when its last try is asked', () => {
    const held = situations['waiting for an Android']();
    held.hit('back');
    expect(held.name).toBe('awaitingPhone');
    const last = situations['PIN is checked']();
    last.tell({ type: 'PinRefused', insertion: last.visit.insertion, triesLeft: 1 });
    last.hit('last-try-yes');
    expect(last.state).toMatchObject({ lastTry: 'asking' });
    const onPhone = situations['phone PIN, last try']();
    onPhone.hit('last-try-yes');
    expect(onPhone.state).toMatchObject({ lastTry: 'asking' });
  });
});

describe('whoever does something is there, and has heard enough', () => {
  const { insertion } = situations['which way']().visit;
  const moved = (event: Parameters<VisitStory['tell']>[0]): boolean => {
    const story = situations['which way']();
    story.pass(5_000);
    story.tell(event);
    return story.session.unmovedSinceMs === story.nowMs;
  };
  it.each<[string, Parameters<VisitStory['tell']>[0]]>([
    ['a touch, also where it means nothing', { type: 'Touched', session: null, control: 'agree' }],
    ['a key', { type: 'KeyPressed', asks: false }],
    ['a digit', { type: 'PinDigitsChanged', insertion, entered: 1 }],
    ['決定', { type: 'PinSubmitted', insertion }],
    ['a card', { type: 'CardInserted', insertion: 'x', session: 'x' }],
    ['a card taken', { type: 'CardRemoved' }],
    ['a phone', { type: 'PhonePresented', insertion: 'x', session: 'x' }],
    ['a digit of a phone’s PIN', { type: 'PhonePinDigitsChanged', entered: 1 }],
    ['決定 of a phone’s PIN', { type: 'PhonePinSubmitted' }],
  ])('%s', (_what, event) => {
    expect(moved(event)).toBe(true);
  });

  it('what happens around them, and what is said to them, is not theirs', () => {
    for (const event of [
      { type: 'VoiceBegan' },
      { type: 'BusConnected' },
      { type: 'HelpAnswered' },
      { type: 'ChallengesChanged', ready: true },
    ] as const)
      expect(moved(event)).toBe(false);
  });

  it('another screen is something new to be heard, whoever brought it', () => {
    const story = situations.signing();
    story.pass(1_000);
    story.tell({ type: 'RequestSigned', insertion: story.visit.insertion, kind: 'eligibility', requestId });
    expect(story.session.unmovedSinceMs).toBe(story.nowMs);
  });
});

describe('a touch that is meant is taken at once', () => {
  it('where no button was before, and where the same buttons stand still', () => {
    const story = VisitStory.atRest();
    story.present();
    story.hit('use-face');
    expect(story.name).toBe('verifyingFace');
    story.hit('use-pin');
    expect(story.name).toBe('enteringPin');
  });

  it('by keys, which say a choice before it is taken', () => {
    const story = questions();
    const { session } = story.visit;
    story.touch('agree');
    story.tell({ type: 'Touched', session, control: 'decline', said: true });
    expect(story.visit.questionIndex).toBe(2);
  });

  it('on a tool, at any time', () => {
    const story = questions();
    story.touch('agree');
    story.hit('text-size');
    expect(story.session.display.textPercent).toBe(150);
  });
});
