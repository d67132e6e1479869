import { describe, expect, it } from 'vitest';
import { settings, VisitStory } from '../../../scripts/beds/visit-story.ts';
import { delays } from '../../../src/core/visit/delays.ts';

const { answerMs, cardReturnMs } = settings.timeouts;

describe('a patient who listens', () => {
  it('has the whole time from the end of what is said, also for 「まだいらっしゃいますか」', () => {
    const story = VisitStory.atRest();
    story.present();
    story.tell({ type: 'VoiceBegan' });
    story.pass(answerMs + 5_000);
    expect(story.state).toMatchObject({ patience: { asked: false } });
    story.tell({ type: 'VoiceEnded' });
    story.pass(answerMs - 1);
    expect(story.state).toMatchObject({ patience: { asked: false } });
    story.pass(1);
    expect(story.state).toMatchObject({ patience: { asked: true } });
    story.tell({ type: 'VoiceBegan' });
    story.pass(delays.stillThereMs + 5_000);
    story.tell({ type: 'VoiceEnded' });
    story.pass(delays.stillThereMs - 1);
    expect(story.state).toMatchObject({ patience: { asked: true } });
    story.pass(1);
    expect(story.name).toBe('interrupted');
  });

  it('has no more time because something else begins to be said while something is', () => {
    const story = VisitStory.atRest();
    story.present();
    story.tell({ type: 'VoiceBegan' });
    story.pass(2_000);
    const { deadlineMs } = story.state;
    expect(story.tell({ type: 'VoiceBegan' })).toEqual([]);
    expect(story.state.deadlineMs).toBe(deadlineMs);
  });

  it('is not waited for for ever where a sound card never ends a sentence', () => {
    const story = VisitStory.atRest();
    story.present();
    story.tell({ type: 'VoiceBegan' });
    story.pass(Math.max(answerMs, delays.longestSpeechMs) + delays.whileSaidMs);
    expect(story.state).toMatchObject({ patience: { asked: true } });
  });

  it('is not waited for any longer by hints that are said again and again', () => {
    const story = VisitStory.atRest();
    story.present();
    story.touch('use-face');
    const beganMs = story.nowMs;
    while (story.name !== 'interrupted' && story.nowMs - beganMs < 600_000) {
      const { insertion } = story.visit;
      story.tell({ type: 'FaceHinted', insertion, hint: story.nowMs % 4_000 < 2_000 ? 'nearer' : 'farther' });
      story.tell({ type: 'VoiceBegan' });
      story.pass(1_500);
      story.tell({ type: 'VoiceEnded' });
      story.pass(500);
    }
    const { faceMs } = settings.timeouts;
    const hardEndMs = 2 * delays.longestSpeechMs + faceMs + answerMs + delays.stillThereMs;
    expect(story.nowMs - beganMs).toBeLessThanOrEqual(hardEndMs + 2_000);
    expect(story.state).toMatchObject({ name: 'interrupted', failure: { code: 'session.timed-out' } });
  });

  it('is told of by what ends alone: an end without a beginning moves nothing', () => {
    const story = VisitStory.atRest();
    story.present();
    const { deadlineMs } = story.state;
    story.pass(5_000);
    story.tell({ type: 'VoiceEnded' });
    expect(story.state.deadlineMs).toBe(deadlineMs);
  });

  it('does not keep the answers of a pulled card any longer', () => {
    const story = VisitStory.atRest();
    story.present();
    story.tell({ type: 'CardRemoved' });
    story.tell({ type: 'VoiceBegan' });
    story.pass(cardReturnMs);
    expect(story.state).toMatchObject({ name: 'interrupted', resume: false });
    story.pass(delays.notFinishedMs);
    expect(story.name).toBe('interrupted');
    story.tell({ type: 'VoiceEnded' });
    story.pass(delays.notFinishedMs);
    expect(story.name).toBe('idle');
  });

  it('is still there when any key is pressed, and asks for the voice by it', () => {
    const story = VisitStory.atRest();
    story.present();
    story.pass(answerMs);
    expect(story.state).toMatchObject({ patience: { asked: true } });
    story.tell({ type: 'KeyPressed', asks: true });
    expect(story.state).toMatchObject({ patience: { asked: false } });
    expect(story.session.display.voice).toBe('all');
  });
});

describe('the voice', () => {
  it('says headings until somebody asks, and is as the clinic wants it for the next patient', () => {
    const story = VisitStory.atRest();
    story.present();
    story.touch('voice');
    expect(story.session.display.voice).toBe('all');
    story.touch('voice');
    expect(story.session.display.voice).toBe('off');
    story.touch('repeat');
    expect(story.session.display.voice).toBe('all');
    story.tell({ type: 'SettingsChanged', settings: { ...settings, voice: 'off' } });
    story.tell({ type: 'CardRemoved' });
    story.pass(cardReturnMs + delays.notFinishedMs);
    expect(story.session.display.voice).toBe('off');
  });
});

describe('a call for help', () => {
  it('can be made again once it was answered, and not twice before', () => {
    const story = VisitStory.atRest();
    const calls = () => story.session.help;
    story.touch('call-help');
    const first = calls();
    story.pass(60_000);
    story.touch('call-help');
    expect(calls()).toEqual(first);
    story.tell({ type: 'HelpAnswered' });
    expect(calls()).toMatchObject({ answered: true });
    story.pass(60_000);
    story.touch('call-help');
    expect(calls()).toEqual({ calledAtMs: (first?.calledAtMs ?? 0) + 120_000, answered: false });
  });
});

describe('everything to touch at the lower edge', () => {
  it('is one touch away, and goes back with the visit', () => {
    const story = VisitStory.atRest();
    story.present();
    story.touch('layout');
    expect(story.session.display.layout).toBe('low');
    story.touch('layout');
    expect(story.session.display.layout).toBe('standard');
    story.touch('layout');
    story.tell({ type: 'CardRemoved' });
    story.pass(cardReturnMs + delays.notFinishedMs);
    expect(story.name).toBe('idle');
    expect(story.session.display.layout).toBe('standard');
  });
});
