import { describe, expect, it, test } from 'vitest';
import { settings } from '../../../scripts/beds/visit-story.ts';
import { failure } from '../../../src/core/failure.ts';
import { controlIds } from '../../../src/core/visit/control-ids.ts';
import { delays } from '../../../src/core/visit/delays.ts';
import { lightOf } from '../../../src/core/visit/light-of.ts';
import type { SessionState } from '../../../src/core/visit/session.ts';
import { visitOf } from '../../../src/core/visit/session-steps.ts';
import { did, shown } from './happenings.ts';
import { eachSituation, type Situation, situations, tools } from './situations.ts';

const { answerMs, faceMs, offlineMs, cardReturnMs } = settings.timeouts;

/** The screen, how long it waits, ms, and what comes then: the screen and what is done. */
type Wait = readonly [screen: string, light: string, waitMs: number | null, then: string];

const toDesk = (code: string) => `interrupted ${code}: EndCard, Chime attention`;
const stillThere = (screen: string) => `${screen} still-there?: Chime attention`;
const communication = toDesk('card.communication');

const waits: Record<Situation, Wait> = {
  'at rest': ['idle', 'ready', null, ''],
  'out of service': ['outOfService reader.lost', 'fault', null, ''],
  'which phone': ['choosingPhone', 'act', answerMs, stillThere('choosingPhone')],
  'phone PIN, nothing typed': ['enteringPhonePin', 'act', answerMs, stillThere('enteringPhonePin')],
  'phone PIN, two digits': [
    ...(['enteringPhonePin 2-typed', 'act', answerMs] as const),
    'enteringPhonePin still-there?: ClearPinEntry, Chime attention',
  ],
  'phone PIN, four digits': [
    ...(['enteringPhonePin 4-typed', 'act', answerMs] as const),
    'enteringPhonePin still-there?: ClearPinEntry, Chime attention',
  ],
  'phone PIN, last try': [
    ...(['enteringPhonePin wrong last-try-asking 1-left', 'act', answerMs] as const),
    stillThere('enteringPhonePin wrong last-try-asking 1-left'),
  ],
  'waiting for an iPhone': [
    ...(['awaitingPhone', 'act', delays.presentPhoneMs] as const),
    'choosingPhone still-there?: DismissPhone, Chime attention',
  ],
  'waiting for an Android': [
    ...(['awaitingPhone', 'act', delays.phonePinHeldMs] as const),
    'enteringPhonePin missed: ClearPinEntry, DismissPhone, ClearPinEntry',
  ],
  'an Android checks': ['verifyingPhone', 'reading', delays.signingMs, communication],
  reading: ['readingCard', 'reading', delays.readCardMs, toDesk('card.communication approvable')],
  'reading, put back': [
    ...(['readingCard put-back', 'reading', delays.readCardMs] as const),
    'interrupted card.communication approvable: EndCard, VisitEnded card.removed, EndCard, Chime attention',
  ],
  'which way': ['choosingMethod', 'act', answerMs, stillThere('choosingMethod')],
  face: ['verifyingFace', 'act', faceMs, 'verifyingFace others-offered'],
  'face, others offered': [
    ...(['verifyingFace others-offered', 'act', answerMs] as const),
    stillThere('verifyingFace others-offered'),
  ],
  'face, process lost': [
    ...(['verifyingFace face.process-lost', 'act', delays.faceRestartMs] as const),
    'enteringPin face-closed 3-left: StopFace, ClearPinEntry',
  ],
  'face, others offered, process lost': [
    ...(['verifyingFace face.process-lost others-offered', 'act', delays.faceRestartMs] as const),
    'enteringPin face-closed 3-left: StopFace, ClearPinEntry',
  ],
  'PIN, nothing typed': ['enteringPin 3-left', 'act', answerMs, stillThere('enteringPin 3-left')],
  'PIN, four digits': ['enteringPin 3-left 4-typed', 'act', answerMs, stillThere('enteringPin 3-left 4-typed')],
  'PIN, last try': [
    ...(['enteringPin last-try-asking 1-left', 'act', answerMs] as const),
    stillThere('enteringPin last-try-asking 1-left'),
  ],
  'PIN, last try confirmed': [
    ...(['enteringPin last-try-confirmed 1-left', 'act', answerMs] as const),
    stillThere('enteringPin last-try-confirmed 1-left'),
  ],
  'PIN is checked': [
    ...(['enteringPin 3-left 4-typed checking', 'act', delays.signingMs] as const),
    toDesk('card.communication approvable'),
  ],
  'staff are called': ['awaitingStaffCheck', 'call-staff', delays.staffCheckMs, toDesk('session.timed-out')],
  lookup: ['awaitingLookup', 'wait', delays.lookupAfterVerificationMs, 'askingConsent'],
  'shall register?': ['registering asking', 'act', answerMs, stillThere('registering asking')],
  'registration is signed': ['registering signing', 'wait', delays.signingMs, communication],
  'registration is sent': ['registering sending', 'wait', offlineMs, toDesk('delivery.offline')],
  consent: ['askingConsent', 'act', answerMs, stillThere('askingConsent')],
  signing: ['signing', 'wait', delays.signingMs, communication],
  sending: [
    ...(['sending', 'wait', offlineMs] as const),
    'interrupted delivery.offline: TellLate, ReleaseRequest, EndCard, Chime attention',
  ],
  'waiting for the result': ['awaitingResult', 'wait', delays.resultMs, 'showingResult late: Chime accepted'],
  result: ['showingResult eligible', 'done', delays.showResultMs, 'awaitingCardRemoval'],
  'card is to be taken': [
    ...(['awaitingCardRemoval', 'take-card', delays.cardLeftMs] as const),
    'awaitingCardRemoval left-behind: Chime attention',
  ],
  'card is left behind': [
    ...(['awaitingCardRemoval left-behind', 'call-staff', delays.cardLeftMs] as const),
    'awaitingCardRemoval left-behind: Chime attention',
  ],
  'card is pulled': [
    ...(['interrupted card.removed may-come-back', 'act', cardReturnMs] as const),
    'interrupted card.removed: Chime attention',
  ],
  'card stays away': [
    ...(['interrupted card.removed', 'call-staff', delays.notFinishedMs] as const),
    'idle: EndCard, VisitEnded card.removed',
  ],
  desk: ['interrupted session.cancelled-by-staff', 'call-staff', delays.deskMs, 'awaitingCardRemoval'],
  'desk, chip unread': [
    ...(['interrupted card.unreadable approvable', 'call-staff', delays.deskMs] as const),
    'idle: EndCard, VisitEnded card.unreadable',
  ],
};

