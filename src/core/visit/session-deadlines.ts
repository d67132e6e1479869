import { failure } from '../failure.ts';
import type { Moment } from '../moment.ts';
import { delays } from './delays.ts';
import type { Patience, Session, SessionState, Step } from './session.ts';
import { leaveUnanswered } from './session-earlier.ts';
import { askPhonePin } from './session-phone.ts';
import {
  dismissPhone,
  finish,
  go,
  patient,
  proceed,
  rest,
  sendToDesk,
  stay,
  visitOf,
  withoutFace,
} from './session-steps.ts';
import { listenMs } from './session-voice.ts';

/**
 * First the patient is asked, then, after a fair wait, the visit ends and the card is to be taken. Before a phone was
 * there nothing lies anywhere: the screen is the next patient's.
 */
const outOfPatience = (session: Session, state: Extract<SessionState, { patience: Patience }>, at: Moment): Step =>
  state.patience.asked
    ? visitOf(state) === null
      ? finish(session, at, 'session.timed-out')
      : sendToDesk(session, at, failure('session.timed-out'))
    : go(
        session,
        {
          ...state,
          patience: { asked: true, sinceMs: at.monotonicMs },
          deadlineMs: at.monotonicMs + delays.stillThereMs,
        },
        { type: 'Chime', sound: 'attention' },
      );

/** Whether somebody still looks for theirs is asked before the choice; held meanwhile, it begins nothing. */
const noPhoneCame = (session: Session, at: Moment): Step => {
  const step = outOfPatience(session, { name: 'choosingPhone', ...patient(session, at) }, at);
  return { ...step, effects: [...dismissPhone(session.state), ...step.effects] };
};

/** What the passing of the state's own deadline means; a deadline that was moved meanwhile changes nothing. */
export const deadlinePassed = (session: Session, at: Moment): Step => {
  const { state } = session;
  if (state.deadlineMs === null || at.monotonicMs < state.deadlineMs) return stay(session);
  const quietMs = session.unmovedSinceMs + delays.longestSpeechMs;
  if (session.surroundings.speaking && listenMs(session) !== null && at.monotonicMs < quietMs)
    return go(session, { ...state, deadlineMs: Math.min(quietMs, at.monotonicMs + delays.whileSaidMs) });
  switch (state.name) {
    case 'idle':
    case 'outOfService':
      return rest(session, at);
    case 'choosingPhone':
      return outOfPatience(session, state, at);
    case 'enteringPhonePin':
      // No card lies there that would bind what was typed to whoever goes on.
      return outOfPatience(session, { ...state, entered: 0 }, at);
    case 'awaitingPhone':
      return state.phone === 'android' ? askPhonePin(session, at, 'missed', state.triesLeft) : noPhoneCame(session, at);
    case 'verifyingPhone':
      return sendToDesk(session, at, failure('card.communication'));
    case 'readingCard':
      return sendToDesk(session, at, failure('card.communication'), true);
    case 'choosingMethod':
      return outOfPatience(session, state, at);
    case 'verifyingFace':
      if (state.trouble !== null) return withoutFace(session, at, state.trouble);
      if (!state.offerOthers) return go(session, { ...state, offerOthers: true, ...patient(session, at) });
      return outOfPatience(session, state, at);
    case 'enteringPin':
      if (state.checking) return sendToDesk(session, at, failure('card.communication'), true);
      return outOfPatience(session, state, at);
    case 'askingConsent':
      return outOfPatience(session, state, at);
    case 'registering':
      if (state.phase === 'asking') return outOfPatience(session, state, at);
      return sendToDesk(session, at, failure(state.phase === 'signing' ? 'card.communication' : 'delivery.offline'));
    case 'awaitingStaffCheck':
      return sendToDesk(session, at, failure('session.timed-out'));
    case 'awaitingLookup':
      return proceed(session, { ...state.visit, lookup: { state: 'unanswered' } }, at);
    case 'signing':
      return sendToDesk(session, at, failure('card.communication'));
    case 'sending':
      return leaveUnanswered(session, state.requestId, failure('delivery.offline'), at);
    case 'awaitingResult':
      return go(
        session,
        {
          name: 'showingResult',
          visit: state.visit,
          result: { outcome: 'late', qualificationValidity: null, code: null },
          atMs: at.wallMs,
          deadlineMs: at.monotonicMs + delays.showResultMs,
        },
        { type: 'Chime', sound: 'accepted' },
      );
    case 'showingResult':
      return cardOrFinish(session, at, 'accepted');
    case 'awaitingCardRemoval':
      return go(
        session,
        { ...state, leftBehind: true, deadlineMs: at.monotonicMs + delays.cardLeftMs },
        { type: 'Chime', sound: 'attention' },
      );
    case 'interrupted':
      // Only laid down anew can the card begin again: its answers are no longer within reach.
      if (state.resume && state.failure.code === 'card.removed')
        return go(
          session,
          { ...state, resume: false, deadlineMs: at.monotonicMs + delays.notFinishedMs },
          { type: 'Chime', sound: 'attention' },
        );
      return cardOrFinish(session, at, state.failure.code);
    default:
      return state satisfies never;
  }
};

/** Nobody is served while this visit's card still lies there. */
const cardOrFinish = (session: Session, at: Moment, outcome: string): Step => {
  const { state, surroundings } = session;
  const visit = visitOf(state);
  if (surroundings.cardOnBed === null || visit === null || surroundings.cardOnBed.insertion !== visit.insertion)
    return finish(session, at, outcome);
  return go(session, {
    name: 'awaitingCardRemoval',
    visit,
    sinceMs: at.monotonicMs,
    leftBehind: false,
    deadlineMs: at.monotonicMs + delays.cardLeftMs,
  });
};
