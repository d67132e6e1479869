import { describe, expect, it } from 'vitest';
import { identity, settings, VisitStory } from '../../../scripts/beds/visit-story.ts';
import { failure } from '../../../src/core/failure.ts';
import { delays } from '../../../src/core/visit/delays.ts';
import type { Effect } from '../../../src/core/visit/session.ts';
import { facilityDisplay } from '../../../src/core/visit/session-steps.ts';

const failureCodeOf = (story: VisitStory): string | undefined =>
  'failure' in story.state ? story.state.failure?.code : undefined;

describe('a visit from the card to the closing screen', () => {
  it('by PIN, agreeing to everything', () => {
    const story = VisitStory.atRest();
    expect(story.name).toBe('idle');
    story.present();
    expect(story.name).toBe('choosingMethod');
    story.enterPin();
    expect(story.name).toBe('askingConsent');
    story.answerAll('agree');
    expect(story.name).toBe('signing');
    expect(story.visit.answers.consents.flatMap((answer) => answer.topic.codes)).toEqual([
      'SRJ',
      'YZK',
      'TKK',
      'SHJ',
      'TSR',
    ]);
    story.deliver();
    expect(story.state).toMatchObject({ name: 'showingResult', result: { outcome: 'eligible' } });
    story.pass(delays.showResultMs);
    expect(story.name).toBe('awaitingCardRemoval');
    story.tell({ type: 'CardRemoved' });
    expect(story.name).toBe('idle');
    expect(story.effects.at(-1)).toMatchObject({ type: 'VisitEnded', outcome: 'accepted' });
  });

  it('no camera looks before the face is chosen, however long that takes; nobody there: the visit ends', () => {
    const story = VisitStory.atRest();
    story.present();
    story.pass(settings.timeouts.answerMs - 1);
    expect(story.name).toBe('choosingMethod');
    expect(story.did('StartFace')).toBe(0);
    story.touch('use-face');
    expect(story.name).toBe('verifyingFace');
    const left = VisitStory.atRest();
    left.present();
    left.pass(settings.timeouts.answerMs + delays.stillThereMs);
    expect(failureCodeOf(left)).toBe('session.timed-out');
    expect(left.did('StartFace')).toBe(0);
  });

  it('a facility may let the face check begin at once', () => {
    const story = VisitStory.atRest();
    story.tell({ type: 'SettingsChanged', settings: { ...settings, faceAtOnce: true } });
    story.present();
    expect(story.name).toBe('verifyingFace');
    story.tell({ type: 'FaceMatched', insertion: story.visit.insertion });
    expect(story.name).toBe('askingConsent');
    expect(story.visit.verification).toMatchObject({ method: 'face', standing: true });
  });

  it('refusing everything is a visit like any other', () => {
    const story = VisitStory.atRest();
    story.present();
    story.enterPin();
    story.answerAll('decline');
    expect(story.name).toBe('signing');
    expect(story.visit.answers.consents.every((answer) => !answer.given)).toBe(true);
  });

  it('one by one asks each topic, and starting over forgets the answers', () => {
    const story = VisitStory.atRest();
    story.present();
    story.enterPin();
    const bundled = story.visit.questions?.length ?? 0;
    story.touch('one-by-one');
    expect(story.visit.questions?.length).toBe(bundled + 1);
    story.touch('agree');
    story.touch('decline');
    expect(story.visit.questionIndex).toBe(2);
    story.touch('start-over');
    expect(story.visit).toMatchObject({ questionIndex: 0, answers: { consents: [] } });
    expect(story.visit.questions?.length).toBe(bundled);
  });

  it('a patient who is not registered registers with one yes and goes on', () => {
    const story = VisitStory.atRest();
    story.present({}, { registered: 'no' });
    story.enterPin();
    expect(story.state).toMatchObject({ name: 'registering', phase: 'asking' });
    const [sign] = story.touch('agree');
    expect(sign).toMatchObject({ type: 'SignRequest', kind: 'registration' });
    const { insertion } = story.visit;
    story.tell({ type: 'RequestSigned', insertion, kind: 'registration', requestId: 'r' });
    story.tell({ type: 'ReceiptArrived', requestId: 'r', verdict: 'accepted', code: null });
    story.tell({
      type: 'ResultArrived',
      requestId: 'r',
      outcome: 'registered',
      qualificationValidity: null,
      code: null,
    });
    expect(story.name).toBe('askingConsent');
  });

  it('who declines to register goes to the desk', () => {
    const story = VisitStory.atRest();
    story.present({}, { registered: 'no' });
    story.enterPin();
    story.touch('decline');
    expect(failureCodeOf(story)).toBe('eligibility.not-registered');
  });

  it('the screens that only the lookup could know appear with its answer', () => {
    const story = VisitStory.atRest();
    const pendingDocuments = [{ id: 'd1', title: '紹介状', from: '別の医院', date: '2026-11-01' }];
    story.present({}, { medicalSubsidy: true, prescription: { use: 1, timing: 2 }, pendingDocuments });
    story.enterPin();
    expect(story.visit.questions?.map((question) => question.kind)).toEqual([
      'consent-bundle',
      'consent-item',
      'consent-item',
      'medical-subsidy',
      'prescription-form',
      'referral-documents',
      'summary',
    ]);
  });

  it('a lookup without an answer is waited for, then left out', () => {
    const story = VisitStory.atRest();
    const insertion = story.insert();
    story.tell({ type: 'CardRead', insertion, identity });
    story.enterPin();
    expect(story.name).toBe('awaitingLookup');
    story.pass(delays.lookupAfterVerificationMs);
    expect(story.name).toBe('askingConsent');
  });
});

