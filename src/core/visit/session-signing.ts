import { type Failure, failure, failureOf } from '../failure.ts';
import type { Moment } from '../moment.ts';
import type { RequestKind, Session, Step, Visit } from './session.ts';
import { leftBehind } from './session-earlier.ts';
import { phoneIsGone } from './session-phone.ts';
import {
  awaitCardReturn,
  endCard,
  go,
  isPhone,
  proceed,
  sendToDesk,
  startPin,
  stay,
  visitOf,
  withVisit,
} from './session-steps.ts';

/* What comes of a signature. */

/** The card, or phone, has signed and the request is durable: nothing of it can be lost any more. */
export const requestSigned = (session: Session, kind: RequestKind, requestId: string, at: Moment): Step => {
  const { state } = session;
  const visit = visitOf(state);
  if (visit === null || (state.name === 'interrupted' && !state.resume))
    return signedTooLate(kind === 'eligibility' ? withVisit(session, { requestId }) : session, requestId);
  if (kind === 'registration') {
    const sent: Visit = { ...visit, registration: 'sent' };
    if (state.name === 'registering' && phoneIsGone(session, visit))
      return sendToDesk(withVisit(session, sent), at, failure('card.phone-removed'));
    if (state.name === 'registering')
      return go(session, {
        ...state,
        visit: sent,
        phase: 'sending',
        requestId,
        deadlineMs: at.monotonicMs + session.surroundings.timeouts.offlineMs,
      });
    return stay(withVisit(session, sent));
  }
  // The card may have been pulled the moment after it signed: the row is durable, the visit is on its way.
  if (state.name !== 'signing' && state.name !== 'interrupted') return signedTooLate(session, requestId);
  return go(
    session,
    {
      name: 'sending',
      visit: { ...visit, requestId },
      requestId,
      sinceMs: at.monotonicMs,
      earlyResult: null,
      deadlineMs: at.monotonicMs + session.surroundings.timeouts.offlineMs,
    },
    endCard(visit),
  );
};

/**
 * A disk that hung has taken the request after its patient was sent away: it is on its way and cannot be taken back, so
 * staff are told that its result comes late.
 */
export const signedTooLate = (session: Session, requestId: string): Step => ({
  session,
  effects: leftBehind(requestId),
});

export const signingFailed = (session: Session, reason: Failure, at: Moment): Step => {
  const { state } = session;
  if (state.name !== 'signing' && state.name !== 'registering') return stay(session);
  // A phone cannot be put back: its PIN is asked for before it is there or not at all.
  const isLost = reason.code === 'card.removed' || reason.code === 'card.security-status-lost';
  if (isLost && isPhone(state.visit)) return sendToDesk(session, at, failure('card.phone-removed'));
  if (reason.code === 'card.removed') return awaitCardReturn(session, at, reason);
  if (reason.code === 'card.security-status-lost') return startPin(session, state.visit, at, 'card-forgot');
  return sendToDesk(session, at, reason);
};

export const registrationAnswered = (session: Session, outcome: string, code: string | null, at: Moment): Step => {
  const { state } = session;
  if (state.name !== 'registering') return stay(session);
  if (outcome !== 'registered') return sendToDesk(session, at, failureOf(code ?? 'eligibility.not-registered'));
  const { lookup } = state.visit;
  const visit: Visit = {
    ...state.visit,
    registration: 'done',
    lookup: lookup.state === 'answered' ? { ...lookup, result: { ...lookup.result, registered: 'yes' } } : lookup,
  };
  return proceed(session, visit, at);
};
