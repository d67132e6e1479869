import { type Failure, failure } from '../failure.ts';
import type { Moment } from '../moment.ts';
import { delays } from './delays.ts';
import type { Identity, VisualState } from './identity.ts';
import type { Session, SessionEvent, SessionState, Step, Surroundings, Visit } from './session.ts';
import { notRead, phoneLaidDown, phoneLifted, phonePresented } from './session-phone.ts';
import {
  awaitCardReturn,
  beginVerification,
  dismissPhone,
  endCard,
  ended,
  finish,
  forNobody,
  go,
  isPhone,
  proceed,
  rest,
  sendToDesk,
  startVisit,
  stay,
  visitOf,
  waitedForEnds,
  withoutFace,
  withVisit,
} from './session-steps.ts';

/** A card is laid down: a new visit, or the one that was waiting for it. */
export const cardInserted = (session: Session, insertion: string, newSession: string, at: Moment): Step => {
  const { state } = session;
  const card = { insertion, session: newSession };
  switch (state.name) {
    case 'idle':
    case 'choosingPhone':
    case 'enteringPhonePin':
    case 'awaitingPhone': {
      if (state.name === 'awaitingPhone' && session.surroundings.phonesOnBed) return phonePresented(session, card, at);
      const visit = startVisit(session, card, at);
      return { ...visit, effects: [...dismissPhone(state), ...visit.effects] };
    }
    case 'interrupted':
      return state.resume ? startVisit(session, card, at, state.visit) : finish(session, at, state.failure.code);
    case 'showingResult':
    case 'awaitingCardRemoval':
      return finish(session, at, 'accepted');
    default:
      return stay(session);
  }
};

/** An Android where a card belongs is a phone's visit, where the facility has phones read: nobody has to say so first. */
export const cardReadFailed = (
  session: Session,
  { failure: reason, phone }: Extract<SessionEvent, { type: 'CardReadFailed' }>,
  at: Moment,
): Step => {
  const { state, surroundings } = session;
  if (state.name !== 'readingCard') return stay(session);
  if (reason.code === 'card.removed') return cardGone(session, at, reason);
  if (phone === undefined) return sendToDesk(session, at, reason, reason.retriable);
  return phone === 'android' && surroundings.settings?.smartphone === true
    ? phoneLaidDown(session, state, at)
    : sendToDesk(withVisit(session, { phone }), at, reason, reason.retriable);
};

/** Something lies there that is no card for this: a visit that goes straight to the desk. */
export const cardUnreadable = (session: Session, reason: Failure, newSession: string, at: Moment): Step => {
  const { state } = session;
  if (!['idle', 'choosingPhone', 'enteringPhonePin', 'awaitingPhone', 'interrupted'].includes(state.name))
    return stay(session);
  const before = state.name === 'interrupted' ? state : null;
  // Laid down where a card was just pulled it is the same person's; after that, somebody else's.
  const from = before !== null && !before.resume ? forNobody(session) : session;
  // Where cards and phones have one place, its PIN is asked only of whom one was seen to lie there.
  const asksPhone = state.name === 'awaitingPhone' || state.name === 'enteringPhonePin';
  const isPhones = asksPhone && session.surroundings.phonesOnBed;
  const why = isPhones ? notRead(reason) : reason;
  const laid = { insertion: newSession, session: newSession, ...(isPhones && { phone: 'android' as const }) };
  const desk = sendToDesk(startVisit(from, laid, at).session, at, why, why.code === 'card.unreadable');
  const over = before === null ? dismissPhone(state) : ended(before.visit, before.failure.code);
  return { ...desk, effects: [...over, ...desk.effects] };
};

/** What was put back is taken again before it was read: its own insertion ends, and the visit goes on waiting. */
const cardGoneAgain = (session: Session, put: Visit, resuming: Visit, at: Moment, reason: Failure): Step => {
  const back = awaitCardReturn(withVisit(session, resuming), at, reason);
  return { ...back, effects: [endCard(put), ...back.effects] };
};

