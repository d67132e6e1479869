import { expect, test } from 'vitest';
import { did, eachHappening, type Happening, shown } from './happenings.ts';
import { eachSituation, type Situation } from './situations.ts';

/* What every happening does on every screen. Whatever is not in the table changes nothing there, and does nothing. */

const lost: readonly Situation[] = ['face, process lost', 'face, others offered, process lost'];
const faces: readonly Situation[] = ['face', 'face, others offered', ...lost];
const pins: readonly Situation[] = [
  'PIN, nothing typed',
  'PIN, four digits',
  'PIN, last try',
  'PIN, last try confirmed',
];
const beforeVerification: readonly Situation[] = ['which way', ...faces, ...pins, 'staff are called'];
const withCard: readonly Situation[] = [
  ...beforeVerification,
  'PIN is checked',
  'lookup',
  'shall register?',
  'registration is signed',
  'registration is sent',
  'consent',
  'signing',
];
const signed: readonly Situation[] = ['sending', 'waiting for the result', 'result'];
const toBeTaken: readonly Situation[] = ['card is to be taken', 'card is left behind'];
const atDesk: readonly Situation[] = ['desk', 'desk, chip unread'];
const noDigits: readonly Situation[] = ['which phone', 'phone PIN, nothing typed', 'phone PIN, last try'];
const digits: readonly Situation[] = ['phone PIN, two digits', 'phone PIN, four digits'];
const registering: readonly Situation[] = ['shall register?', 'registration is signed', 'registration is sent'];

/** Outcome (the screen, then what is done) → where; `…` is the screen that stood there. */
type Outcomes = Readonly<Record<string, readonly Situation[] | 'everywhere else'>>;

const begins = 'Chime contact, ReadCard';
const desk = 'EndCard, Chime attention';
const late = 'TellLate, ReleaseRequest';
const wiped = 'StopFace, ClearPinEntry';
const unread = 'interrupted card.unreadable approvable';

const cards: Partial<Record<Happening, Outcomes>> = {
  'a card is laid down': {
    [`readingCard: ${begins}`]: ['at rest', ...noDigits],
    [`readingCard: ClearPinEntry, ${begins}`]: digits,
    [`readingCard: DismissPhone, ${begins}`]: ['waiting for an iPhone'],
    [`readingCard: ClearPinEntry, DismissPhone, ${begins}`]: ['waiting for an Android'],
    [`readingCard: EndCard, ReleaseRequest, VisitEnded accepted signed, ${begins}`]: ['result', ...toBeTaken],
    [`readingCard put-back: ${begins}`]: ['card is pulled'],
    [`readingCard: EndCard, VisitEnded card.removed, ${begins}`]: ['card stays away'],
    [`readingCard: EndCard, VisitEnded session.cancelled-by-staff, ${begins}`]: ['desk'],
    [`readingCard: EndCard, VisitEnded card.unreadable, ${begins}`]: ['desk, chip unread'],
  },
  'something unreadable is laid down': {
    [`${unread}: ${desk}`]: ['at rest', ...noDigits],
    [`${unread}: ClearPinEntry, ${desk}`]: digits,
    [`${unread}: DismissPhone, ${desk}`]: ['waiting for an iPhone'],
    [`${unread}: ClearPinEntry, DismissPhone, ${desk}`]: ['waiting for an Android'],
    [`${unread}: EndCard, VisitEnded card.removed, ${desk}`]: ['card is pulled', 'card stays away'],
    [`${unread}: EndCard, VisitEnded session.cancelled-by-staff, ${desk}`]: ['desk'],
    [`${unread}: EndCard, VisitEnded card.unreadable, ${desk}`]: ['desk, chip unread'],
  },
  'the card is taken': {
    'idle: EndCard, VisitEnded card.removed': ['reading'],
    [`interrupted card.removed may-come-back: EndCard, ${desk}`]: ['reading, put back'],
    [`interrupted card.removed may-come-back: ${desk}`]: withCard,
    '…: EndCard': signed,
    'idle: EndCard, ReleaseRequest, VisitEnded accepted signed': toBeTaken,
    '…': ['card stays away', ...atDesk],
  },
  'the reader is lost': {
    'outOfService reader.lost': ['at rest'],
    'outOfService reader.lost: EndCard, VisitEnded reader.lost': ['reading'],
    [`interrupted reader.lost may-come-back: EndCard, ${desk}`]: ['reading, put back'],
    [`interrupted reader.lost may-come-back: ${desk}`]: withCard,
    '…: EndCard': signed,
    'outOfService reader.lost: EndCard, ReleaseRequest, VisitEnded accepted signed': toBeTaken,
    '…': ['card stays away', ...atDesk],
  },
  'a phone is held to its reader': {
    [`readingCard: ${begins}`]: ['waiting for an iPhone'],
    'verifyingPhone: Chime contact, VerifyPhonePin': ['waiting for an Android'],
  },
  'the card is read': {
    'choosingMethod: StartLookup': ['reading'],
    [`enteringPin card-forgot 3-left: ${wiped}`]: ['reading, put back'],
  },
  'an expired card is read': {
    [`interrupted card.certificate-expired: ${desk}`]: ['reading'],
    [`enteringPin card-forgot 3-left: ${wiped}`]: ['reading, put back'],
  },
  'the card is not read': {
    [`interrupted card.communication approvable: ${desk}`]: ['reading'],
    [`interrupted card.communication approvable: EndCard, VisitEnded card.removed, ${desk}`]: ['reading, put back'],
  },
  'the card goes while it is read': {
    'idle: EndCard, VisitEnded card.removed': ['reading'],
    [`interrupted card.removed may-come-back: EndCard, ${desk}`]: ['reading, put back'],
  },
  'the photo cannot be had': {},
};

