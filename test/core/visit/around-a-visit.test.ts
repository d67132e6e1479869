import { describe, expect, it, test } from 'vitest';
import { identity, lookup, settings, VisitStory } from '../../../scripts/beds/visit-story.ts';
import { type FailureCode, failure } from '../../../src/core/failure.ts';
import { delays } from '../../../src/core/visit/delays.ts';
import { facilityDisplay } from '../../../src/core/visit/session-steps.ts';
import { did, offline, screenOf, type Told, trouble } from './happenings.ts';
import { eachSituation, insertionOf, situations } from './situations.ts';

describe('what has begun for a card that is gone changes nothing for the next one', () => {
  const answers: readonly Record<string, unknown>[] = [
    { type: 'CardRead', identity },
    { type: 'CardReadFailed', failure: failure('card.unreadable') },
    { type: 'VisualRead', visual: identity.visual },
    { type: 'LookupAnswered', result: { ...lookup, certificateStatus: 'revoked' } },
    { type: 'LookupFailed', failure: failure('eligibility.unavailable') },
    ...[{ type: 'FaceHinted', hint: 'nearer' }, { type: 'FaceMatched' }, { type: 'FaceMissed' }],
    { type: 'FaceFailed', failure: failure('camera.lost') },
    ...[{ type: 'PinDigitsChanged', entered: 4 }, { type: 'PinSubmitted' }, { type: 'PinVerified' }],
    ...[
      { type: 'PinRefused', triesLeft: 0 },
      { type: 'PinCheckFailed', failure: failure('card.removed') },
    ],
    { type: 'PhoneVerified', identity },
    { type: 'SigningFailed', kind: 'eligibility', failure: failure('card.removed') },
  ];
  test.each(eachSituation)('%s', (_situation, come) => {
    for (const answer of answers) {
      const story = come();
      const { state, surroundings } = story.session;
      const effects = story.tell({ ...answer, insertion: 'of-the-last-one' } as Told);
      expect([effects, story.state, story.session.surroundings], String(answer.type)).toEqual([
        [],
        state,
        surroundings,
      ]);
    }
  });

  test.each(eachSituation)('a finger on the last one’s screen: %s', (_situation, come) => {
    for (const session of ['of-the-last-one', come().state.name === 'idle' ? 'any' : null]) {
      const story = come();
      if (session === null && !('visit' in story.state)) continue;
      const before = story.session;
      for (const control of ['call-help', 'language', 'agree', 'use-pin', 'back'] as const) {
        expect(story.tell({ type: 'Touched', session, control, value: 'en' })).toEqual([]);
        expect({ ...story.session, unmovedSinceMs: before.unmovedSinceMs }).toEqual(before);
      }
    }
  });
});

