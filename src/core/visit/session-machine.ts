import { failure, failureOf } from '../failure.ts';
import type { Moment } from '../moment.ts';
import { delays, faceMissesBeforeOthers } from './delays.ts';
import type { Identity } from './identity.ts';
import type { Display, Session, SessionEvent, SessionState, Step, Surroundings } from './session.ts';
import { noted } from './session-buttons.ts';
import { cardGone, cardInserted, cardReadFailed, cardUnreadable, visualRead } from './session-card.ts';
import { deadlinePassed } from './session-deadlines.ts';
import {
  cardOfVisit,
  earlierGivenUp,
  leaveUnanswered,
  observeEarlier,
  showResult,
  visitResult,
} from './session-earlier.ts';
import { phoneCertificateUnusable, phoneFailed, phonePinRefused, phonePinWiped, phoneTold } from './session-phone.ts';
import { registrationAnswered, requestSigned, signedTooLate, signingFailed } from './session-signing.ts';
import {
  finish,
  go,
  isPhone,
  patient,
  proceed,
  rest,
  sendToDesk,
  startFace,
  startPin,
  stay,
  verified,
  visitOf,
  withoutFace,
  withVisit,
} from './session-steps.ts';
import { keyPressed, touched } from './session-touch.ts';
import { voiceEnded } from './session-voice.ts';

/** A terminal that has just been switched on: nothing is known yet, so nothing can be done. */
export const initialSession = (
  consentCatalogue: Surroundings['consentCatalogue'],
  display: Display,
  timeouts: Surroundings['timeouts'],
  phonesOnBed: boolean,
): Session => ({
  state: { name: 'outOfService', failure: failure('settings.missing'), sinceMs: 0, deadlineMs: null },
  surroundings: {
    reader: { state: 'lost', failure: failure('reader.lost') },
    cardOnBed: null,
    phonesOnBed,
    faceTrouble: failure('face.process-lost'),
    connected: false,
    disconnectedSinceMs: 0,
    disconnection: failure('delivery.offline'),
    challengesReady: false,
    agentTrouble: null,
    earlier: [],
    speaking: false,
    settings: null,
    timeouts,
    consentCatalogue,
  },
  display,
  help: null,
  othersGoneAtMs: null,
  unmovedSinceMs: 0,
  chosenUntilMs: null,
});

/** What an event says about the world around the visit, before anybody reacts to it. */
const observe = (surroundings: Surroundings, event: SessionEvent): Surroundings => {
  switch (event.type) {
    case 'CardInserted':
      return { ...surroundings, cardOnBed: { insertion: event.insertion, session: event.session } };
    case 'CardRemoved':
      return { ...surroundings, cardOnBed: null };
    case 'ReaderFound':
      return { ...surroundings, reader: { state: 'present' } };
    case 'ReaderLost':
      return { ...surroundings, reader: { state: 'lost', failure: event.failure }, cardOnBed: null };
    case 'FaceHealthChanged':
      return { ...surroundings, faceTrouble: event.trouble };
    case 'BusConnected':
      return { ...surroundings, connected: true, disconnectedSinceMs: null };
    case 'BusDisconnected':
      return {
        ...surroundings,
        connected: false,
        disconnectedSinceMs: surroundings.disconnectedSinceMs ?? event.at.monotonicMs,
        disconnection: event.failure,
      };
    case 'ChallengesChanged':
      return { ...surroundings, challengesReady: event.ready };
    case 'AgentChanged':
      return { ...surroundings, agentTrouble: event.trouble };
    case 'EarlierVisitFound':
    case 'EarlierVisitGivenUp':
    case 'RequestExpired':
    case 'ReceiptArrived':
    case 'ResultArrived':
      return observeEarlier(surroundings, event);
    case 'VoiceBegan':
      return { ...surroundings, speaking: true };
    case 'VoiceEnded':
      return { ...surroundings, speaking: false };
    case 'SettingsChanged':
      return { ...surroundings, settings: event.settings, timeouts: event.settings.timeouts };
    case 'CatalogueChanged':
      return { ...surroundings, consentCatalogue: event.catalogue };
    default:
      return surroundings;
  }
};

/**
 * The visit's one rule book: a session and what happened give the next session and what the world shall do.
 * Pure and total: every event is answered in every state; one that does not belong there changes nothing.
 * Events that come from work begun for an earlier insertion of a card are dropped here.
 */
export const transition = (before: Session, event: SessionEvent): Step =>
  noted(before, phonePinWiped(before, answered(before, event)), event);