describe('the PIN', () => {
  it('is asked with the tries the card told, and a wrong one keeps the patient there', () => {
    const story = VisitStory.atRest();
    story.present();
    story.touch('use-pin');
    expect(story.state).toMatchObject({ name: 'enteringPin', triesLeft: 3, notice: 'none' });
    story.typePin();
    story.tell({ type: 'PinRefused', insertion: story.visit.insertion, triesLeft: 2 });
    expect(story.state).toMatchObject({ name: 'enteringPin', triesLeft: 2, notice: 'wrong', entered: 0 });
  });

  it('63C1: the last try is spent only after its own yes', () => {
    const story = VisitStory.atRest();
    story.present({ pin: { state: 'usable', triesLeft: 1 } });
    story.touch('use-pin');
    expect(story.typePin()).toEqual([]);
    story.touch('last-try-yes');
    expect(story.typePin()).toMatchObject([{ type: 'VerifyPin', lastTryConfirmed: true }]);
  });

  it('one submit is one VERIFY, however often enter is pressed', () => {
    const story = VisitStory.atRest();
    story.present();
    story.touch('use-pin');
    story.typePin();
    story.typePin();
    story.typePin();
    expect(story.did('VerifyPin')).toBe(1);
  });

  it('blocked by the third miss: staff, and no further VERIFY', () => {
    const story = VisitStory.atRest();
    story.present();
    story.touch('use-pin');
    story.typePin();
    story.tell({ type: 'PinRefused', insertion: story.visit.insertion, triesLeft: 0 });
    expect(story.name).toBe('awaitingStaffCheck');
    expect(failureCodeOf(story)).toBe('card.pin-blocked');
    story.touch('use-pin');
    expect(story.did('VerifyPin')).toBe(1);
  });

  it('forgotten by the card at SIGN: asked again with the reason, answers stay', () => {
    const story = VisitStory.atRest();
    story.present();
    story.enterPin();
    story.answerAll('agree');
    const { insertion } = story.visit;
    story.tell({
      type: 'SigningFailed',
      insertion,
      kind: 'eligibility',
      failure: failure('card.security-status-lost'),
    });
    expect(story.state).toMatchObject({ name: 'enteringPin', notice: 'card-forgot' });
    story.typePin();
    story.tell({ type: 'PinVerified', insertion });
    expect(story.name).toBe('signing');
    expect(story.visit.answers.consents).toHaveLength(4);
  });

  it.each(['blocked', 'absent'] as const)('%s: never offered, the face is', (state) => {
    const story = VisitStory.atRest();
    story.present({ pin: { state } });
    expect(story.name).toBe('choosingMethod');
    story.touch('use-pin');
    expect(story.name).toBe('choosingMethod');
    story.touch('use-face');
    story.touch('use-pin');
    expect(story.name).toBe('verifyingFace');
  });
});

