import { type Failure, failure } from '../failure.ts';
import type { Moment } from '../moment.ts';
import { delays } from './delays.ts';
import type { Identity } from './identity.ts';
import type {
  LastTry,
  PhoneKind,
  PhonePinNotice,
  Session,
  SessionEvent,
  SessionState,
  Step,
  Visit,
} from './session.ts';
import {
  dismissPhone,
  ended,
  forNobody,
  go,
  isPhone,
  newVisit,
  patient,
  rest,
  restState,
  sendToDesk,
  startVisit,
  stay,
  verified,
} from './session-steps.ts';

/*
 * A smartphone instead of a card, at a reader of its own or (`phonesOnBed`) laid where cards are. An iPhone authenticates its
 * owner itself and is then held to its reader. For an Android the PIN is typed here first, with nothing held anywhere (outline
 * published on 2025-08-28), and kept until the phone is there. Those digits never meet anything but an Android: whatever else
 * happens, they are gone. Where there is one place for both, nothing is chosen beforehand: what lies there is known by itself.
 */

const pinLength = 4;

type Told<Name extends SessionEvent['type']> = Extract<SessionEvent, { type: Name }>;
type In<Name extends SessionState['name']> = Extract<SessionState, { name: Name }>;

/** Whether digits typed for a phone are in the terminal's memory. */
const holdsPhonePin = (state: SessionState): state is In<'enteringPhonePin' | 'awaitingPhone'> =>
  (state.name === 'enteringPhonePin' && state.entered > 0) ||
  (state.name === 'awaitingPhone' && state.phone === 'android');

/** Every way on but the one to the phone itself overwrites them, before anything else is done. */
export const phonePinWiped = ({ state: before }: Session, step: Step): Step => {
  const { state } = step.session;
  return holdsPhonePin(before) && !holdsPhonePin(state) && state.name !== 'verifyingPhone'
    ? { ...step, effects: [{ type: 'ClearPinEntry' }, ...step.effects] }
    : step;
};

/** The PIN is asked (again): nothing of an earlier one is left, and no phone is waited for. */
export const askPhonePin = (
  session: Session,
  at: Moment,
  notice: PhonePinNotice,
  triesLeft: number | null = null,
): Step =>
  go(
    session,
    {
      name: 'enteringPhonePin',
      entered: 0,
      triesLeft,
      lastTry: triesLeft === 1 ? 'asking' : 'not-the-last',
      notice,
      ...patient(session, at),
    },
    ...dismissPhone(session.state),
    { type: 'ClearPinEntry' },
  );

const awaitPhone = (
  session: Session,
  at: Moment,
  phone: PhoneKind,
  { lastTry, triesLeft }: { readonly lastTry: LastTry; readonly triesLeft: number | null },
): Step =>
  go(
    session,
    {
      name: 'awaitingPhone',
      phone,
      lastTry,
      triesLeft,
      deadlineMs: at.monotonicMs + (phone === 'android' ? delays.phonePinHeldMs : delays.presentPhoneMs),
    },
    ...(session.surroundings.phonesOnBed ? [] : [{ type: 'PresentPhone', phone } as const]),
  );

/** Touches between visits: towards a smartphone, where the facility has one read, and back. */
export const phoneTouched = (session: Session, { control }: Told<'Touched'>, at: Moment): Step => {
  const { state, surroundings } = session;
  if (state.name === 'idle')
    return control === 'use-smartphone' && surroundings.settings?.smartphone === true && !surroundings.phonesOnBed
      ? go(session, { name: 'choosingPhone', ...patient(session, at) })
      : stay(session);
  if (state.name !== 'choosingPhone' && state.name !== 'enteringPhonePin' && state.name !== 'awaitingPhone')
    return stay(session);
  if (control === 'back') {
    // A language chosen meanwhile stays for whoever still stands there.
    const chosen = { ...session, chosenUntilMs: at.monotonicMs + delays.chosenAtRestMs };
    // A card that was laid down while a phone was being asked has waited.
    const rested = rest({ ...chosen, state: restState(chosen, at) }, at);
    return { ...rested, effects: [...dismissPhone(state), ...rested.effects] };
  }
  if (state.name === 'enteringPhonePin' && state.lastTry === 'asking' && control === 'last-try-yes')
    return go(session, { ...state, lastTry: 'confirmed', notice: 'none', ...patient(session, at) });
  if (state.name !== 'choosingPhone') return stay(session);
  if (control === 'iphone') return awaitPhone(session, at, 'iphone', { lastTry: 'not-the-last', triesLeft: null });
  return control === 'android' ? askPhonePin(session, at, 'none') : stay(session);
};

