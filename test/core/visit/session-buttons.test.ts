import { describe, expect, it } from 'vitest';
import { lookup, settings, VisitStory } from '../../../scripts/beds/visit-story.ts';
import { delays } from '../../../src/core/visit/delays.ts';

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