describe('the face', () => {
  it('a miss keeps the patient before the camera; the third one offers PIN and staff in large', () => {
    const story = VisitStory.atRest();
    story.present();
    story.touch('use-face');
    for (const misses of [1, 2, 3]) {
      story.tell({ type: 'FaceMissed', insertion: story.visit.insertion });
      expect(story.state).toMatchObject({ name: 'verifyingFace', offerOthers: misses === 3 });
    }
    story.tell({ type: 'FaceMatched', insertion: story.visit.insertion });
    expect(story.name).toBe('askingConsent');
  });

  it('a face process that dies is waited for and begun again', () => {
    const story = VisitStory.atRest();
    story.present();
    story.touch('use-face');
    story.tell({ type: 'FaceFailed', insertion: story.visit.insertion, failure: failure('face.process-lost') });
    story.tell({ type: 'FaceHealthChanged', trouble: failure('face.process-lost') });
    story.pass(2_000);
    story.tell({ type: 'FaceHealthChanged', trouble: null });
    expect(story.name).toBe('verifyingFace');
    expect(story.did('StartFace')).toBe(2);
  });

  it('one that does not come back, or a lost camera, leads to the PIN with the reason', () => {
    for (const code of ['face.process-lost', 'camera.lost'] as const) {
      const story = VisitStory.atRest();
      story.present();
      story.touch('use-face');
      story.tell({ type: 'FaceFailed', insertion: story.visit.insertion, failure: failure(code) });
      story.pass(delays.faceRestartMs);
      expect(story.state).toMatchObject({ name: 'enteringPin', notice: 'face-closed' });
    }
  });

  it('no photo: PIN at once; no photo and no PIN: staff', () => {
    const visual = { state: 'unavailable', code: 'card.photo-absent' } as const;
    const story = VisitStory.atRest();
    story.present({ visual });
    expect(story.name).toBe('enteringPin');
    const without = VisitStory.atRest();
    without.present({ visual, pin: { state: 'absent' } });
    expect(without.name).toBe('awaitingStaffCheck');
  });
});

describe('a photo that is still being read', () => {
  const reading = { visual: { state: 'reading' } } as const;
  const closed = { state: 'unavailable', code: 'card.number-b-unreadable' } as const;

  it('holds nobody up: the choice stands there, face and PIN can begin', () => {
    const story = VisitStory.atRest();
    story.present(reading);
    expect(story.name).toBe('choosingMethod');
    story.touch('use-face');
    expect(story.name).toBe('verifyingFace');
    story.tell({ type: 'VisualRead', insertion: story.visit.insertion, visual: identity.visual });
    expect(story.name).toBe('verifyingFace');
    expect(story.visit.identity?.visual).toEqual(identity.visual);
  });

  it('that cannot be had: the PIN with the reason, from the choice and from the face step', () => {
    for (const control of [null, 'use-face'] as const) {
      const story = VisitStory.atRest();
      story.present(reading);
      if (control !== null) story.touch(control);
      story.tell({ type: 'VisualRead', insertion: story.visit.insertion, visual: closed });
      expect(story.state).toMatchObject({ name: 'enteringPin', notice: 'face-closed' });
    }
  });

  it('a card that is put back when nothing can be kept any more: its own visit goes to the desk', () => {
    const story = VisitStory.atRest();
    story.present();
    story.tell({ type: 'StaffApproved', session: story.visit.session, approval: 'jws' });
    expect(story.name).toBe('askingConsent');
    const { session } = story.visit;
    story.tell({ type: 'BusDisconnected', failure: failure('delivery.offline') });
    story.pass(10_000);
    story.tell({ type: 'CardRemoved' });
    const insertion = story.insert();
    story.tell({ type: 'CardRead', insertion, identity });
    expect(story.name).toBe('interrupted');
    expect(story.visit).toMatchObject({ session, insertion });
  });

  it.each<[string, (story: VisitStory) => readonly Effect[]]>([
    [
      'is not read',
      (story) =>
        story.tell({
          type: 'CardReadFailed',
          insertion: story.visit.insertion,
          failure: failure('card.unreadable'),
        }),
    ],
    [
      'is of another person, and has expired',
      (story) =>
        story.tell({
          type: 'CardRead',
          insertion: story.visit.insertion,
          identity: { ...identity, authCertificate: Uint8Array.of(9), certificateState: 'dead' },
        }),
    ],
    ['is sent to the desk by staff', (story) => story.tell({ type: 'StaffCancelled', session: story.visit.session })],
  ])('the visit that was waited for ends once when what is put in its place %s', (_what, happens) => {
    const story = VisitStory.atRest();
    story.present();
    const { session } = story.visit;
    story.tell({ type: 'CardRemoved' });
    story.insert();
    const effects = happens(story);
    expect(story.name).toBe('interrupted');
    expect(effects.filter((each) => each.type === 'VisitEnded' && each.session === session)).toHaveLength(1);
  });

  it('a card that is put back and taken again before it was read: its own insertion ends', () => {
    const story = VisitStory.atRest();
    story.present();
    story.tell({ type: 'CardRemoved' });
    const insertion = story.insert();
    expect(story.tell({ type: 'CardRemoved' })).toContainEqual({ type: 'EndCard', insertion });
    expect(story.state).toMatchObject({ name: 'interrupted', resume: true });
  });

  it('is waited for when a card verified by face is put back: another photo is another visit', () => {
    for (const photoHash of ['photo-of-hanako', 'photo-of-somebody-else']) {
      const story = VisitStory.atRest();
      story.present();
      story.touch('use-face');
      story.tell({ type: 'FaceMatched', insertion: story.visit.insertion });
      const { session } = story.visit;
      story.tell({ type: 'CardRemoved' });
      story.tell({ type: 'CardRead', insertion: story.insert(), identity: { ...identity, ...reading } });
      expect(story.name).toBe('readingCard');
      if (identity.visual.state !== 'read') throw new Error('the persona has a photo');
      const visual = { ...identity.visual, photoHash };
      story.tell({ type: 'VisualRead', insertion: story.visit.insertion, visual });
      expect(story.visit.session === session).toBe(photoHash === 'photo-of-hanako');
      expect(story.name).toBe(photoHash === 'photo-of-hanako' ? 'askingConsent' : 'choosingMethod');
    }
  });
});