/**
 * An Android lies on the bed: its PIN is asked as if it had been chosen by touch, in the order published (first the PIN, then
 * the phone). What lies there is let go, and read again only when it is laid down again; nothing is known of it but that it is
 * one, so that it binds nobody. In place of a card that was pulled it is somebody's own visit, and the card's is over.
 */
export const phoneLaidDown = (session: Session, { visit, resuming }: In<'readingCard'>, at: Moment): Step => {
  const from = resuming === null ? session : forNobody(session);
  const asked = askPhonePin({ ...from, surroundings: { ...from.surroundings, cardOnBed: null } }, at, 'none');
  const over = resuming === null ? [] : ended(resuming, 'card.removed');
  return { ...asked, effects: [...over, ...ended(visit, 'card.unreadable'), ...asked.effects] };
};

/** Somebody comes to help, and may look on: a PIN that was typed for a phone is not kept meanwhile. */
export const phonePinPutAway = (session: Session, at: Moment): Step => {
  const { state } = session;
  if (!holdsPhonePin(state)) return stay(session);
  if (state.name === 'enteringPhonePin') return go(session, { ...state, entered: 0 });
  return askPhonePin(session, at, 'none', state.triesLeft);
};

const phonePinTyped = (session: Session, entered: number, at: Moment): Step => {
  const { state } = session;
  if (state.name !== 'enteringPhonePin' || state.lastTry === 'asking') return stay(session);
  const notice = state.notice === 'incomplete' ? 'none' : state.notice;
  return go(session, { ...state, entered, notice, ...patient(session, at) });
};

/** 決定: only now is a phone waited for. Without all four digits nothing is. */
const phonePinSubmitted = (session: Session, at: Moment): Step => {
  const { state } = session;
  if (state.name !== 'enteringPhonePin' || state.lastTry === 'asking') return stay(session);
  if (state.entered === pinLength) return awaitPhone(session, at, 'android', state);
  return go(
    session,
    { ...state, notice: 'incomplete', ...patient(session, at) },
    { type: 'Chime', sound: 'attention' },
  );
};

/**
 * The phone is there, or what somebody takes for one: before a digit is sent the token is looked at. One that comes when nobody
 * waits for it any more changes nothing.
 */
export const phonePresented = (
  session: Session,
  { insertion, session: newSession }: { readonly insertion: string; readonly session: string },
  at: Moment,
): Step => {
  const { state } = session;
  if (state.name !== 'awaitingPhone') return stay(session);
  const phone = { insertion, session: newSession, phone: state.phone };
  if (state.phone === 'iphone') return startVisit(session, phone, at);
  return go(
    { ...session, chosenUntilMs: null },
    { name: 'verifyingPhone', visit: newVisit(phone, at), deadlineMs: at.monotonicMs + delays.signingMs },
    { type: 'Chime', sound: 'contact' },
    { type: 'VerifyPhonePin', insertion, lastTryConfirmed: state.lastTry === 'confirmed' },
  );
};

/** Ended or revoked, it is not the card's: that one may be in order, and the phone's is registered anew in the app. */
export const phoneCertificateUnusable = failure('card.phone-certificate-unusable');

/** It took the PIN: a visit like any other whose owner is verified. */
export const phoneVerified = (session: Session, state: In<'verifyingPhone'>, identity: Identity, at: Moment): Step => {
  const visit: Visit = { ...state.visit, identity };
  const known: Session = { ...session, state: { ...state, visit } };
  if (identity.certificateState === 'dead') return sendToDesk(known, at, phoneCertificateUnusable);
  const step = verified(known, at, 'pin');
  const { insertion, session: id } = visit;
  return { ...step, effects: [{ type: 'StartLookup', insertion, session: id, identity }, ...step.effects] };
};

