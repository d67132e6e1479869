import { type Failure, failureOf } from '../failure.ts';
import type { Moment } from '../moment.ts';
import { delays } from './delays.ts';
import type { Identity } from './identity.ts';
import type {
  EarlierVisit,
  Effect,
  Session,
  SessionEvent,
  SessionState,
  Step,
  Surroundings,
  Visit,
  VisitResult,
} from './session.ts';
import { cardRead } from './session-card.ts';
import { phoneVerified } from './session-phone.ts';
import { endCard, forNobody, go, sendToDesk, stay, waitedForEnds } from './session-steps.ts';

/* Visits that were signed before the terminal restarted: gone on with, or told to staff; never begun again. */

export const visitResult = (event: Extract<SessionEvent, { type: 'ResultArrived' }>): VisitResult => ({
  outcome: event.outcome === 'registered' ? 'failed' : event.outcome,
  qualificationValidity: event.qualificationValidity,
  code: event.code,
});

export const showResult = (session: Session, visit: Visit, result: VisitResult, at: Moment): Step =>
  go(
    session,
    { name: 'showingResult', visit, result, atMs: at.wallMs, deadlineMs: at.monotonicMs + delays.showResultMs },
    { type: 'Chime', sound: 'accepted' },
  );

type News = Extract<
  SessionEvent,
  { type: 'EarlierVisitFound' | 'EarlierVisitGivenUp' | 'RequestExpired' | 'ReceiptArrived' | 'ResultArrived' }
>;

/** What is known now of one of them; nothing = nobody waits for it any more. */
const heardOf = (one: EarlierVisit, event: News): readonly EarlierVisit[] => {
  if (one.requestId !== event.requestId) return [one];
  switch (event.type) {
    case 'ReceiptArrived':
      return [{ ...one, receipt: { verdict: event.verdict, code: event.code } }];
    case 'ResultArrived':
      return [{ ...one, result: visitResult(event) }];
    default:
      return [];
  }
};

/** Receipts and results come while nobody yet knows whose card will be read. */
export const observeEarlier = (surroundings: Surroundings, event: News): Surroundings => {
  const earlier = surroundings.earlier.flatMap((one) => heardOf(one, event));
  if (event.type !== 'EarlierVisitFound') return { ...surroundings, earlier };
  const { requestId, session } = event;
  return { ...surroundings, earlier: [...earlier, { requestId, session, receipt: null, result: null }] };
};

/** Nobody waits for the answer to this request any more. */
export const leftBehind = (requestId: string): readonly Effect[] => [
  { type: 'TellLate', requestId },
  { type: 'ReleaseRequest', requestId },
];

/** The clinic's end may have taken it, and its receipt be lost: then it is late. */
export const leaveUnanswered = (session: Session, requestId: string, reason: Failure, at: Moment): Step => {
  const desk = sendToDesk(session, at, reason);
  return { ...desk, effects: [...leftBehind(requestId), ...desk.effects] };
};

/** `before`: whether it was waited for until now. */
export const earlierGivenUp = (before: Surroundings, session: Session, requestId: string): Step =>
  before.earlier.some((one) => one.requestId === requestId)
    ? { session, effects: leftBehind(requestId) }
    : stay(session);

type Read = Extract<SessionState, { name: 'readingCard' | 'verifyingPhone' }>;

const goOnWith = (session: Session, state: Read, earlier: EarlierVisit, identity: Identity, at: Moment): Step => {
  const { requestId, receipt, result } = earlier;
  const visit: Visit = { ...state.visit, session: earlier.session, identity, requestId };
  const here = state.name === 'readingCard' ? { ...state, visit, resuming: null } : { ...state, visit };
  const known: Session = { ...session, state: here };
  if (receipt?.verdict === 'refused') return sendToDesk(known, at, failureOf(receipt.code));
  if (receipt !== null && result !== null) return showResult(known, visit, result, at);
  const { monotonicMs } = at;
  if (receipt !== null)
    return go(known, { name: 'awaitingResult', visit, requestId, deadlineMs: monotonicMs + delays.resultMs });
  const deadlineMs = monotonicMs + session.surroundings.timeouts.offlineMs;
  return go(known, { name: 'sending', visit, requestId, sinceMs: monotonicMs, earlyResult: result, deadlineMs });
};

/**
 * A card has been read, or a phone has taken its PIN. The one that signed before the restart goes on where its visit stood: nobody signs twice. Any
 * other means that the patient of an earlier visit has left without an answer, and staff hear of it.
 */
export const cardOfVisit = (
  session: Session,
  state: Read,
  { identity, earlier: earlierId }: Extract<SessionEvent, { type: 'CardRead' | 'PhoneVerified' }>,
  at: Moment,
): Step => {
  const { earlier } = session.surroundings;
  const own = earlier.find(({ requestId }) => requestId === earlierId);
  const others = earlier.filter((one) => one !== own).flatMap(({ requestId }) => leftBehind(requestId));
  const alone: Session = { ...session, surroundings: { ...session.surroundings, earlier: [] } };
  if (own !== undefined) {
    // Whoever's card was waited for, it is not this one: their visit is over, and what they chose and heard is not for this patient.
    const over = waitedForEnds(state, 'card.removed');
    const step = goOnWith(over.length === 0 ? alone : forNobody(alone), state, own, identity, at);
    return { ...step, effects: [...others, ...over, endCard(state.visit), ...step.effects] };
  }
  const step =
    state.name === 'verifyingPhone' ? phoneVerified(alone, state, identity, at) : cardRead(alone, state, identity, at);
  return { ...step, effects: [...others, ...step.effects] };
};