describe('the card goes', () => {
  const asked = (): VisitStory => {
    const story = VisitStory.atRest();
    story.present();
    story.enterPin();
    story.touch('agree');
    return story;
  };

  it('and comes back within 5 s: the answers stay, the PIN is asked again with the reason', () => {
    const story = asked();
    const { session, answers } = story.visit;
    story.tell({ type: 'CardRemoved' });
    expect(story.state).toMatchObject({ name: 'interrupted', resume: true });
    story.pass(4_000);
    story.tell({ type: 'CardRead', insertion: story.insert(), identity });
    expect(story.state).toMatchObject({ name: 'enteringPin', notice: 'card-forgot' });
    story.typePin();
    story.tell({ type: 'PinVerified', insertion: story.visit.insertion });
    expect(story.name).toBe('askingConsent');
    expect(story.visit).toMatchObject({ session, answers, questionIndex: 1 });
  });

  it('after a face match nothing is asked again', () => {
    const story = VisitStory.atRest();
    story.present();
    story.touch('use-face');
    story.tell({ type: 'FaceMatched', insertion: story.visit.insertion });
    story.touch('agree');
    story.tell({ type: 'CardRemoved' });
    story.tell({ type: 'CardRead', insertion: story.insert(), identity });
    expect(story.name).toBe('askingConsent');
    expect(story.visit.questionIndex).toBe(1);
  });

  it('another card is another visit, with nothing of the first', () => {
    const story = asked();
    const { session } = story.visit;
    story.touch('voice');
    story.touch('call-help');
    story.tell({ type: 'CardRemoved' });
    const other = { ...identity, authCertificate: Uint8Array.of(0x30, 0x82, 0x02), certificateSerial: '02' };
    story.tell({ type: 'CardRead', insertion: story.insert(), identity: other });
    expect(story.name).toBe('choosingMethod');
    expect(story.visit.session).not.toBe(session);
    expect(story.visit.answers.consents).toEqual([]);
    expect(story.session).toMatchObject({ display: facilityDisplay(story.session.surroundings), help: null });
    expect(story.effects).toContainEqual({ type: 'VisitEnded', session, outcome: 'card.removed', signed: false });
  });

  it('and stays away: the visit is over', () => {
    const story = asked();
    story.tell({ type: 'CardRemoved' });
    const { session } = story.visit;
    const chimes = story.did('Chime');
    story.pass(settings.timeouts.cardReturnMs);
    // Whoever walks away is told once more that nothing has been received; the answers are out of reach.
    expect(story.state).toMatchObject({ name: 'interrupted', resume: false, failure: { code: 'card.removed' } });
    expect(story.did('Chime')).toBe(chimes + 1);
    const back = VisitStory.atRest();
    back.session = story.session;
    back.nowMs = story.nowMs;
    back.tell({ type: 'CardInserted', insertion: 'again', session: 'session-again' });
    back.tell({ type: 'CardRead', insertion: 'again', identity });
    expect(back.visit).toMatchObject({ session: 'session-again', answers: { consents: [] } });
    expect(back.effects).toContainEqual({ type: 'VisitEnded', session, outcome: 'card.removed', signed: false });
    story.pass(delays.notFinishedMs);
    expect(story.name).toBe('idle');
  });

  it('and stays away while a disk hangs: signed after all, the visit was not left without a request', () => {
    const story = asked();
    story.answerAll('agree');
    expect(story.name).toBe('signing');
    story.tell({ type: 'CardRemoved' });
    const { insertion, session } = story.visit;
    story.pass(settings.timeouts.cardReturnMs);
    expect(story.state).toMatchObject({ name: 'interrupted', resume: false });
    story.tell({ type: 'RequestSigned', insertion, kind: 'eligibility', requestId: 'late' });
    story.pass(delays.notFinishedMs);
    expect(story.effects).toContainEqual({ type: 'TellLate', requestId: 'late' });
    expect(story.effects).toContainEqual({ type: 'VisitEnded', session, outcome: 'card.removed', signed: true });
  });

  it('while sending: the visit goes on without it', () => {
    const story = asked();
    story.answerAll('agree');
    const { insertion } = story.visit;
    story.tell({ type: 'RequestSigned', insertion, kind: 'eligibility', requestId: 'r' });
    story.tell({ type: 'CardRemoved' });
    story.tell({ type: 'ReceiptArrived', requestId: 'r', verdict: 'accepted', code: null });
    expect(story.name).toBe('awaitingResult');
  });

  it('a second patient who is too early is served after the first', () => {
    const story = asked();
    story.answerAll('agree');
    const { insertion, session } = story.visit;
    story.tell({ type: 'RequestSigned', insertion, kind: 'eligibility', requestId: 'r' });
    story.tell({ type: 'CardRemoved' });
    story.insert();
    expect(story.visit.session).toBe(session);
    story.tell({ type: 'ReceiptArrived', requestId: 'r', verdict: 'accepted', code: null });
    story.pass(delays.resultMs + delays.showResultMs);
    expect(story.name).toBe('readingCard');
    expect(story.visit.session).not.toBe(session);
  });

  it('stays too long: light, voice and staff are called until it is taken', () => {
    const story = asked();
    story.answerAll('agree');
    story.deliver();
    story.pass(delays.showResultMs + delays.cardLeftMs);
    expect(story.state).toMatchObject({ name: 'awaitingCardRemoval', leftBehind: true });
    story.tell({ type: 'CardRemoved' });
    expect(story.name).toBe('idle');
  });
});

