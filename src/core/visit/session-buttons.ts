import type { Moment } from '../moment.ts';
import { delays } from './delays.ts';
import type { Session, SessionEvent, SessionState, Step } from './session.ts';

/**
 * The question whose buttons stand on the screen, by a name that changes with it; null: nothing can be answered here.
 * Choice and face check are one question: their buttons are the same and stay where they are.
 */
const questionOn = ({ state, surroundings }: Session): string | null => {
  if ('patience' in state && state.patience.asked) return 'still-there';
  switch (state.name) {
    case 'idle':
      return surroundings.settings?.smartphone === true ? state.name : null;
    case 'choosingPhone':
    case 'awaitingPhone':
    case 'awaitingStaffCheck':
      return state.name;
    case 'choosingMethod':
    case 'verifyingFace':
      return 'identity';
    case 'enteringPhonePin':
    case 'enteringPin':
      return `${state.name} ${state.lastTry === 'asking'}`;
    case 'registering':
      return state.phase === 'asking' ? state.name : null;
    case 'askingConsent':
      return consentOn(state);
    case 'interrupted':
      return state.approvable ? state.name : null;
    default:
      return null;
  }
};

const consentOn = ({ visit }: Extract<SessionState, { name: 'askingConsent' }>): string => {
  const question = visit.questions?.[visit.questionIndex];
  return `consent ${visit.questionIndex} ${question?.kind}`;
};

const visitorsEvents: readonly SessionEvent['type'][] = [
  'Touched',
  'KeyPressed',
  'PinDigitsChanged',
  'PinSubmitted',
  'CardInserted',
  'CardRemoved',
  'PhonePresented',
  'PhonePinDigitsChanged',
  'PhonePinSubmitted',
];

/** What the visitor does: whoever acts is there, and has heard enough. */
export const isVisitors = ({ type }: SessionEvent): boolean => visitorsEvents.includes(type);

/** Notes when the buttons of one question made way for another's, or for none, and since when nothing has moved. */
export const noted = (before: Session, { session, effects }: Step, event: SessionEvent): Step => {
  const { monotonicMs } = event.at;
  const [was, is] = [questionOn(before), questionOn(session)];
  const moved = before.state.name !== session.state.name || was !== is || isVisitors(event);
  return {
    session: {
      ...session,
      othersGoneAtMs: was !== null && was !== is ? monotonicMs : before.othersGoneAtMs,
      unmovedSinceMs: moved ? monotonicMs : before.unmovedSinceMs,
    },
    effects,
  };
};

/**
 * How long a finger is not yet meant for what it touches now, because another question's buttons were there; ms, 0 =
 * it is. Nobody reads a question in so short a time: what comes is the last answer once more, or a finger on its way.
 */
export const notMeantForMs = ({ othersGoneAtMs }: Session, at: Moment): number =>
  othersGoneAtMs === null ? 0 : Math.max(0, othersGoneAtMs + delays.otherButtonsMs - at.monotonicMs);