const answered = (before: Session, event: SessionEvent): Step => {
  const session: Session = { ...before, surroundings: observe(before.surroundings, event) };
  const { state } = session;
  const { at } = event;
  const visit = visitOf(state);
  const begins = event.type === 'CardInserted' || event.type === 'PhonePresented';
  if ('insertion' in event && !begins && event.insertion !== visit?.insertion)
    return event.type === 'RequestSigned' ? signedTooLate(session, event.requestId) : stay(session);
  const { cardOnBed } = before.surroundings;
  switch (event.type) {
    case 'CardInserted':
      return cardInserted(session, event.insertion, event.session, at);
    case 'CardUnreadable':
      return cardUnreadable(session, event.failure, event.session, at);
    case 'PhonePresented':
    case 'PhonePinDigitsChanged':
    case 'PhonePinSubmitted':
    case 'PhoneWasCard':
      return phoneTold(session, event, at);
    case 'CardRemoved':
      // Somebody's card that came and went while another visit, begun with a phone, goes on
      if (visit !== null && (cardOnBed?.insertion ?? visit.insertion) !== visit.insertion) return stay(session);
      return cardGone(session, at, failure('card.removed'), before.surroundings);
    case 'ReaderLost':
      return cardGone(session, at, event.failure, before.surroundings);
    case 'CardRead':
      return state.name === 'readingCard' ? cardOfVisit(session, state, event, at) : stay(session);
    case 'PhoneVerified':
      return state.name === 'verifyingPhone' ? cardOfVisit(session, state, event, at) : stay(session);
    case 'CardReadFailed':
      return cardReadFailed(session, event, at);
    case 'VisualRead':
      return visualRead(session, event.visual, at);
    case 'LookupAnswered': {
      if (visit === null || visit.lookup.state === 'answered') return stay(session);
      const lookup = { state: 'answered', result: event.result, atMs: at.monotonicMs } as const;
      const known = withVisit(session, { lookup });
      if (isSigned(session) || (state.name === 'interrupted' && !state.resume)) return stay(known);
      if (event.result.certificateStatus === 'revoked')
        return sendToDesk(known, at, isPhone(visit) ? phoneCertificateUnusable : failure('card.certificate-revoked'));
      if (event.result.maintenance !== undefined) return sendToDesk(known, at, failure('eligibility.maintenance'));
      return state.name === 'awaitingLookup' ? proceed(known, { ...state.visit, lookup }, at) : stay(known);
    }
    case 'LookupFailed': {
      if (visit === null || visit.lookup.state !== 'pending') return stay(session);
      const lookup = { state: 'unanswered' } as const;
      const unanswered = withVisit(session, { lookup });
      return state.name === 'awaitingLookup' ? proceed(unanswered, { ...state.visit, lookup }, at) : stay(unanswered);
    }
    case 'FaceHinted':
      return state.name === 'verifyingFace' ? go(session, { ...state, hint: event.hint }) : stay(session);
    case 'FaceMatched':
      return state.name === 'verifyingFace' ? verified(session, at, 'face') : stay(session);
    case 'FaceMissed': {
      if (state.name !== 'verifyingFace') return stay(session);
      const faceMisses = state.visit.faceMisses + 1;
      const offerOthers = state.offerOthers || faceMisses >= faceMissesBeforeOthers;
      return go(session, {
        ...state,
        visit: { ...state.visit, faceMisses },
        offerOthers,
        ...(offerOthers && !state.offerOthers ? patient(session, at) : {}),
      });
    }
    case 'FaceFailed':
      if (state.name !== 'verifyingFace') return stay(session);
      if (event.failure.code !== 'face.process-lost') return withoutFace(session, at, event.failure);
      return go(session, {
        ...{ ...state, ...patient(session, at), trouble: event.failure },
        deadlineMs: at.monotonicMs + delays.faceRestartMs,
      });
    case 'FaceHealthChanged':
      if (state.name === 'verifyingFace' && state.trouble !== null && event.trouble === null)
        return startFace(session, state.visit, at);
      return stay(session);
    case 'PinDigitsChanged':
      return state.name === 'enteringPin' && !state.checking
        ? go(session, {
            ...state,
            entered: event.entered,
            notice: state.notice === 'incomplete' ? 'none' : state.notice,
            ...patient(session, at),
          })
        : stay(session);
    case 'PinSubmitted':
      if (state.name !== 'enteringPin' || state.checking || state.lastTry === 'asking') return stay(session);
      if (state.entered !== 4)
        return go(
          session,
          { ...state, notice: 'incomplete', ...patient(session, at) },
          { type: 'Chime', sound: 'attention' },
        );
      return go(
        session,
        { ...state, checking: true, ...patient(session, at), deadlineMs: at.monotonicMs + delays.signingMs },
        {
          type: 'VerifyPin',
          insertion: state.visit.insertion,
          lastTryConfirmed: state.lastTry === 'confirmed',
        },
      );
    case 'PinVerified':
      return state.name === 'enteringPin' && state.checking ? verified(session, at, 'pin') : stay(session);
    case 'PinRefused':
      if (state.name === 'verifyingPhone') return phonePinRefused(session, state, event.triesLeft, at);
      if (state.name !== 'enteringPin' || !state.checking) return stay(session);
      return pinRefused(session, state, event.triesLeft, at);
    case 'PinCheckFailed':
      if (state.name === 'verifyingPhone') return phoneFailed(session, state, event.failure, at);
      if (state.name !== 'enteringPin' || !state.checking) return stay(session);
      if (event.failure.code === 'card.pin-blocked') return pinRefused(session, state, 0, at);
      return event.failure.code === 'card.removed'
        ? cardGone(session, at, event.failure)
        : sendToDesk(session, at, event.failure, true);
    case 'Touched':
      return touched(session, event, at);
    case 'HelpAnswered':
      return stay(session.help === null ? session : { ...session, help: { ...session.help, answered: true } });
    case 'KeyPressed':
      return keyPressed(session, event.asks, at);
    case 'VoiceBegan':
      return stay(session);
    case 'VoiceEnded':
      return before.surroundings.speaking ? voiceEnded(session, at) : stay(session);
    case 'StaffApproved': {
      if (visit?.session !== event.session || !mayBeApproved(session)) return stay(session);
      return verified(session, at, 'staff', event.approval);
    }
    case 'StaffCancelled':
      return visit?.session === event.session && !isSigned(session)
        ? sendToDesk(session, at, failure('session.cancelled-by-staff'))
        : stay(session);
    case 'RequestSigned':
      return requestSigned(session, event.kind, event.requestId, at);
    case 'SigningFailed':
      return signingFailed(session, event.failure, at);
    case 'ReceiptArrived':
      if (!('requestId' in state) || state.requestId !== event.requestId) return stay(session);
      if (event.verdict === 'refused') return sendToDesk(session, at, failureOf(event.code));
      if (state.name !== 'sending') return stay(session);
      return state.earlyResult === null
        ? go(session, {
            name: 'awaitingResult',
            visit: state.visit,
            requestId: state.requestId,
            deadlineMs: at.monotonicMs + delays.resultMs,
          })
        : showResult(session, state.visit, state.earlyResult, at);
    case 'ResultArrived': {
      if (!('requestId' in state) || state.requestId !== event.requestId) return stay(session);
      if (state.name === 'registering') return registrationAnswered(session, event.outcome, event.code, at);
      const result = visitResult(event);
      // The receipt says that nothing can be lost any more; a result that overtook it on the way waits for it.
      if (state.name === 'sending') return go(session, { ...state, earlyResult: result });
      return showResult(session, state.visit, result, at);
    }
    case 'RequestExpired':
      return 'requestId' in state && state.requestId === event.requestId
        ? leaveUnanswered(session, event.requestId, failure('delivery.expired'), at)
        : stay(session);
    case 'EarlierVisitGivenUp':
      return earlierGivenUp(before.surroundings, session, event.requestId);
    case 'EarlierVisitFound':
      return stay(session);
    case 'ReaderFound':
    case 'BusConnected':
    case 'BusDisconnected':
    case 'ChallengesChanged':
    case 'AgentChanged':
    case 'SettingsChanged':
    case 'CatalogueChanged':
      return rest(session, at);
    case 'DeadlinePassed':
      return deadlinePassed(session, at);
    case 'ShutdownRequested': {
      const ended = finish(session, at, 'session.shutdown');
      return go(
        ended.session,
        { name: 'outOfService', failure: failure('session.shutdown'), sinceMs: at.monotonicMs, deadlineMs: null },
        ...ended.effects.filter((effect) => effect.type !== 'Chime' && effect.type !== 'ReadCard'),
      );
    }
    default:
      return event satisfies never;
  }
};

/** Once the request is durable the visit goes on without the card, and nothing the patient does can undo it. */
const isSigned = ({ state }: Session): boolean =>
  state.name === 'sending' ||
  state.name === 'awaitingResult' ||
  state.name === 'showingResult' ||
  state.name === 'awaitingCardRemoval';

const mayBeApproved = ({ state }: Session): boolean =>
  (state.name === 'interrupted' && state.approvable) ||
  state.name === 'choosingMethod' ||
  state.name === 'verifyingFace' ||
  (state.name === 'enteringPin' && !state.checking) ||
  state.name === 'awaitingStaffCheck';

/** With none left it leads to the staff, who are told why. */
const pinRefused = (
  session: Session,
  { visit }: Extract<SessionState, { name: 'enteringPin' }>,
  triesLeft: number,
  at: Moment,
): Step => {
  const pin: Identity['pin'] = triesLeft > 0 ? { state: 'usable', triesLeft } : { state: 'blocked' };
  return startPin(session, { ...visit, identity: visit.identity && { ...visit.identity, pin } }, at, 'wrong');
};