describe('between visits', () => {
  it('a terminal that has just been switched on says what it lacks, one after the other, and is ready when nothing is', () => {
    const story = new VisitStory();
    const said: string[] = [screenOf(story)];
    expect(story.session.surroundings).toMatchObject({ connected: false, challengesReady: false, speaking: false });
    for (const event of [
      { type: 'BusConnected' },
      { type: 'ReaderFound' },
      { type: 'SettingsChanged', settings },
      { type: 'ChallengesChanged', ready: true },
    ] as const) {
      story.tell(event);
      said.push(screenOf(story));
    }
    expect(said.map((screen) => screen.split(' ')[1] ?? screen)).toEqual([
      ...['settings.missing', 'reader.lost', 'settings.missing', 'delivery.no-challenge', 'idle'],
    ]);
  });

  it('a face process that has not begun yet is waited for, and none at all is no fault of the terminal', () => {
    const story = new VisitStory();
    for (const event of [
      ...([{ type: 'ReaderFound' }, { type: 'SettingsChanged', settings }] as const),
      ...([{ type: 'ChallengesChanged', ready: true }, { type: 'BusConnected' }] as const),
    ])
      story.tell(event);
    story.present();
    expect(screenOf(story)).toBe('choosingMethod');
  });

  it('without the clinic and without settings it says why it has none', () => {
    const story = new VisitStory();
    story.tell({ type: 'BusDisconnected', failure: failure('delivery.line-down') });
    story.tell({ type: 'ReaderFound' });
    expect(screenOf(story)).toBe('outOfService delivery.line-down');
  });

  it.each<[string, readonly Told[], string]>([
    ['no challenge, in reach', [{ type: 'ChallengesChanged', ready: false }], 'outOfService delivery.no-challenge'],
    [
      'no challenge, out of reach',
      [offline, { type: 'ChallengesChanged', ready: false }],
      'outOfService delivery.no-challenge',
    ],
    ['out of reach for a moment', [offline], 'idle'],
    ['an agent whose disk is full', [trouble('agent.disk-full')], 'outOfService agent.disk-full'],
    ['an agent that is silent', [trouble('agent.silent')], 'outOfService agent.silent'],
    ['a folder that is full: nothing of a visit is lost by it', [trouble('files.folder-full')], 'idle'],
    ['an agent that is well again', [trouble('agent.silent'), { type: 'AgentChanged', trouble: null }], 'idle'],
  ])('%s', (_what, events, screen) => {
    const story = situations['at rest']();
    for (const event of events) story.tell(event);
    expect(screenOf(story)).toBe(screen);
  });

  it('out of reach it serves until its time, to the millisecond; known to be down, a shorter one', () => {
    for (const [code, ms] of [
      ['delivery.offline', delays.nobodyAnswersMs],
      ['delivery.line-down', delays.knownOutageMs],
    ] as const) {
      const story = situations['at rest']();
      story.tell({ type: 'BusDisconnected', failure: failure(code) });
      expect(story.state.deadlineMs).toBe(story.nowMs + ms);
      story.pass(ms - 1);
      expect(screenOf(story)).toBe('idle');
      story.pass(1);
      expect(screenOf(story)).toBe(`outOfService ${code}`);
      story.tell({ type: 'BusConnected' });
      expect(screenOf(story)).toBe('idle');
    }
  });

  it('it wakes for whichever comes first: what was chosen goes back, or service ends', () => {
    const story = situations['at rest']();
    story.touch('text-size');
    story.pass(delays.chosenAtRestMs - 1_000);
    story.tell(offline);
    expect(story.state.deadlineMs).toBe(story.nowMs + 1_000);
    story.pass(1_000);
    expect(story.session.display.textPercent).toBe(100);
    expect(story.state.deadlineMs).toBe(story.nowMs + delays.nobodyAnswersMs - 1_000);
  });

  it('the same trouble counts from its beginning, another from its own', () => {
    const story = situations['out of service']();
    const sinceMs = story.nowMs;
    story.pass(60_000);
    story.tell({ type: 'ChallengesChanged', ready: true });
    expect(story.state).toMatchObject({ name: 'outOfService', sinceMs });
    story.tell({ type: 'ReaderFound' });
    story.tell(trouble('agent.silent'));
    expect(story.state).toMatchObject({ name: 'outOfService', sinceMs: story.nowMs });
    const changed = situations['out of service']();
    changed.pass(60_000);
    changed.tell(trouble('agent.silent'));
    changed.tell({ type: 'ReaderFound' });
    expect(changed.state).toMatchObject({ failure: { code: 'agent.silent' }, sinceMs: changed.nowMs });
  });

  it('of two troubles the one that keeps everybody is told: no reader', () => {
    const story = situations['at rest']();
    story.tell({ type: 'ChallengesChanged', ready: false });
    story.tell({ type: 'ReaderLost', failure: failure('reader.lost') });
    expect(screenOf(story)).toBe('outOfService reader.lost');
  });

  it('a card that waited is served when service is back; switched off, nothing is read any more', () => {
    const story = situations['out of service']();
    story.tell({ type: 'CardInserted', insertion: 'waiting', session: 's-w' });
    expect(story.tell({ type: 'ReaderFound' }).map(did)).toEqual(['Chime contact', 'ReadCard']);
    const next = situations.sending();
    next.tell({ type: 'CardRemoved' });
    next.insert();
    expect(next.tell({ type: 'ShutdownRequested' }).map(did)).toEqual([
      'EndCard',
      'VisitEnded session.shutdown signed',
    ]);
    expect(screenOf(next)).toBe('outOfService session.shutdown');
  });

  it('nobody called: an answer to a call is nobody’s', () => {
    const story = situations['at rest']();
    story.tell({ type: 'HelpAnswered' });
    expect(story.session.help).toBeNull();
    expect(story.touch('call-help').map(did)).toEqual(['Chime key']);
    story.tell({ type: 'HelpAnswered' });
    expect(story.session.help).toEqual({ calledAtMs: expect.any(Number), answered: true });
  });

  it('the screen is as the clinic wants it, and plain Japanese before anybody said how', () => {
    expect(facilityDisplay({ settings: null })).toEqual({
      ...{ language: 'ja', theme: 'default', textPercent: 100, layout: 'standard', voice: 'headings', loudness: 0 },
    });
    const wanted = { theme: 'dark', textPercent: 150, layout: 'low', voice: 'off' } as const;
    expect(facilityDisplay({ settings: { ...settings, ...wanted, languages: ['en', 'ja'] } })).toEqual({
      ...{ ...wanted, language: 'en', loudness: 0 },
    });
  });

  it('a catalogue that changes is the one the next visit is asked by', () => {
    const story = situations['at rest']();
    const catalogue = { ...story.session.surroundings.consentCatalogue, version: 'next', questions: [] };
    story.tell({ type: 'CatalogueChanged', catalogue });
    story.present();
    story.enterPin();
    expect(story.session.surroundings.consentCatalogue.version).toBe('next');
    expect(story.name).toBe('signing');
  });
});