describe('each screen shows its light, waits its time to the millisecond, and then goes on by itself', () => {
  test.each(eachSituation)('%s', (situation, come) => {
    const [screen, light, waitMs, then] = waits[situation];
    const story = come();
    expect(shown(story.state)).toBe(screen);
    expect(lightOf(story.state)).toBe(light);
    const beganMs = story.nowMs;
    if (waitMs === null) {
      story.pass(86_400_000);
      expect(shown(story.state)).toBe(screen);
      return;
    }
    story.pass(waitMs - 1);
    expect(shown(story.state)).toBe(screen);
    expect(story.tell({ type: 'DeadlinePassed' })).toEqual([]);
    expect(shown(story.state)).toBe(screen);
    story.nowMs = beganMs + waitMs;
    const effects = story.tell({ type: 'DeadlinePassed' }).map(did);
    expect([shown(story.state), effects.join(', ')].filter((part) => part !== '').join(': ')).toBe(then);
  });

  test.each(eachSituation.filter(([situation]) => waits[situation][3].includes('still-there?')))(
    '%s: asked and silent, it is over after its time; a touch is enough to stay',
    (_situation, come) => {
      const story = come();
      const visit = visitOf(story.state);
      story.pass((story.state.deadlineMs ?? 0) - story.nowMs);
      expect(story.state).toMatchObject({ patience: { asked: true, sinceMs: story.nowMs } });
      const asked = story.session;
      const askedMs = story.nowMs;
      story.pass(delays.stillThereMs - 1);
      expect(story.state).toMatchObject({ patience: { asked: true } });
      story.hit('still-here');
      expect(story.state).toMatchObject({ patience: { asked: false }, deadlineMs: story.nowMs + answerMs });
      story.session = asked;
      story.nowMs = askedMs;
      story.pass(delays.stillThereMs);
      expect(shown(story.state)).toBe(visit === null ? 'idle' : 'interrupted session.timed-out');
    },
  );
});