const ways: Partial<Record<Happening, Outcomes>> = {
  'the lookup answers': {
    // Nobody asked for these yet, and nobody shall ask twice: it is kept.
    '…': ['an Android checks', 'reading', 'reading, put back', 'desk, chip unread'],
    askingConsent: ['lookup'],
  },
  'the lookup knows of a revocation': {
    [`interrupted card.certificate-revoked: ${desk}`]: ['reading', 'lookup'],
    [`interrupted card.phone-certificate-unusable: ${desk}`]: ['an Android checks'],
    [`interrupted card.certificate-revoked: EndCard, VisitEnded card.removed, ${desk}`]: ['reading, put back'],
    '…': ['desk, chip unread'],
  },
  'the lookup knows of maintenance': {
    [`interrupted eligibility.maintenance: ${desk}`]: ['an Android checks', 'reading', 'lookup'],
    [`interrupted eligibility.maintenance: EndCard, VisitEnded card.removed, ${desk}`]: ['reading, put back'],
    '…': ['desk, chip unread'],
  },
  'the lookup fails': {
    '…': ['an Android checks', 'reading', 'reading, put back', 'desk, chip unread'],
    askingConsent: ['lookup'],
  },
  'the face matches': { [`askingConsent: ${wiped}`]: faces },
  'the face process dies': {
    'verifyingFace face.process-lost': ['face'],
    'verifyingFace face.process-lost others-offered': ['face, others offered'],
  },
  'the camera is lost': { [`enteringPin face-closed 3-left: ${wiped}`]: faces },
  'the face process is back': { 'verifyingFace: StartFace': lost },
  'a PIN is submitted': {
    'enteringPin incomplete 3-left: Chime attention': ['PIN, nothing typed'],
    'enteringPin 3-left 4-typed checking: VerifyPin': ['PIN, four digits'],
    'enteringPin incomplete last-try-confirmed 1-left: Chime attention': ['PIN, last try confirmed'],
  },
  'the PIN is right': { [`askingConsent: ${wiped}`]: ['PIN is checked'] },
  'the PIN is wrong': {
    'enteringPhonePin wrong 2-left: EndCard, VisitEnded card.pin-wrong, ClearPinEntry': ['an Android checks'],
    [`enteringPin wrong 2-left: ${wiped}`]: ['PIN is checked'],
  },
  'the PIN is wrong, one try left': {
    'enteringPhonePin wrong last-try-asking 1-left: EndCard, VisitEnded card.pin-wrong, ClearPinEntry': [
      'an Android checks',
    ],
    [`enteringPin wrong last-try-asking 1-left: ${wiped}`]: ['PIN is checked'],
  },
  'the PIN is blocked': {
    [`interrupted card.phone-pin-blocked: ${desk}`]: ['an Android checks'],
    [`awaitingStaffCheck card.pin-blocked: ${wiped}`]: ['PIN is checked'],
  },
  'the PIN was blocked before': {
    [`interrupted card.pin-blocked: ${desk}`]: ['an Android checks'],
    [`awaitingStaffCheck card.pin-blocked: ${wiped}`]: ['PIN is checked'],
  },
  'the card goes while the PIN is checked': {
    'enteringPhonePin missed: EndCard, VisitEnded card.communication, ClearPinEntry': ['an Android checks'],
    [`interrupted card.removed may-come-back: ${desk}`]: ['PIN is checked'],
  },
  'the PIN is not checked': {
    [`interrupted card.phone-unreadable: ${desk}`]: ['an Android checks'],
    [`interrupted card.communication approvable: ${desk}`]: ['PIN is checked'],
  },
  'a phone PIN is submitted': {
    'enteringPhonePin incomplete: Chime attention': ['phone PIN, nothing typed'],
    'enteringPhonePin incomplete 2-typed: Chime attention': ['phone PIN, two digits'],
    'awaitingPhone: PresentPhone android': ['phone PIN, four digits'],
  },
  'the phone takes the PIN': { [`awaitingLookup: StartLookup, ${wiped}`]: ['an Android checks'] },
};

