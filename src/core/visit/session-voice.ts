import type { Moment } from '../moment.ts';
import { delays } from './delays.ts';
import type { Session, Step } from './session.ts';
import { answerMs, go, stay } from './session-steps.ts';

/**
 * How long a patient has from the end of what is said, ms; null: the state's own time runs whether anything is said or
 * not. Nobody answers a question while it is still being read to them.
 */
export const listenMs = ({ state, surroundings }: Session): number | null => {
  const answering = answerMs(surroundings);
  if ('patience' in state && state.patience.asked) return delays.stillThereMs;
  switch (state.name) {
    case 'choosingPhone':
    case 'enteringPhonePin':
    case 'choosingMethod':
    case 'askingConsent':
      return answering;
    case 'awaitingPhone':
      // A PIN is kept no longer because of what is said.
      return state.phone === 'iphone' ? delays.presentPhoneMs : null;
    case 'verifyingFace':
      if (state.trouble !== null) return null;
      return state.offerOthers ? answering : surroundings.timeouts.faceMs;
    case 'enteringPin':
      return state.checking ? null : answering;
    case 'registering':
      return state.phase === 'asking' ? answering : null;
    case 'showingResult':
      return surroundings.cardOnBed?.insertion === state.visit.insertion
        ? delays.showResultMs
        : delays.showResultAfterRemovalMs;
    case 'awaitingCardRemoval':
      return delays.cardLeftMs;
    case 'interrupted':
      // The answers of a pulled card live no longer because of what is said.
      if (state.resume) return null;
      if (state.failure.code === 'card.removed') return delays.notFinishedMs;
      return surroundings.cardOnBed === null ? delays.deskAfterRemovalMs : delays.deskMs;
    default:
      return null;
  }
};

/**
 * All has been said: the patient's time begins now. A longer time that runs already is not cut, and however often
 * something is said (a hint, a screen once more by a loose earphone) while nothing moves, its end stays.
 */
export const voiceEnded = (session: Session, at: Moment): Step => {
  const { state } = session;
  const wait = listenMs(session);
  if (wait === null || state.deadlineMs === null) return stay(session);
  const heardMs = Math.min(at.monotonicMs, session.unmovedSinceMs + delays.longestSpeechMs);
  return go(session, { ...state, deadlineMs: Math.max(state.deadlineMs, heardMs + wait) });
};