/** The card, or the reader with it, is no longer there. A visit's phone may be at a reader of its own: `before` tells. */
export const cardGone = (session: Session, at: Moment, reason: Failure, before?: Surroundings): Step => {
  const { state } = session;
  const visit = visitOf(state);
  // What comes and goes on the bed, or the bed's reader itself, is nothing to a visit begun with a phone at a reader of its own.
  if (visit !== null && isPhone(visit)) {
    const onBed = before === undefined || before.phonesOnBed || before.cardOnBed?.insertion === visit.insertion;
    const lifted = onBed ? phoneLifted(session, reason, at) : stay(session);
    if (lifted !== null) return lifted;
  }
  switch (state.name) {
    case 'idle':
    case 'outOfService':
      return rest(session, at);
    case 'enteringPhonePin':
    case 'awaitingPhone':
      // No phone can be laid down where the reader itself is gone: nobody types and waits for one in vain.
      return session.surroundings.phonesOnBed && reason.code !== 'card.removed'
        ? finish(session, at, reason.code)
        : stay(session);
    case 'readingCard':
      return state.resuming === null
        ? finish(session, at, reason.code)
        : cardGoneAgain(session, state.visit, state.resuming, at, reason);
    case 'sending':
    case 'awaitingResult':
      return { session, effects: [endCard(state.visit)] };
    case 'showingResult': {
      const leavingMs = at.monotonicMs + delays.showResultAfterRemovalMs;
      return go(session, { ...state, deadlineMs: Math.min(state.deadlineMs, leavingMs) }, endCard(state.visit));
    }
    case 'awaitingCardRemoval':
      return finish(session, at, 'accepted');
    case 'interrupted':
      return state.resume
        ? stay(session)
        : go(session, { ...state, deadlineMs: at.monotonicMs + delays.deskAfterRemovalMs });
    default:
      return awaitCardReturn(session, at, reason);
  }
};

/** The photo that was compared must be seen again before a visit verified by face goes on with a card put back. */
const mustSeePhoto = (resuming: Visit | null, now: Identity): boolean =>
  now.visual.state === 'reading' &&
  resuming?.verification.state === 'verified' &&
  resuming.verification.method === 'face';

/** What the chip says of its photo comes while the visit goes on. */
export const visualRead = (session: Session, visual: VisualState, at: Moment): Step => {
  const { state } = session;
  const identity = visitOf(state)?.identity ?? null;
  if (identity === null || identity.visual.state !== 'reading') return stay(session);
  const now: Identity = { ...identity, visual };
  if (state.name === 'readingCard') return cardRead(session, state, now, at);
  const known = withVisit(session, { identity: now });
  if (visual.state !== 'unavailable') return stay(known);
  if (state.name === 'choosingMethod') return beginVerification(known, { ...state.visit, identity: now }, at);
  return state.name === 'verifyingFace' ? withoutFace(known, at, failure(visual.code)) : stay(known);
};

/** The same chip and, where the photo was compared, the same photo. */
const sameCard = (before: Visit, now: Identity): boolean => {
  const then = before.identity;
  if (then === null) return false;
  const sameCertificate =
    then.authCertificate.length === now.authCertificate.length &&
    then.authCertificate.every((byte, index) => byte === now.authCertificate[index]);
  if (!sameCertificate) return false;
  const usedFace = before.verification.state === 'verified' && before.verification.method === 'face';
  if (!usedFace) return true;
  const compared = photoOf(then.visual);
  return compared !== null && compared === photoOf(now.visual);
};

const photoOf = (visual: VisualState): string | null => (visual.state === 'read' ? visual.photoHash : null);

/** The chip has told who it is: go on where the same card left off, or begin. */
export const cardRead = (
  session: Session,
  state: Extract<SessionState, { name: 'readingCard' }>,
  identity: Identity,
  at: Moment,
): Step => {
  if (mustSeePhoto(state.resuming, identity))
    return {
      session: withVisit(session, { identity }),
      effects: [{ type: 'ReadVisual', insertion: state.visit.insertion }],
    };
  const resuming = state.resuming !== null && sameCard(state.resuming, identity) ? state.resuming : null;
  const lookup = (visit: Visit) =>
    ({ type: 'StartLookup', insertion: visit.insertion, session: visit.session, identity }) as const;
  if (resuming !== null) {
    // A registration whose answer was missed is asked for again: the service knows whether it took place.
    const askAgain = resuming.lookup.state !== 'answered' || resuming.registration === 'sent';
    const visit: Visit = {
      ...resuming,
      insertion: state.visit.insertion,
      identity,
      lookup: askAgain ? { state: 'pending' } : resuming.lookup,
    };
    // Also where it cannot go on: it is this visit that goes to the desk, and ends, not the one the card began as.
    const step = proceed({ ...session, state: { ...state, visit, resuming: null } }, visit, at);
    return askAgain ? { ...step, effects: [lookup(visit), ...step.effects] } : step;
  }
  const visit: Visit = { ...state.visit, identity };
  // Another person's card: what the last one chose and heard is not for them.
  const known: Session = state.resuming === null ? session : forNobody(session);
  const fresh: Session = { ...known, state: { ...state, visit, resuming: null } };
  const over = waitedForEnds(state, 'card.removed');
  const isDead = identity.certificateState === 'dead';
  const step = isDead
    ? sendToDesk(fresh, at, failure('card.certificate-expired'))
    : beginVerification(fresh, visit, at);
  return { ...step, effects: [...over, ...(isDead ? [] : [lookup(visit)]), ...step.effects] };
};