const clinic: Partial<Record<Happening, Outcomes>> = {
  'staff approve': {
    [`askingConsent: ${wiped}`]: beforeVerification,
    [`signing: ${wiped}, SignRequest eligibility`]: ['desk, chip unread'],
  },
  'staff call it off': {
    [`interrupted session.cancelled-by-staff: ${desk}`]: [
      ...['an Android checks', 'reading', ...withCard, 'card is pulled', 'card stays away', ...atDesk],
    ] as Situation[],
    [`interrupted session.cancelled-by-staff: EndCard, VisitEnded card.removed, ${desk}`]: ['reading, put back'],
  },
  'the request is durable': {
    'sending: EndCard': ['signing', 'card is pulled'],
    // Nobody stands there any more who waits for it.
    [`…: ${late}`]: 'everywhere else',
  },
  'the card goes while it signs': {
    [`interrupted card.removed may-come-back: ${desk}`]: [...registering, 'signing'],
  },
  'the card forgot the PIN': { [`enteringPin card-forgot 3-left: ${wiped}`]: [...registering, 'signing'] },
  'nothing is signed': { [`interrupted card.communication: ${desk}`]: [...registering, 'signing'] },
  'the clinic accepts': { awaitingResult: ['sending'] },
  'the clinic refuses': {
    [`interrupted card.certificate-revoked: ${desk}`]: ['registration is sent', 'sending', 'waiting for the result'],
  },
  'the service answers': {
    [`interrupted eligibility.not-registered: ${desk}`]: ['registration is sent'],
    'sending early-eligible': ['sending'],
    'showingResult eligible: Chime accepted': ['waiting for the result'],
  },
  'the service has registered': {
    askingConsent: ['registration is sent'],
    'sending early-failed': ['sending'],
    'showingResult failed: Chime accepted': ['waiting for the result'],
  },
  'the request is given up': {
    [`interrupted delivery.expired: ${late}, ${desk}`]: ['registration is sent', 'sending', 'waiting for the result'],
  },
  'another’s request is given up': {},
  'the clinic accepts another’s': {},
  'the service answers for another': {},
  'staff approve another': {},
  'staff call another’s off': {},
  'the terminal is switched off': {
    'outOfService session.shutdown': ['at rest', 'out of service', ...noDigits],
    'outOfService session.shutdown: ClearPinEntry': digits,
    'outOfService session.shutdown: DismissPhone': ['waiting for an iPhone'],
    'outOfService session.shutdown: ClearPinEntry, DismissPhone': ['waiting for an Android'],
    // Both visits end: the one that was waited for, and the one its card began when it was put back.
    'outOfService session.shutdown: EndCard, VisitEnded session.shutdown, EndCard, VisitEnded session.shutdown': [
      'reading, put back',
    ],
    'outOfService session.shutdown: EndCard, VisitEnded session.shutdown signed': [...signed, ...toBeTaken],
    'outOfService session.shutdown: EndCard, VisitEnded session.shutdown': 'everywhere else',
  },
};

const table = { ...cards, ...ways, ...clinic };

test.each(eachHappening)('%s', (happening, happen) => {
  const outcomes = Object.entries(table[happening] ?? {});
  for (const [situation, come] of eachSituation) {
    const story = come();
    const before = { state: story.state, screen: shown(story.state) };
    const effects = happen(story).map(did);
    const line = [shown(story.state), effects.join(', ')].filter((part) => part !== '').join(': ');
    const [expected] =
      outcomes.find(([, where]) => where.includes(situation)) ??
      outcomes.find(([, where]) => where === 'everywhere else') ??
      [];
    expect(line, situation).toBe((expected ?? '…').replace('…', before.screen));
    if (expected === undefined) expect(story.state, situation).toEqual(before.state);
  }
});