describe('the face', () => {
  it('hints are shown while it looks, and nowhere else', () => {
    for (const [situation, come] of eachSituation) {
      const story = come();
      const before = story.state;
      story.tell({ type: 'FaceHinted', insertion: insertionOf(story), hint: 'nearer' });
      const looks = before.name === 'verifyingFace';
      expect(story.state, situation).toEqual(looks ? { ...before, hint: 'nearer' } : before);
    }
  });

  it('the miss that offers the other ways gives a fresh time for them, the ones after it do not', () => {
    const story = situations.face();
    const miss = () => story.tell({ type: 'FaceMissed', insertion: insertionOf(story) });
    const { deadlineMs } = story.state;
    story.pass(1_000);
    miss();
    miss();
    expect(story.state.deadlineMs).toBe(deadlineMs);
    miss();
    const offeredMs = story.nowMs + settings.timeouts.answerMs;
    expect(story.state).toMatchObject({ offerOthers: true, deadlineMs: offeredMs });
    story.pass(1_000);
    miss();
    expect(story.state.deadlineMs).toBe(offeredMs);
    expect(story.visit.faceMisses).toBe(4);
  });

  it('misses count for no other screen', () => {
    for (const [situation, come] of eachSituation) {
      const story = come();
      const before = story.state;
      if (before.name === 'verifyingFace') continue;
      story.tell({ type: 'FaceMissed', insertion: insertionOf(story) });
      expect(story.state, situation).toEqual(before);
    }
  });

  it('taken up again it has its full time', () => {
    const story = situations['face, others offered']();
    story.touch('use-face');
    expect(story.state).toMatchObject({
      ...{ offerOthers: false, patience: { asked: false }, deadlineMs: story.nowMs + settings.timeouts.faceMs },
    });
  });

  it('a process in trouble is not back before it says so', () => {
    const story = situations['face, process lost']();
    story.tell({ type: 'FaceHealthChanged', trouble: failure('face.process-lost') });
    expect(screenOf(story)).toBe('verifyingFace face.process-lost');
    expect(story.did('StartFace')).toBe(1);
  });

  it.each<[FailureCode, Record<string, unknown>, string]>([
    ['camera.lost', {}, 'enteringPin face-closed 3-left'],
    ['camera.lost', { pin: { state: 'blocked' } }, 'awaitingStaffCheck card.pin-blocked'],
    ['camera.lost', { pin: { state: 'absent' } }, 'awaitingStaffCheck card.pin-absent'],
    ['face.process-lost', { pin: { state: 'absent' } }, 'choosingMethod'],
  ])('%s before a visit, %j: %s', (code, read, screen) => {
    const story = situations['at rest']();
    story.tell({ type: 'FaceHealthChanged', trouble: failure(code) });
    story.present(read);
    expect(screenOf(story)).toBe(screen);
    // Where no other way is open nothing leads away from the staff.
    if (story.name === 'awaitingStaffCheck') story.touch('back');
    expect(screenOf(story)).toBe(screen);
  });

  it('shut in mid-visit on a card without PIN: staff, with the reason, and no way back', () => {
    const story = situations['at rest']();
    story.present({ pin: { state: 'absent' } });
    story.touch('use-face');
    story.tell({ type: 'FaceFailed', insertion: insertionOf(story), failure: failure('camera.lost') });
    expect(screenOf(story)).toBe('awaitingStaffCheck camera.lost');
    story.touch('back');
    expect(screenOf(story)).toBe('awaitingStaffCheck camera.lost');
  });

  it('shut for this visit it stays shut, also after the staff were called; with the face alone they lead back to it', () => {
    const shut = situations.face();
    shut.tell({ type: 'FaceFailed', insertion: insertionOf(shut), failure: failure('camera.lost') });
    shut.touch('use-face');
    expect(screenOf(shut)).toBe('enteringPin face-closed 3-left');
    shut.touch('call-staff');
    shut.touch('back');
    expect(screenOf(shut)).toBe('enteringPin face-closed 3-left');
    const faceAlone = situations['at rest']();
    faceAlone.present({ pin: { state: 'absent' } });
    for (const control of ['call-staff', 'back'] as const) faceAlone.touch(control);
    expect(screenOf(faceAlone)).toBe('choosingMethod');
  });
});