/** From the end of what is said, ms; where a screen is not named here its own time runs whether or not anything is said. */
const listened: Partial<Record<Situation, number>> = {
  'which phone': answerMs,
  'phone PIN, nothing typed': answerMs,
  'phone PIN, two digits': answerMs,
  'phone PIN, four digits': answerMs,
  'phone PIN, last try': answerMs,
  'waiting for an iPhone': delays.presentPhoneMs,
  'which way': answerMs,
  face: faceMs,
  'face, others offered': answerMs,
  'PIN, nothing typed': answerMs,
  'PIN, four digits': answerMs,
  'PIN, last try': answerMs,
  'PIN, last try confirmed': answerMs,
  'shall register?': answerMs,
  consent: answerMs,
  result: delays.showResultMs,
  'card is to be taken': delays.cardLeftMs,
  'card is left behind': delays.cardLeftMs,
  'card stays away': delays.notFinishedMs,
  desk: delays.deskMs,
  'desk, chip unread': delays.deskAfterRemovalMs,
};

describe('nobody’s time runs while the screen is read to them', () => {
  test.each(eachSituation)('%s', (situation, come) => {
    const story = come();
    const { deadlineMs } = story.state;
    const screen = shown(story.state);
    story.tell({ type: 'VoiceBegan' });
    const left = (deadlineMs ?? story.nowMs) - story.nowMs;
    const untilMs = story.nowMs + Math.max(1_000, left - 1_000);
    story.pass(untilMs - story.nowMs);
    const listenMs = listened[situation];
    if (listenMs === undefined) {
      story.tell({ type: 'VoiceEnded' });
      expect(story.state.deadlineMs).toBe(deadlineMs);
      return;
    }
    story.nowMs = Math.max(story.nowMs, deadlineMs ?? 0);
    expect(story.tell({ type: 'DeadlinePassed' })).toEqual([]);
    expect(shown(story.state)).toBe(screen);
    expect(story.state.deadlineMs).toBe(story.nowMs + delays.whileSaidMs);
    story.tell({ type: 'VoiceEnded' });
    expect(story.state.deadlineMs).toBe(story.nowMs + listenMs);
  });

  it('asked whether they are still there, everybody has that time from the end of the question', () => {
    const story = situations.consent();
    story.pass(answerMs);
    story.tell({ type: 'VoiceBegan' });
    story.pass(delays.stillThereMs - 1);
    story.tell({ type: 'VoiceEnded' });
    expect(story.state.deadlineMs).toBe(story.nowMs + delays.stillThereMs);
  });

  it('a longer time that runs already is not cut by what is said shortly', () => {
    const story = situations.desk();
    story.tell({ type: 'CardRemoved' });
    story.tell({ type: 'VoiceBegan' });
    story.pass(1);
    const { deadlineMs } = story.state;
    const standing = situations['card stays away']();
    standing.tell({ type: 'VoiceBegan' });
    standing.tell({ type: 'VoiceEnded' });
    expect(standing.state.deadlineMs).toBe(standing.nowMs + delays.notFinishedMs);
    story.tell({ type: 'VoiceEnded' });
    expect(story.state.deadlineMs).toBe((deadlineMs ?? 0) + 1);
  });

  it('with the card taken a result stands as long as for somebody who leaves', () => {
    const story = situations.result();
    story.tell({ type: 'CardRemoved' });
    expect(story.state.deadlineMs).toBe(story.nowMs + delays.showResultAfterRemovalMs);
    story.tell({ type: 'VoiceBegan' });
    story.pass(delays.showResultAfterRemovalMs - 1);
    story.tell({ type: 'VoiceEnded' });
    expect(story.state.deadlineMs).toBe(story.nowMs + delays.showResultAfterRemovalMs);
  });
});

/** What a control does where it means something. */
type Touches = Readonly<Record<string, string>>;
const pinKeys: Touches = {
  'use-face': 'verifyingFace: StartFace',
  'call-staff': 'awaitingStaffCheck: StopFace, ClearPinEntry',
};
const byOtherWays: Touches = {
  'use-pin': 'enteringPin 3-left: StopFace, ClearPinEntry',
  'call-staff': 'awaitingStaffCheck: StopFace, ClearPinEntry',
};

