import { confirmed, toldNow } from '../catalogue/answered-before.ts';
import { type Answers, answerQuestion, noAnswers, questionsOf, unbundled } from '../catalogue/consent.ts';
import { failure } from '../failure.ts';
import type { Moment } from '../moment.ts';
import { delays } from './delays.ts';
import type { Display, Session, SessionEvent, SessionState, Step, Visit } from './session.ts';
import { notMeantForMs } from './session-buttons.ts';
import { phonePinPutAway, phoneTouched } from './session-phone.ts';
import {
  canUseFace,
  canUsePin,
  go,
  patient,
  proceed,
  restState,
  sendToDesk,
  signRegistration,
  startFace,
  startPin,
  startStaffCheck,
  stay,
  visitOf,
  whyNoPin,
} from './session-steps.ts';
import { listenMs } from './session-voice.ts';

type Touched = Extract<SessionEvent, { type: 'Touched' }>;

const loudest = 2;

/** The tools at the edge of every screen: language, size, contrast, voice. They answer nothing and end no visit. */
export const adjusted = (
  display: Display,
  touch: Pick<Touched, 'control' | 'value'>,
  languages: readonly string[] | undefined,
): Display | null => {
  switch (touch.control) {
    case 'language': {
      const language = languages?.find((offered) => offered === touch.value);
      return language === undefined ? null : { ...display, language };
    }
    case 'text-size': {
      const next = { 100: 150, 150: 200, 200: 100 } as const;
      return { ...display, textPercent: next[display.textPercent] };
    }
    case 'theme': {
      const next = { default: 'high-contrast', 'high-contrast': 'dark', dark: 'default' } as const;
      return { ...display, theme: next[display.theme] };
    }
    case 'layout':
      return { ...display, layout: display.layout === 'low' ? 'standard' : 'low' };
    case 'voice':
      return { ...display, voice: display.voice === 'all' ? 'off' : 'all' };
    case 'repeat':
      return { ...display, voice: 'all' };
    case 'softer':
      return { ...display, loudness: Math.max(-loudest, display.loudness - 1) };
    case 'louder':
      return { ...display, loudness: Math.min(loudest, display.loudness + 1) };
    default:
      return null;
  }
};

/**
 * A touch means what its control means in this state, and nothing elsewhere: a finger that comes late, or from the
 * last patient's screen, changes nothing. Every touch of the visit's own screen extends its patience.
 */
export const touched = (session: Session, touch: Touched, at: Moment): Step => {
  const visit = visitOf(session.state);
  if (touch.session !== (visit?.session ?? null)) return stay(session);
  const display = adjusted(session.display, touch, session.surroundings.settings?.languages);
  const fresh = extended(display === null ? session : { ...session, display }, at);
  if (display !== null) return stay(fresh);
  if (touch.control === 'call-help') {
    const called = callHelp(fresh, at);
    const away = phonePinPutAway(called.session, at);
    return { ...away, effects: [...called.effects, ...away.effects] };
  }
  if (touch.said !== true && notMeantForMs(session, at) > 0) return stay(fresh);
  if (visit === null) return phoneTouched(fresh, touch, at);
  const { state } = fresh;
  switch (state.name) {
    case 'choosingMethod':
      if (touch.control === 'use-face' && canUseFace(fresh)) return startFace(fresh, visit, at);
      if (touch.control === 'use-pin' && canUsePin(visit)) return startPin(fresh, visit, at, 'none');
      // Whoever looks for a PIN that cannot be used is told why, and so are staff.
      return touch.control === 'call-staff' ? startStaffCheck(fresh, visit, at, whyNoPin(visit)) : stay(fresh);
    case 'verifyingFace':
      if (touch.control === 'use-face' && state.offerOthers && state.trouble === null)
        return faceAgain(fresh, state, at);
      if (touch.control === 'use-pin' && canUsePin(visit)) return startPin(fresh, visit, at, 'none');
      return touch.control === 'call-staff' ? startStaffCheck(fresh, visit, at, whyNoPin(visit)) : stay(fresh);
    case 'enteringPin':
      if (state.checking) return stay(fresh);
      if (state.lastTry === 'asking' && touch.control === 'last-try-yes')
        return go(fresh, { ...state, lastTry: 'confirmed', ...patient(fresh, at) });
      if (touch.control === 'use-face' && canUseFace(fresh)) return startFace(fresh, visit, at);
      return touch.control === 'call-staff' || (state.lastTry === 'asking' && touch.control === 'last-try-no')
        ? startStaffCheck(fresh, visit, at, null)
        : stay(fresh);
    case 'awaitingStaffCheck':
      if (touch.control !== 'back') return stay(fresh);
      return canUseFace(fresh) || canUsePin(visit) ? proceed(fresh, visit, at) : stay(fresh);
    case 'interrupted':
      return state.approvable && touch.control === 'call-staff'
        ? startStaffCheck(fresh, visit, at, state.failure)
        : stay(fresh);
    case 'registering':
      if (state.phase !== 'asking') return stay(fresh);
      if (touch.control === 'agree') return signRegistration(fresh, visit, at);
      return touch.control === 'decline' ? sendToDesk(fresh, at, failure('eligibility.not-registered')) : stay(fresh);
    case 'askingConsent':
      return answered(fresh, visit, touch, at);
    default:
      return stay(fresh);
  }
};