describe('certificates', () => {
  it('dead: the desk, and the PIN is never asked', () => {
    const story = VisitStory.atRest();
    story.present({ certificateState: 'dead' });
    expect(failureCodeOf(story)).toBe('card.certificate-expired');
  });

  it('revoked, as the agent knows: the desk, as soon as it is told', () => {
    const story = VisitStory.atRest();
    story.present({}, { certificateStatus: 'revoked' });
    expect(failureCodeOf(story)).toBe('card.certificate-revoked');
    expect(story.did('VerifyPin')).toBe(0);
  });

  it('in grace: 資格情報 only, told why, no consent', () => {
    const story = VisitStory.atRest();
    story.present({ certificateState: 'grace' });
    story.enterPin();
    expect(story.visit.questions).toEqual([{ kind: 'certificate-notice', state: 'grace' }]);
    story.touch('next');
    expect(story.name).toBe('signing');
  });
});

describe('staff check', () => {
  it('approves this session and no other', () => {
    const story = VisitStory.atRest();
    story.present();
    story.touch('call-staff');
    story.tell({ type: 'StaffApproved', session: 'another', approval: 'jws' });
    expect(story.name).toBe('awaitingStaffCheck');
    story.tell({ type: 'StaffApproved', session: story.visit.session, approval: 'jws' });
    expect(story.visit.verification).toMatchObject({ method: 'staff', staffApproval: 'jws' });
    expect(story.name).toBe('askingConsent');
  });

  it('works when the chip could not be read', () => {
    const story = VisitStory.atRest();
    story.tell({ type: 'CardUnreadable', failure: failure('card.unreadable'), session: 'session-x' });
    expect(story.state).toMatchObject({ name: 'interrupted', approvable: true });
    story.tell({ type: 'StaffApproved', session: 'session-x', approval: 'jws' });
    expect(story.name).toBe('signing');
  });
});

