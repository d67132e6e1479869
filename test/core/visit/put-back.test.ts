import { describe, expect, it } from 'vitest';
import { identity, settings, type VisitStory } from '../../../scripts/beds/visit-story.ts';
import { failure } from '../../../src/core/failure.ts';
import { delays } from '../../../src/core/visit/delays.ts';
import type { Identity, VisualState } from '../../../src/core/visit/identity.ts';
import { did, shown } from './happenings.ts';
import { insertionOf, situations } from './situations.ts';

/* Whose card it is that is put back, and what becomes of a photo that is still being read. */

const reading = { state: 'reading' } as const;
const closed = { state: 'unavailable', code: 'card.photo-unreadable' } as const;
const photo = (photoHash: string): VisualState => {
  if (identity.visual.state !== 'read') throw new Error('the persona has a photo');
  return { ...identity.visual, photoHash };
};

/** Verified, pulled, and put back as `now`: the session that goes on, and what is done. */
const putBack = (
  verify: (story: VisitStory) => void,
  now: Partial<Identity>,
  before: Partial<Identity> = {},
): { story: VisitStory; isSame: boolean; effects: readonly string[] } => {
  const story = situations['at rest']();
  story.present(before);
  verify(story);
  const { session } = story.visit;
  story.tell({ type: 'CardRemoved' });
  const insertion = story.insert();
  const effects = story.tell({ type: 'CardRead', insertion, identity: { ...identity, ...before, ...now } }).map(did);
  return { story, effects, isSame: story.visit.session === session };
};
const byFace = (story: VisitStory): void => {
  story.touch('use-face');
  story.tell({ type: 'FaceMatched', insertion: insertionOf(story) });
};
const byPin = (story: VisitStory): void => story.enterPin();
const byNothing = (): void => {};

describe('a card that is put back is the same one', () => {
  const certificate = Uint8Array.of(1, 2, 3);
  it.each<[string, (story: VisitStory) => void, Partial<Identity>, boolean]>([
    ['by its certificate', byPin, {}, true],
    ['whatever its photo was, where the PIN was asked', byPin, { visual: photo('another') }, true],
    ['whatever its photo was, where nothing was asked yet', byNothing, { visual: closed }, true],
    ['not with one byte changed', byPin, { authCertificate: Uint8Array.of(1, 2, 4) }, false],
    ['not with its first byte changed', byPin, { authCertificate: Uint8Array.of(9, 2, 3) }, false],
    ['not with a byte more', byPin, { authCertificate: Uint8Array.of(1, 2, 3, 4) }, false],
    ['not with a byte less', byPin, { authCertificate: Uint8Array.of(1, 2) }, false],
    ['with the photo that was compared', byFace, {}, true],
    ['not with another photo where the face was compared', byFace, { visual: photo('another') }, false],
    ['not without a photo where the face was compared', byFace, { visual: closed }, false],
  ])('%s', (_what, verify, now, same) => {
    const { isSame, story } = putBack(verify, now, { authCertificate: certificate });
    expect(isSame).toBe(same);
    if (!same) expect(story.visit).toMatchObject({ verification: { state: 'open' }, answers: { consents: [] } });
  });

  it('where none was pulled, whoever lays one down keeps what they chose before, and who they called', () => {
    const story = situations['at rest']();
    story.touch('theme');
    story.touch('call-help');
    story.present();
    expect(story.session.display.theme).toBe('high-contrast');
    expect(story.session.help).not.toBeNull();
  });

  it('before its chip had told whose it was: another visit', () => {
    const story = situations.reading();
    const { session } = story.visit;
    story.tell({ type: 'CardReadFailed', insertion: insertionOf(story), failure: failure('card.removed') });
    story.tell({ type: 'CardRead', insertion: story.insert(), identity });
    expect(story.visit.session).not.toBe(session);
  });

  it('not where the chip told nothing and staff vouched for a person: whoever lays a card down then is another visit', () => {
    const story = situations['desk, chip unread']();
    const { session } = story.visit;
    story.tell({ type: 'StaffApproved', session, approval: 'jws' });
    story.tell({ type: 'CardRemoved' });
    expect(shown(story.state)).toBe('interrupted card.removed may-come-back');
    story.tell({ type: 'CardRead', insertion: story.insert(), identity });
    expect(story.visit).toMatchObject({ verification: { state: 'open' } });
    expect(story.visit.session).not.toBe(session);
  });

  it('not where neither the photo that was compared nor the one that lies there was ever told', () => {
    const story = situations['at rest']();
    story.present({ visual: reading });
    byFace(story);
    const { session } = story.visit;
    story.tell({ type: 'CardRemoved' });
    const insertion = story.insert();
    story.tell({ type: 'CardRead', insertion, identity: { ...identity, visual: reading } });
    story.tell({ type: 'VisualRead', insertion, visual: closed });
    expect(story.visit).toMatchObject({ verification: { state: 'open' } });
    expect(story.visit.session).not.toBe(session);
  });

  it('verified by face, its photo is read first, and nothing is done before', () => {
    const { story, effects } = putBack(byFace, { visual: reading });
    expect(effects).toEqual(['ReadVisual']);
    expect(shown(story.state)).toBe('readingCard put-back');
    expect(story.visit.identity?.visual).toEqual(reading);
    const pinned = putBack(byPin, { visual: reading });
    expect(shown(pinned.story.state)).toBe('enteringPin card-forgot 3-left');
  });

  it('its lookup is asked for again only where it was not answered', () => {
    const answered = putBack(byFace, {});
    expect(answered.effects).not.toContain('StartLookup');
    expect(answered.story.visit.lookup.state).toBe('answered');
    const story = situations.reading();
    story.tell({ type: 'CardRead', insertion: insertionOf(story), identity });
    story.tell({ type: 'CardRemoved' });
    const insertion = story.insert();
    expect(story.tell({ type: 'CardRead', insertion, identity }).map(did)).toEqual(['StartLookup']);
    expect(story.visit).toMatchObject({ lookup: { state: 'pending' }, insertion });
  });
});