/** Somebody's card where a phone was waited for, unasked: on the one place it is that card's visit; elsewhere it belongs on the bed. */
const phoneWasCard = (session: Session, at: Moment): Step => {
  const { state } = session;
  if (state.name !== 'verifyingPhone') return stay(session);
  const { insertion, session: id } = state.visit;
  const visit = newVisit({ insertion, session: id }, at);
  if (!session.surroundings.phonesOnBed) return sendToDesk(session, at, failure('card.unreadable'));
  return go(
    session,
    { name: 'readingCard', visit, resuming: null, deadlineMs: at.monotonicMs + delays.readCardMs },
    { type: 'ReadCard', insertion },
  );
};

/** What comes of a phone, its PIN and the one VERIFY, when all is well. */
export const phoneTold = (
  session: Session,
  event: Told<'PhonePresented' | 'PhonePinDigitsChanged' | 'PhonePinSubmitted' | 'PhoneWasCard'>,
  at: Moment,
): Step => {
  switch (event.type) {
    case 'PhonePresented':
      return phonePresented(session, event, at);
    case 'PhonePinDigitsChanged':
      return phonePinTyped(session, event.entered, at);
    case 'PhonePinSubmitted':
      return phonePinSubmitted(session, at);
    case 'PhoneWasCard':
      return phoneWasCard(session, at);
    default:
      return event satisfies never;
  }
};

/** Taken away while it signed, where it would have to sign once more: its owner is asked nothing in vain. */
export const phoneIsGone = ({ surroundings }: Session, visit: Visit): boolean =>
  surroundings.phonesOnBed && isPhone(visit) && surroundings.cardOnBed?.insertion !== visit.insertion;

/** Of a phone whose insertion is over nothing is left, also where it lies on: it counts when it is laid down anew. */
const letGo = (session: Session, { insertion }: Visit): Session => {
  const { surroundings } = session;
  return surroundings.cardOnBed?.insertion === insertion
    ? { ...session, surroundings: { ...surroundings, cardOnBed: null } }
    : session;
};

/** The phone told how many tries it has left (0 = none); with one left and no yes for it, it was not asked. */
export const phonePinRefused = (
  session: Session,
  { visit }: In<'verifyingPhone'>,
  triesLeft: number,
  at: Moment,
): Step => {
  if (triesLeft === 0) return sendToDesk(session, at, failure('card.phone-pin-blocked'));
  const asked = askPhonePin(letGo(session, visit), at, 'wrong', triesLeft);
  return { ...asked, effects: [...ended(visit, 'card.pin-wrong'), ...asked.effects] };
};

/** Locked, without the application, or lying with something else: which of them it is no reader can tell. */
export const notRead = (reason: Failure): Failure =>
  reason.code === 'card.not-my-number' || reason.code === 'card.unreadable' || reason.code === 'card.communication'
    ? failure('card.phone-unreadable', reason.detail ?? reason.code)
    : reason;

/**
 * The phone that lay where cards lie is gone. null: its visit needs it no more, as a card's. Whether it has signed before, its
 * signature tells.
 */
export const phoneLifted = (session: Session, reason: Failure, at: Moment): Step | null => {
  const { state } = session;
  const atDesk = sendToDesk(session, at, reason.code === 'card.removed' ? failure('card.phone-removed') : reason);
  switch (state.name) {
    case 'verifyingPhone':
      return phoneFailed(session, state, reason, at);
    case 'signing':
      return stay(session);
    case 'registering':
      return state.phase === 'signing' ? stay(session) : atDesk;
    case 'readingCard':
    case 'sending':
    case 'awaitingResult':
    case 'showingResult':
    case 'awaitingCardRemoval':
    case 'interrupted':
      return null;
    default:
      return atDesk;
  }
};

/** A phone that was taken away too soon is held once more, with its PIN typed anew; anything else is for the desk. */
export const phoneFailed = (session: Session, { visit }: In<'verifyingPhone'>, reason: Failure, at: Moment): Step => {
  if (reason.code !== 'card.removed') return sendToDesk(session, at, notRead(reason));
  const asked = askPhonePin(letGo(session, visit), at, 'missed');
  return { ...asked, effects: [...ended(visit, 'card.communication'), ...asked.effects] };
};
