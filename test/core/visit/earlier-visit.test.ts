import { describe, expect, it } from 'vitest';
import { identity, settings, type VisitStory } from '../../../scripts/beds/visit-story.ts';
import { failure } from '../../../src/core/failure.ts';
import { delays } from '../../../src/core/visit/delays.ts';
import { did, shown } from './happenings.ts';
import { insertionOf, situations } from './situations.ts';

/* A terminal that was started again while visits it had signed were under way. */

type Told = Parameters<VisitStory['tell']>[0];
const receipt = (requestId: string, verdict: 'accepted' | 'refused', code: string | null = null): Told => ({
  ...{ type: 'ReceiptArrived', requestId, verdict, code },
});
const result = (requestId: string): Told => ({
  ...{ type: 'ResultArrived', requestId, outcome: 'eligible', qualificationValidity: 1, code: null },
});

/** Two visits of before; a card lies there and is being read. */
const restarted = (...news: readonly Told[]): VisitStory => {
  const story = situations['at rest']();
  for (const id of ['first', 'second'])
    story.tell({ type: 'EarlierVisitFound', requestId: id, session: `session-of-${id}` });
  for (const event of news) expect(story.tell(event)).toEqual([]);
  story.insert();
  return story;
};
const read = (story: VisitStory, earlier?: string): readonly string[] =>
  story
    .tell({
      ...{ type: 'CardRead', insertion: insertionOf(story), identity },
      ...(earlier === undefined ? {} : { earlier }),
    } as Told)
    .map((effect) => ('requestId' in effect ? `${did(effect)} ${effect.requestId}` : did(effect)));

const leftSecond = ['TellLate second', 'ReleaseRequest second'];

describe('the card that signed before the restart goes on where its visit stood, and signs nothing again', () => {
  it('nothing heard: its receipt is waited for, with a time of its own', () => {
    const story = restarted();
    story.pass(1_000);
    expect(read(story, 'first')).toEqual([...leftSecond, 'EndCard']);
    expect(story.state).toMatchObject({
      ...{ name: 'sending', requestId: 'first', sinceMs: story.nowMs, earlyResult: null },
      deadlineMs: story.nowMs + settings.timeouts.offlineMs,
      visit: { session: 'session-of-first', requestId: 'first', identity },
    });
    story.tell(receipt('first', 'accepted'));
    expect(story.name).toBe('awaitingResult');
  });

  it('received: its result is waited for', () => {
    const story = restarted(receipt('first', 'accepted'));
    expect(read(story, 'first')).toEqual([...leftSecond, 'EndCard']);
    expect(story.state).toMatchObject({
      ...{ name: 'awaitingResult', requestId: 'first', deadlineMs: story.nowMs + delays.resultMs },
    });
  });

  it('received and answered: its result is shown', () => {
    const story = restarted(receipt('first', 'accepted'), result('first'));
    expect(read(story, 'first')).toEqual([...leftSecond, 'EndCard', 'Chime accepted']);
    expect(shown(story.state)).toBe('showingResult eligible');
    expect(story.visit.session).toBe('session-of-first');
  });

  it('answered before it was received: the result waits for the receipt', () => {
    const story = restarted(result('first'));
    read(story, 'first');
    expect(shown(story.state)).toBe('sending early-eligible');
    story.tell(receipt('first', 'accepted'));
    expect(shown(story.state)).toBe('showingResult eligible');
  });

  it('with what was chosen before it was laid down', () => {
    const story = situations['at rest']();
    story.tell({ type: 'EarlierVisitFound', requestId: 'first', session: 'session-of-first' });
    story.touch('theme');
    story.insert();
    read(story, 'first');
    expect([story.name, story.session.display.theme]).toEqual(['sending', 'high-contrast']);
  });

  it('refused: the desk, with the reason', () => {
    const story = restarted(receipt('first', 'refused', 'card.certificate-revoked'));
    expect(read(story, 'first')).toEqual([...leftSecond, 'EndCard', 'EndCard', 'Chime attention']);
    expect(shown(story.state)).toBe('interrupted card.certificate-revoked');
    const unsaid = restarted(receipt('first', 'refused'));
    read(unsaid, 'first');
    expect(unsaid.state).toMatchObject({ failure: failure('delivery.refused') });
    expect(unsaid.state).not.toHaveProperty('failure.detail');
    const unknown = restarted(receipt('first', 'refused', 'of a later release'));
    read(unknown, 'first');
    expect(unknown.state).toMatchObject({ failure: { code: 'delivery.refused', detail: 'of a later release' } });
  });
});