describe('a photo that cannot be had', () => {
  it.each<[string, (story: VisitStory) => void, string]>([
    ['before a way is chosen', byNothing, 'enteringPin face-closed 3-left'],
    ['while the camera looks', (story) => void story.touch('use-face'), 'enteringPin face-closed 3-left'],
    ['while the PIN is typed', (story) => void story.touch('use-pin'), 'enteringPin 3-left'],
    ['after the PIN was right', byPin, 'askingConsent'],
  ])('%s: %s', (_what, come, screen) => {
    const story = situations['at rest']();
    story.present({ visual: reading });
    come(story);
    story.tell({ type: 'VisualRead', insertion: insertionOf(story), visual: closed });
    expect(shown(story.state)).toBe(screen);
    expect(story.visit.identity?.visual).toEqual(closed);
    // It is told once: what comes after that changes nothing.
    story.tell({ type: 'VisualRead', insertion: insertionOf(story), visual: photo('late') });
    expect(story.visit.identity?.visual).toEqual(closed);
  });

  it('that can, changes nothing but what is known', () => {
    for (const control of ['use-face', 'use-pin', 'call-staff'] as const) {
      const story = situations['at rest']();
      story.present({ visual: reading });
      story.touch(control);
      const screen = shown(story.state);
      story.tell({ type: 'VisualRead', insertion: insertionOf(story), visual: photo('photo') });
      expect([shown(story.state), story.visit.identity?.visual]).toEqual([screen, photo('photo')]);
    }
  });
});

describe('what lies there and cannot be read', () => {
  const lies = (story: VisitStory, code: 'card.unreadable' | 'card.not-my-number') => {
    story.tell({ type: 'CardUnreadable', failure: failure(code), session: 'session-x' });
    return story;
  };

  it('may be a good card laid badly, whose patient staff may approve; another card is not', () => {
    expect(lies(situations['at rest'](), 'card.unreadable').state).toMatchObject({ approvable: true });
    expect(lies(situations['at rest'](), 'card.not-my-number').state).toMatchObject({ approvable: false });
  });

  it('where a card was just pulled is the same person’s, with their language; after that, somebody else’s', () => {
    const chosen = (situation: 'card is pulled' | 'card stays away'): string => {
      const story = situations[situation]();
      story.session = { ...story.session, display: { ...story.session.display, theme: 'dark' } };
      return lies(story, 'card.unreadable').session.display.theme;
    };
    expect([chosen('card is pulled'), chosen('card stays away')]).toEqual(['dark', settings.theme]);
    const begun = situations['at rest']();
    begun.touch('theme');
    expect(lies(begun, 'card.unreadable').session.display.theme).toBe('high-contrast');
  });
});

it('who takes the card while the result is awaited waits as long as anybody', () => {
  const story = situations['waiting for the result']();
  const { deadlineMs } = story.state;
  story.tell({ type: 'CardRemoved' });
  expect(story.state).toMatchObject({ name: 'awaitingResult', deadlineMs });
});

it('the next patient’s card that comes and goes while a request is sent is nothing to this visit', () => {
  const story = situations.sending();
  expect(story.tell({ type: 'CardRemoved' }).map(did)).toEqual(['EndCard']);
  story.insert();
  const { state } = story;
  expect(story.tell({ type: 'CardRemoved' })).toEqual([]);
  expect(story.state).toEqual(state);
});

it('who takes the card while the result stands there has one more look, never a longer one', () => {
  const story = situations.result();
  story.pass(delays.showResultMs - 1_000);
  const { deadlineMs } = story.state;
  story.tell({ type: 'CardRemoved' });
  expect(story.state.deadlineMs).toBe(deadlineMs);
});
