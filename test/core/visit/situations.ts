import { identity, settings, VisitStory } from '../../../scripts/beds/visit-story.ts';
import { failure } from '../../../src/core/failure.ts';
import type { ControlId } from '../../../src/core/visit/control-ids.ts';
import type { Identity } from '../../../src/core/visit/identity.ts';
import { visitOf } from '../../../src/core/visit/session-steps.ts';
import type { LookupResult } from '../../../src/wire/messages.ts';

/* Every screen a terminal can stand on, each come to as people come to it, where a facility has smartphones read. */

export const requestId = 'request-1';

/** The phone that is held to its own reader. */
export const phone: Identity = {
  ...identity,
  kind: 'android-phone',
  visual: { state: 'unavailable', code: 'card.photo-absent' },
};

/** On every screen, whatever is asked there */
export const tools: readonly ControlId[] = [
  ...(['call-help', 'language', 'text-size', 'theme', 'layout', 'voice', 'repeat', 'softer', 'louder'] as const),
];

const idle = (): VisitStory => {
  const story = VisitStory.atRest();
  story.tell({ type: 'SettingsChanged', settings: { ...settings, smartphone: true } });
  return story;
};

/** The same story, gone on with. */
const then =
  (from: () => VisitStory, ...steps: readonly ((story: VisitStory) => unknown)[]) =>
  (): VisitStory => {
    const story = from();
    for (const step of steps) step(story);
    return story;
  };

export const insertionOf = (story: VisitStory): string => visitOf(story.state)?.insertion ?? '';

const loseFace = (story: VisitStory) =>
  story.tell({ type: 'FaceFailed', insertion: insertionOf(story), failure: failure('face.process-lost') });
const touch =
  (...controls: readonly Parameters<VisitStory['touch']>[0][]) =>
  (story: VisitStory) => {
    for (const control of controls) story.touch(control);
  };
const typePhone = (entered: number) => (story: VisitStory) => story.tell({ type: 'PhonePinDigitsChanged', entered });
const submitPhone = (story: VisitStory) => story.tell({ type: 'PhonePinSubmitted' });
const holdPhone = (story: VisitStory) =>
  story.tell({ type: 'PhonePresented', insertion: 'phone-1', session: 'session-of-phone' });
const present =
  (read: Partial<Identity> = {}, answer: Partial<LookupResult> = {}) =>
  (story: VisitStory) =>
    story.present(read, answer);
const sign = (kind: 'eligibility' | 'registration') => (story: VisitStory) =>
  story.tell({ type: 'RequestSigned', insertion: insertionOf(story), kind, requestId });
const accepted = (story: VisitStory) =>
  story.tell({ type: 'ReceiptArrived', requestId, verdict: 'accepted', code: null });
const eligible = (story: VisitStory) =>
  story.tell({ type: 'ResultArrived', requestId, outcome: 'eligible', qualificationValidity: 1, code: null });

const choosingPhone = then(idle, touch('use-smartphone'));
const phonePin = then(choosingPhone, touch('android'));
const awaitingAndroid = then(phonePin, typePhone(4), submitPhone);
const verifyingPhone = then(awaitingAndroid, holdPhone);
const reading = then(idle, (story) => story.insert());
const choosing = then(idle, present());
const face = then(choosing, touch('use-face'));
const pin = then(choosing, touch('use-pin'));
const lastTry = then(idle, present({ pin: { state: 'usable', triesLeft: 1 } }), touch('use-pin'));
const pinVerified = (story: VisitStory) => story.tell({ type: 'PinVerified', insertion: insertionOf(story) });
const checking = then(pin, (story) => story.typePin());
const asked = then(checking, pinVerified);
const registering = then(idle, present({}, { registered: 'no' }), (story) => story.enterPin());
const signing = then(asked, (story) => story.answerAll('agree'));
const sending = then(signing, sign('eligibility'));
const awaitingResult = then(sending, accepted);
const showing = then(awaitingResult, eligible);
const pulled = then(asked, (story) => story.tell({ type: 'CardRemoved' }));
const toPassDeadline = (story: VisitStory) => story.pass((story.state.deadlineMs ?? 0) - story.nowMs);

export const situations = {
  'at rest': idle,
  'out of service': then(idle, (story) => story.tell({ type: 'ReaderLost', failure: failure('reader.lost') })),
  'which phone': choosingPhone,
  'phone PIN, nothing typed': phonePin,
  'phone PIN, two digits': then(phonePin, typePhone(2)),
  'phone PIN, four digits': then(phonePin, typePhone(4)),
  'phone PIN, last try': then(verifyingPhone, (story) =>
    story.tell({ type: 'PinRefused', insertion: 'phone-1', triesLeft: 1 }),
  ),
  'waiting for an iPhone': then(choosingPhone, touch('iphone')),
  'waiting for an Android': awaitingAndroid,
  'an Android checks': verifyingPhone,
  reading: reading,
  'reading, put back': then(pulled, (story) => story.insert()),
  'which way': choosing,
  face: face,
  'face, others offered': then(face, toPassDeadline),
  'face, process lost': then(face, loseFace),
  'face, others offered, process lost': then(face, toPassDeadline, loseFace),
  'PIN, nothing typed': pin,
  'PIN, four digits': then(pin, (story) =>
    story.tell({ type: 'PinDigitsChanged', insertion: insertionOf(story), entered: 4 }),
  ),
  'PIN, last try': lastTry,
  'PIN, last try confirmed': then(lastTry, touch('last-try-yes')),
  'PIN is checked': checking,
  'staff are called': then(choosing, touch('call-staff')),
  lookup: then(
    reading,
    (story) => story.tell({ type: 'CardRead', insertion: insertionOf(story), identity }),
    (story) => story.enterPin(),
  ),
  'shall register?': registering,
  'registration is signed': then(registering, touch('agree')),
  'registration is sent': then(registering, touch('agree'), sign('registration')),
  consent: asked,
  signing: signing,
  sending: sending,
  'waiting for the result': awaitingResult,
  result: showing,
  'card is to be taken': then(showing, toPassDeadline),
  'card is left behind': then(showing, toPassDeadline, toPassDeadline),
  'card is pulled': pulled,
  'card stays away': then(pulled, toPassDeadline),
  desk: then(choosing, (story) => story.tell({ type: 'StaffCancelled', session: story.visit.session })),
  'desk, chip unread': then(idle, (story) =>
    story.tell({ type: 'CardUnreadable', failure: failure('card.unreadable'), session: 'session-u' }),
  ),
} as const;

export type Situation = keyof typeof situations;
export const eachSituation = Object.entries(situations) as [Situation, () => VisitStory][];