const touches: Partial<Record<Situation, Touches>> = {
  'at rest': { 'use-smartphone': 'choosingPhone' },
  'which phone': {
    iphone: 'awaitingPhone: PresentPhone iphone',
    android: 'enteringPhonePin: ClearPinEntry',
    back: 'idle',
  },
  'phone PIN, nothing typed': { back: 'idle' },
  'phone PIN, two digits': { back: 'idle: ClearPinEntry' },
  'phone PIN, four digits': { back: 'idle: ClearPinEntry' },
  'phone PIN, last try': { back: 'idle', 'last-try-yes': 'enteringPhonePin last-try-confirmed 1-left' },
  'waiting for an iPhone': { back: 'idle: DismissPhone' },
  'waiting for an Android': { back: 'idle: ClearPinEntry, DismissPhone' },
  'which way': { 'use-face': 'verifyingFace: StartFace', ...byOtherWays },
  face: byOtherWays,
  'face, others offered': { 'use-face': 'verifyingFace', ...byOtherWays },
  'face, process lost': byOtherWays,
  'face, others offered, process lost': byOtherWays,
  'PIN, nothing typed': pinKeys,
  'PIN, four digits': pinKeys,
  'PIN, last try': {
    ...pinKeys,
    'last-try-yes': 'enteringPin last-try-confirmed 1-left',
    'last-try-no': 'awaitingStaffCheck: StopFace, ClearPinEntry',
  },
  'PIN, last try confirmed': pinKeys,
  'staff are called': { back: 'choosingMethod' },
  'shall register?': {
    agree: 'registering signing: SignRequest registration',
    decline: toDesk('eligibility.not-registered'),
  },
  'desk, chip unread': { 'call-staff': 'awaitingStaffCheck card.unreadable: StopFace, ClearPinEntry' },
};

/** What a touch that means nothing may move: only how long the screen waits. */
const withoutTime = (state: SessionState) => ({ ...state, deadlineMs: 0, patience: null });

describe('whoever presses the last key when asked whether they are still there has answered', () => {
  it('with the PIN: nothing stands over the check, and its time is its own', () => {
    const story = situations['PIN, four digits']();
    story.pass(answerMs);
    story.tell({ type: 'PinSubmitted', insertion: story.visit.insertion });
    expect(story.state).toMatchObject({ checking: true, patience: { asked: false } });
    story.tell({ type: 'VoiceBegan' });
    story.tell({ type: 'KeyPressed', asks: false });
    story.tell({ type: 'VoiceEnded' });
    expect(story.state.deadlineMs).toBe(story.nowMs + delays.signingMs);
  });

  it('and a face process that dies then is waited for no longer than at any other time', () => {
    const story = situations['face, others offered']();
    story.pass(answerMs);
    story.tell({ type: 'FaceFailed', insertion: story.visit.insertion, failure: failure('face.process-lost') });
    story.tell({ type: 'KeyPressed', asks: false });
    expect(story.state).toMatchObject({ patience: { asked: false }, deadlineMs: story.nowMs + delays.faceRestartMs });
  });
});

describe('a touch means what its control says on that screen, and nothing elsewhere', () => {
  test.each(eachSituation.filter(([situation]) => situation !== 'consent'))('%s', (situation, come) => {
    const meant = touches[situation] ?? {};
    for (const control of controlIds) {
      if (tools.includes(control)) continue;
      const story = come();
      story.pass(delays.otherButtonsMs);
      const before = story.state;
      const effects = story.hit(control).map(did);
      const line = [shown(story.state), effects.join(', ')].filter((part) => part !== '').join(': ');
      expect(line, control).toBe(meant[control] ?? shown(before));
      if (meant[control] !== undefined) continue;
      expect(withoutTime(story.state), control).toEqual(withoutTime(before));
      const isAnswered = waits[situation][3].includes('still-there?') && situation !== 'waiting for an iPhone';
      const atRest = before.name === 'idle' || before.name === 'outOfService';
      const fresh = atRest ? delays.chosenAtRestMs : answerMs;
      expect(story.state.deadlineMs, control).toBe(isAnswered || atRest ? story.nowMs + fresh : before.deadlineMs);
    }
  });
});

describe('a finger that lands twice means the first screen alone', () => {
  const passing = eachSituation.flatMap(([situation, come]) =>
    Object.keys(touches[situation] ?? {}).map(
      (control) => [situation, control as (typeof controlIds)[number], come] as const,
    ),
  );
  // Choice and face check are one question with the same buttons; after what is no answer no others stand there.
  const sameButtons = ['which way use-face', 'face, others offered use-face'];
  test.each(passing.filter(([situation, control]) => !sameButtons.includes(`${situation} ${control}`)))(
    '%s, %s',
    (_situation, control, come) => {
      for (const second of controlIds) {
        if (tools.includes(second)) continue;
        const story = come();
        story.touch(control);
        const { state, nowMs } = story;
        story.pass(delays.otherButtonsMs - 1);
        expect(story.hit(second), second).toEqual([]);
        expect(withoutTime(story.state), second).toEqual(withoutTime(state));
        expect(story.nowMs - nowMs).toBe(delays.otherButtonsMs - 1);
      }
    },
  );
});