describe('the clinic cannot be reached', () => {
  it('in mid-visit for 3 s: nothing is noticed but a wait', () => {
    const story = VisitStory.atRest();
    story.present();
    story.enterPin();
    story.answerAll('agree');
    const { insertion } = story.visit;
    story.tell({ type: 'RequestSigned', insertion, kind: 'eligibility', requestId: 'r' });
    story.tell({ type: 'BusDisconnected', failure: failure('delivery.offline') });
    story.pass(3_000);
    story.tell({ type: 'BusConnected' });
    story.tell({ type: 'ReceiptArrived', requestId: 'r', verdict: 'accepted', code: null });
    expect(story.name).toBe('awaitingResult');
  });

  it('for 30 s: the patient is sent to the desk', () => {
    const story = VisitStory.atRest();
    story.present();
    story.enterPin();
    story.answerAll('agree');
    story.tell({ type: 'RequestSigned', insertion: story.visit.insertion, kind: 'eligibility', requestId: 'r' });
    story.tell({ type: 'BusDisconnected', failure: failure('delivery.offline') });
    story.pass(settings.timeouts.offlineMs);
    expect(failureCodeOf(story)).toBe('delivery.offline');
  });

  it('while idle: out of service after 30 s, back at once, and a card that waited is served', () => {
    const story = VisitStory.atRest();
    story.tell({ type: 'BusDisconnected', failure: failure('delivery.offline') });
    expect(story.name).toBe('idle');
    story.pass(settings.timeouts.offlineMs);
    expect(failureCodeOf(story)).toBe('delivery.offline');
    story.insert();
    expect(story.name).toBe('outOfService');
    story.tell({ type: 'BusConnected' });
    expect(story.name).toBe('readingCard');
  });

  it('a receipt that refuses names its code; a result before its receipt waits for it', () => {
    const story = VisitStory.atRest();
    story.present();
    story.enterPin();
    story.answerAll('agree');
    const { insertion } = story.visit;
    story.tell({ type: 'RequestSigned', insertion, kind: 'eligibility', requestId: 'r' });
    const result = { outcome: 'eligible', qualificationValidity: 1, code: null } as const;
    story.tell({ type: 'ResultArrived', requestId: 'r', ...result });
    expect(story.name).toBe('sending');
    const early = new VisitStory();
    early.session = story.session;
    early.tell({ type: 'ReceiptArrived', requestId: 'r', verdict: 'accepted', code: null });
    expect(early.name).toBe('showingResult');
    story.tell({ type: 'ReceiptArrived', requestId: 'r', verdict: 'refused', code: 'card.certificate-revoked' });
    expect(failureCodeOf(story)).toBe('card.certificate-revoked');
  });

  it('no answer after the receipt: accepted all the same, the result comes late to staff', () => {
    const story = VisitStory.atRest();
    story.present();
    story.enterPin();
    story.answerAll('agree');
    story.tell({ type: 'RequestSigned', insertion: story.visit.insertion, kind: 'eligibility', requestId: 'r' });
    story.tell({ type: 'ReceiptArrived', requestId: 'r', verdict: 'accepted', code: null });
    story.pass(delays.resultMs);
    expect(story.state).toMatchObject({ name: 'showingResult', result: { outcome: 'late' } });
  });
});