describe('the card that signed before the restart, laid where another patient’s was pulled', () => {
  /** Somebody whose chip could not be read, for whom staff have vouched, has pulled their card: nothing was asked of it. */
  const inPlace = (...news: readonly Told[]) => {
    const story = situations['at rest']();
    story.tell({ type: 'EarlierVisitFound', requestId: 'first', session: 'session-of-first' });
    for (const event of news) story.tell(event);
    story.tell({ type: 'CardUnreadable', failure: failure('card.unreadable'), session: 'session-u' });
    story.tell({ type: 'StaffApproved', session: 'session-u', approval: 'jws' });
    story.touch('theme');
    story.tell({ type: 'CardRemoved' });
    story.insert();
    expect(shown(story.state)).toBe('readingCard put-back');
    return { story, effects: read(story, 'first') };
  };
  const over = ['EndCard', 'VisitEnded card.removed'];

  it('goes on as its own visit: the other one is over, and what was chosen there is gone', () => {
    const { story, effects } = inPlace();
    expect(effects).toEqual([...over, 'EndCard']);
    expect(shown(story.state)).toBe('sending');
    expect(story.visit.session).toBe('session-of-first');
    expect(story.session.display.theme).toBe('default');
  });

  it('refused: the other one is over once', () => {
    const { story, effects } = inPlace(receipt('first', 'refused', 'card.certificate-revoked'));
    expect(effects).toEqual([...over, 'EndCard', 'EndCard', 'Chime attention']);
    expect(shown(story.state)).toBe('interrupted card.certificate-revoked');
  });
});

describe('another card', () => {
  it('is a visit of its own, and staff hear that both patients have left', () => {
    const story = restarted(receipt('first', 'accepted'));
    const late = ['TellLate first', 'ReleaseRequest first', ...leftSecond];
    expect(read(story)).toEqual([...late, 'StartLookup']);
    expect(shown(story.state)).toBe('choosingMethod');
    expect(story.visit).toMatchObject({ requestId: null, session: 'session-1' });
    // Told once: nobody is waited for any more.
    story.tell({ type: 'CardRemoved' });
    story.tell({ type: 'EarlierVisitGivenUp', requestId: 'first' });
    expect(story.did('TellLate')).toBe(2);
  });

  it('that claims a request which nobody waits for begins anew, too', () => {
    const story = restarted();
    read(story, 'third');
    expect(shown(story.state)).toBe('choosingMethod');
  });
});

describe('of a visit of before', () => {
  it('that nobody came back for staff hear, once, and of none that is not known', () => {
    const story = restarted();
    const giveUp = (requestId: string) => story.tell({ type: 'EarlierVisitGivenUp', requestId }).map(did);
    expect(giveUp('third')).toEqual([]);
    expect(giveUp('first')).toEqual(['TellLate', 'ReleaseRequest']);
    expect(giveUp('first')).toEqual([]);
    expect(read(story)).toEqual([...leftSecond, 'StartLookup']);
  });

  it('whose request has run out nothing is told any more', () => {
    const story = restarted({ type: 'RequestExpired', requestId: 'first' });
    expect(read(story)).toEqual([...leftSecond, 'StartLookup']);
  });
});