/** Staff are called from any screen, again when they have answered; whatever stands on it stays. */
const callHelp = (session: Session, at: Moment): Step =>
  session.help === null || session.help.answered
    ? {
        session: { ...session, help: { calledAtMs: at.wallMs, answered: false } },
        effects: [{ type: 'Chime', sound: 'key' }],
      }
    : stay(session);

/** Somebody is there, whatever the key does; who has not asked for the voice may do so by any key. */
export const keyPressed = (session: Session, asks: boolean, at: Moment): Step => {
  const fresh = extended(session, at);
  return stay(asks ? { ...fresh, display: { ...fresh.display, voice: 'all' } } : fresh);
};

/** The camera has been looking all the time: only its time runs anew. */
const faceAgain = (session: Session, state: Extract<SessionState, { name: 'verifyingFace' }>, at: Moment): Step =>
  go(session, {
    ...state,
    offerOthers: false,
    patience: { asked: false },
    deadlineMs: at.monotonicMs + session.surroundings.timeouts.faceMs,
  });

/** 「まだいらっしゃいますか」 goes away and the full time runs again; what was entered and answered stays. */
const extended = (session: Session, at: Moment): Session => {
  const { state } = session;
  // Between visits a language or size somebody chose goes back by itself.
  if (state.name === 'idle' || state.name === 'outOfService') {
    const chosen = { ...session, chosenUntilMs: at.monotonicMs + delays.chosenAtRestMs };
    return { ...chosen, state: { ...state, deadlineMs: restState(chosen, at).deadlineMs } };
  }
  // A check, a signature, a process that begins anew: their time is their own, and no touch makes it longer.
  if (!('patience' in state) || listenMs(session) === null) return session;
  if (state.name === 'verifyingFace' && !state.offerOthers) return session;
  return { ...session, state: { ...state, ...patient(session, at) } };
};

const answered = (session: Session, visit: Visit, touch: Touched, at: Moment): Step => {
  const { display } = session;
  const { settings, consentCatalogue } = session.surroundings;
  const questions = visit.questions ?? [];
  const question = questions[visit.questionIndex];
  if (question === undefined || settings === null) return stay(session);
  const moveTo = (change: Partial<Visit>): Step => proceed(session, { ...visit, ...change }, at);
  const next = (answers: Answers): Step => moveTo({ answers, questionIndex: visit.questionIndex + 1 });

  const lookup = toldNow(visit.lookup, at);
  const isTooLate = question.kind === 'pre-check-in' && touch.control === 'confirm' && lookup?.preCheckIn === undefined;
  if (touch.control === 'start-over' || isTooLate) {
    const again = questionsOf(consentCatalogue, settings, lookup, visit.identity?.certificateState);
    return moveTo({ questions: again, questionIndex: 0, answers: noAnswers });
  }
  if (touch.control === 'back') return moveTo({ questionIndex: Math.max(0, visit.questionIndex - 1) });

  switch (question.kind) {
    case 'consent-bundle':
      if (touch.control === 'one-by-one') return moveTo({ questions: unbundled(questions) });
      if (touch.control !== 'agree' && touch.control !== 'decline') return stay(session);
      return next(answerQuestion(visit.answers, question, touch.control === 'agree', at.monotonicMs, display.language));
    case 'consent-item':
      if (touch.control !== 'agree' && touch.control !== 'decline') return stay(session);
      return next(answerQuestion(visit.answers, question, touch.control === 'agree', at.monotonicMs, display.language));
    case 'medical-subsidy':
      if (touch.control !== 'use' && touch.control !== 'do-not-use') return stay(session);
      return next({ ...visit.answers, medicalSubsidyUse: touch.control === 'use' });
    case 'prescription-form':
      if (touch.control !== 'electronic' && touch.control !== 'paper') return stay(session);
      return next({ ...visit.answers, prescriptionForm: touch.control });
    case 'waiting-prescriptions':
    case 'referral-documents': {
      if (touch.control === 'next') return next(visit.answers);
      const document = question.documents.find((pending) => pending.id === touch.value);
      if (touch.control !== 'toggle-document' || document === undefined) return stay(session);
      const chosen = visit.answers.approvedDocuments;
      const approvedDocuments = chosen.includes(document.id)
        ? chosen.filter((id) => id !== document.id)
        : [...chosen, document.id];
      return moveTo({ answers: { ...visit.answers, approvedDocuments } });
    }
    case 'certificate-notice':
      return touch.control === 'next' ? next(visit.answers) : stay(session);
    case 'pre-check-in':
      if (touch.control !== 'confirm') return stay(session);
      return next(confirmed(visit.answers, question, at.monotonicMs, display.language));
    case 'summary':
      return touch.control === 'confirm' ? next(visit.answers) : stay(session);
    default:
      return question satisfies never;
  }
};