describe('a request that the disk took only after its patient had been sent away is told to staff as late', () => {
  const late = [
    { type: 'TellLate', requestId: 'r' },
    { type: 'ReleaseRequest', requestId: 'r' },
  ];
  const signing = () => {
    const story = VisitStory.atRest();
    story.present();
    story.enterPin();
    story.answerAll('agree');
    expect(story.name).toBe('signing');
    return { story, insertion: story.visit.insertion };
  };
  it('while they read that they shall go to the desk', () => {
    const { story, insertion } = signing();
    story.pass(delays.signingMs);
    expect(story.name).toBe('interrupted');
    expect(story.tell({ type: 'RequestSigned', insertion, kind: 'eligibility', requestId: 'r' })).toEqual(late);
    expect(story.name).toBe('interrupted');
  });
  it('when somebody else has laid down a card, or nobody has', () => {
    for (const next of [() => {}, (story: VisitStory) => story.insert()]) {
      const { story, insertion } = signing();
      story.pass(delays.signingMs);
      story.tell({ type: 'CardRemoved' });
      story.pass(delays.deskMs);
      expect(story.name).toBe('idle');
      next(story);
      const before = story.state;
      expect(story.tell({ type: 'RequestSigned', insertion, kind: 'eligibility', requestId: 'r' })).toEqual(late);
      expect(story.state).toEqual(before);
    }
  });
  it('when staff have called the visit off', () => {
    const { story, insertion } = signing();
    story.tell({ type: 'StaffCancelled', session: story.visit.session });
    expect(story.tell({ type: 'RequestSigned', insertion, kind: 'eligibility', requestId: 'r' })).toEqual(late);
  });
  it('a registration, too', () => {
    const story = VisitStory.atRest();
    story.present({}, { registered: 'no' });
    story.enterPin();
    story.touch('agree');
    const { insertion } = story.visit;
    story.pass(delays.signingMs);
    expect(story.name).toBe('interrupted');
    expect(story.tell({ type: 'RequestSigned', insertion, kind: 'registration', requestId: 'r' })).toEqual(late);
  });
  it('but a card pulled the moment after it signed goes on', () => {
    const { story, insertion } = signing();
    story.tell({ type: 'CardRemoved' });
    story.tell({ type: 'RequestSigned', insertion, kind: 'eligibility', requestId: 'r' });
    expect(story.name).toBe('sending');
  });
});

describe('a patient who does nothing', () => {
  it('is asked, a touch gives the full time again with every answer, silence ends the visit', () => {
    const story = VisitStory.atRest();
    story.present();
    story.enterPin();
    story.touch('agree');
    story.pass(settings.timeouts.answerMs);
    expect(story.state).toMatchObject({ patience: { asked: true } });
    story.touch('still-here');
    expect(story.state).toMatchObject({ name: 'askingConsent', patience: { asked: false } });
    expect(story.visit.questionIndex).toBe(1);
    story.pass(settings.timeouts.answerMs + delays.stillThereMs);
    expect(failureCodeOf(story)).toBe('session.timed-out');
  });

  it('a language chosen for one visit is gone in the next, and goes back by itself between visits', () => {
    const story = VisitStory.atRest();
    story.touch('language', 'en');
    expect(story.session.display.language).toBe('en');
    story.pass(delays.chosenAtRestMs - 1);
    expect(story.session.display.language).toBe('en');
    story.pass(1);
    expect(story.session.display.language).toBe('ja');
    story.present();
    story.touch('language', 'en');
    story.tell({ type: 'CardRemoved' });
    story.pass(settings.timeouts.cardReturnMs + delays.notFinishedMs);
    expect(story.session.display.language).toBe('ja');
  });
});

describe('the reader', () => {
  it('lost in mid-visit: like a pulled card; lost between visits: out of service until it is found', () => {
    const story = VisitStory.atRest();
    story.present();
    story.tell({ type: 'ReaderLost', failure: failure('reader.lost') });
    expect(story.state).toMatchObject({ name: 'interrupted', resume: true });
    story.pass(settings.timeouts.cardReturnMs);
    expect(failureCodeOf(story)).toBe('reader.lost');
    expect(story.name).toBe('outOfService');
    story.tell({ type: 'ReaderFound' });
    expect(story.name).toBe('idle');
  });
});

it('a request that ends before anybody answered: its patient goes to the desk, and staff hear that it may come late', () => {
  const story = VisitStory.atRest();
  story.present();
  story.enterPin();
  story.answerAll('agree');
  const { insertion } = story.visit;
  story.tell({ type: 'RequestSigned', insertion, kind: 'eligibility', requestId: 'r' });
  story.tell({ type: 'RequestExpired', requestId: 'r' });
  expect(story.state).toMatchObject({ name: 'interrupted', failure: { code: 'delivery.expired' } });
  expect(story.effects.filter(({ type }) => type === 'TellLate' || type === 'ReleaseRequest')).toEqual([
    { type: 'TellLate', requestId: 'r' },
    { type: 'ReleaseRequest', requestId: 'r' },
  ]);
});
