import { questionsToBegin, shownOf, toldNow } from '../catalogue/answered-before.ts';
import { isMixed, noAnswers } from '../catalogue/consent.ts';
import { type Failure, failure } from '../failure.ts';
import type { Moment } from '../moment.ts';
import { delays } from './delays.ts';
import { offlineAtMs } from './offline.ts';
import type {
  Display,
  Effect,
  PhoneKind,
  PinNotice,
  RequestKind,
  Session,
  SessionState,
  Step,
  Surroundings,
  Visit,
} from './session.ts';
import type { VerificationMethod } from './verification.ts';

/* The moves the machine is made of: each takes a session and gives the next one with its effects. */

export const stay = (session: Session): Step => ({ session, effects: [] });

export const go = (session: Session, state: SessionState, ...effects: readonly Effect[]): Step => ({
  session: { ...session, state },
  effects,
});

/** The card of this visit is let go; a card that somebody else has laid down since is another insertion's. */
export const endCard = (visit: Visit): Effect => ({ type: 'EndCard', insertion: visit.insertion });

/** Who leaves for something else while a phone is awaited no longer waits for it. */
export const dismissPhone = (state: SessionState): readonly Effect[] =>
  state.name === 'awaitingPhone' ? [{ type: 'DismissPhone' }] : [];

/** Once it was away its visit is over: it would have to take its PIN again. */
export const isPhone = ({ phone }: Visit): boolean => phone !== null;

/** The visit of the state, if one is going on. */
export const visitOf = (state: SessionState): Visit | null => ('visit' in state ? state.visit : null);

export const withVisit = (session: Session, change: Partial<Visit>): Session => {
  const { state } = session;
  if (!('visit' in state) || state.visit === null) return session;
  return { ...session, state: { ...state, visit: { ...state.visit, ...change } } as SessionState };
};

const notAsked = { asked: false } as const;

export const answerMs = (surroundings: Surroundings): number => surroundings.timeouts.answerMs;

/** A fresh stretch of patience: a touch extends every wait for the patient. */
export const patient = (session: Session, at: Moment) => ({
  patience: notAsked,
  deadlineMs: at.monotonicMs + answerMs(session.surroundings),
});

/** The screen as the clinic wants it for whoever comes next. Headings are said: who needs more cannot look for a button. */
export const facilityDisplay = ({ settings }: Pick<Surroundings, 'settings'>): Display => ({
  language: settings?.languages[0] ?? 'ja',
  theme: settings?.theme ?? 'default',
  textPercent: settings?.textPercent ?? 100,
  layout: settings?.layout ?? 'standard',
  voice: settings?.voice ?? 'headings',
  loudness: 0,
});

/**
 * Why an answer given now would reach nobody who keeps it; null = it would. Nobody is asked for consent then. A moment
 * without the broker is none: an agent that restarts is back within seconds.
 */
const nobodyKeeps = ({ agentTrouble, disconnectedSinceMs, disconnection }: Surroundings, at: Moment) => {
  if (disconnectedSinceMs !== null)
    return at.monotonicMs - disconnectedSinceMs >= delays.nobodyAnswersMs ? disconnection : null;
  // Of what waits for the レセコン alone nothing is lost.
  return agentTrouble?.code.startsWith('files.') ? null : agentTrouble;
};

/** The screen as the clinic wants it, and nobody called: what somebody chose is gone with them. */
export const forNobody = (session: Session): Session => ({
  ...session,
  display: facilityDisplay(session.surroundings),
  help: null,
  chosenUntilMs: null,
});

/**
 * Where the terminal rests between visits: idle, or out of service with what is wrong around it. Whatever is wrong, it
 * wakes when what somebody chose here is to go back.
 */
export const restState = ({ surroundings, chosenUntilMs }: Session, at: Moment): SessionState => {
  const out = (trouble: Failure): SessionState => ({
    name: 'outOfService',
    failure: trouble,
    sinceMs: at.monotonicMs,
    deadlineMs: chosenUntilMs,
  });
  if (surroundings.reader.state === 'lost') return out(surroundings.reader.failure);
  const offlineMs = offlineAtMs(surroundings);
  if (surroundings.settings === null)
    return out(offlineMs === null ? failure('settings.missing') : surroundings.disconnection);
  if (offlineMs !== null) {
    if (at.monotonicMs >= offlineMs) return out(surroundings.disconnection);
    if (!surroundings.challengesReady) return out(failure('delivery.no-challenge'));
    return { name: 'idle', deadlineMs: Math.min(offlineMs, chosenUntilMs ?? offlineMs) };
  }
  const held = nobodyKeeps(surroundings, at);
  if (held !== null) return out(held);
  if (!surroundings.challengesReady) return out(failure('delivery.no-challenge'));
  return { name: 'idle', deadlineMs: chosenUntilMs };
};

type Laid = { readonly insertion: string; readonly session: string; readonly phone?: PhoneKind };

export const newVisit = (card: Laid, at: Moment): Visit => ({
  session: card.session,
  insertion: card.insertion,
  startedAt: at,
  identity: null,
  lookup: { state: 'pending' },
  verification: { state: 'open' },
  faceMisses: 0,
  faceClosed: null,
  registration: 'not-needed',
  questions: null,
  questionIndex: 0,
  answers: noAnswers,
  phone: card.phone ?? null,
  preCheckIn: null,
  requestId: null,
});

export const startVisit = (session: Session, card: Laid, at: Moment, resuming: Visit | null = null): Step =>
  go(
    { ...session, chosenUntilMs: null },
    { name: 'readingCard', visit: newVisit(card, at), resuming, deadlineMs: at.monotonicMs + delays.readCardMs },
    { type: 'Chime', sound: 'contact' },
    { type: 'ReadCard', insertion: card.insertion },
  );

/**
 * Between visits the surroundings alone decide; a card that has waited is served when service comes back. What somebody
 * chose goes back when its time is over, whatever happens around the terminal meanwhile.
 */
export const rest = (session: Session, at: Moment): Step => {
  if (session.state.name !== 'idle' && session.state.name !== 'outOfService') return stay(session);
  const stillChosen = session.chosenUntilMs !== null && at.monotonicMs < session.chosenUntilMs;
  const chosen = stillChosen ? session : forNobody(session);
  const state = restState(chosen, at);
  const same =
    state.name === 'outOfService' &&
    session.state.name === 'outOfService' &&
    state.failure.code === session.state.failure.code;
  const rested = { ...chosen, state: same ? { ...session.state, deadlineMs: state.deadlineMs } : state };
  const waiting = session.surroundings.cardOnBed;
  return state.name === 'idle' && waiting !== null ? startVisit(rested, waiting, at) : stay(rested);
};

/** A terminal that is only switched off goes on with the visit when it is back. */
const released = ({ requestId }: Visit, outcome: string): readonly Effect[] =>
  requestId === null || outcome === 'session.shutdown' ? [] : [{ type: 'ReleaseRequest', requestId }];

/** The visit is over: its card is let go, and what was kept of it. */
export const ended = (visit: Visit, outcome: string): readonly Effect[] => [
  endCard(visit),
  ...released(visit, outcome),
  { type: 'VisitEnded', session: visit.session, outcome, signed: visit.requestId !== null },
];

/** A visit whose card was waited for ends with the one that was begun in its place, whatever lies there. */
export const waitedForEnds = (state: SessionState, outcome: string): readonly Effect[] =>
  state.name === 'readingCard' && state.resuming !== null ? ended(state.resuming, outcome) : [];

/** Back to rest, or on to the card that a next patient has already laid down. What was known of this visit is gone. */
export const finish = (session: Session, at: Moment, outcome: string): Step => {
  const visit = visitOf(session.state);
  const effects =
    visit === null ? dismissPhone(session.state) : [...waitedForEnds(session.state, outcome), ...ended(visit, outcome)];
  const left = forNobody(session);
  const rested: Session = { ...left, state: restState(left, at) };
  const waiting = session.surroundings.cardOnBed;
  if (rested.state.name !== 'idle' || waiting === null || waiting.insertion === visit?.insertion)
    return { session: rested, effects };
  const next = startVisit(rested, waiting, at);
  return { session: next.session, effects: [...effects, ...next.effects] };
};

/** To the desk: the patient sees what to do, staff the code. `approvable`: staff may still approve this patient. */
export const sendToDesk = (session: Session, at: Moment, reason: Failure, approvable = false): Step => {
  const { state } = session;
  const visit = visitOf(state);
  if (visit === null) return stay(session);
  return go(
    session,
    {
      name: 'interrupted',
      failure: reason,
      visit,
      resume: false,
      approvable,
      atMs: at.wallMs,
      deadlineMs: at.monotonicMs + delays.deskMs,
    },
    ...waitedForEnds(state, 'card.removed'),
    endCard(visit),
    { type: 'Chime', sound: 'attention' },
  );
};

/** The card (or the reader) went away in mid-visit: everything answered is kept for a moment, the PIN is not. */
export const awaitCardReturn = (session: Session, at: Moment, reason: Failure): Step => {
  const visit = visitOf(session.state);
  if (visit === null) return stay(session);
  const { verification } = visit;
  const kept: Visit = {
    ...visit,
    verification:
      verification.state === 'verified' && verification.method === 'pin'
        ? { ...verification, standing: false }
        : verification,
  };
  return go(
    session,
    {
      name: 'interrupted',
      failure: reason,
      visit: kept,
      resume: true,
      approvable: false,
      atMs: at.wallMs,
      deadlineMs: at.monotonicMs + session.surroundings.timeouts.cardReturnMs,
    },
    endCard(visit),
    { type: 'Chime', sound: 'attention' },
  );
};

/** A photo still being read and a face process that is (re)starting are waited for; any other trouble shuts the path. */
const faceOpen = (visit: Visit, { faceTrouble }: Surroundings): boolean =>
  visit.identity !== null &&
  visit.identity.visual.state !== 'unavailable' &&
  visit.faceClosed === null &&
  (faceTrouble === null || faceTrouble.code === 'face.process-lost');

export const canUseFace = (session: Session): boolean => {
  const visit = visitOf(session.state);
  return visit !== null && faceOpen(visit, session.surroundings);
};

export const canUsePin = (visit: Visit): boolean => visit.identity?.pin.state === 'usable';

export const startFace = (session: Session, visit: Visit, at: Moment): Step =>
  go(
    session,
    {
      name: 'verifyingFace',
      visit,
      patience: notAsked,
      hint: null,
      sinceMs: at.monotonicMs,
      offerOthers: false,
      trouble: null,
      deadlineMs: at.monotonicMs + session.surroundings.timeouts.faceMs,
    },
    { type: 'StartFace', insertion: visit.insertion },
  );

/** The PIN step; the last of the tries is asked for before a key can be typed. */
export const startPin = (session: Session, visit: Visit, at: Moment, notice: PinNotice): Step => {
  const pin = visit.identity?.pin;
  if (pin?.state !== 'usable') return startStaffCheck(session, visit, at, whyNoPin(visit));
  return go(
    session,
    {
      name: 'enteringPin',
      visit,
      entered: 0,
      triesLeft: pin.triesLeft,
      lastTry: pin.triesLeft <= 1 ? 'asking' : 'not-the-last',
      checking: false,
      notice,
      ...patient(session, at),
    },
    { type: 'StopFace' },
    { type: 'ClearPinEntry' },
  );
};

/** null: it can be used */
export const whyNoPin = (visit: Visit): Failure | null => {
  const pin = visit.identity?.pin.state;
  return pin === 'blocked' ? failure('card.pin-blocked') : pin === 'absent' ? failure('card.pin-absent') : null;
};

export const startStaffCheck = (session: Session, visit: Visit, at: Moment, reason: Failure | null): Step =>
  go(
    session,
    { name: 'awaitingStaffCheck', visit, failure: reason, deadlineMs: at.monotonicMs + delays.staffCheckMs },
    { type: 'StopFace' },
    { type: 'ClearPinEntry' },
  );

/**
 * After the card was read: the ways that are open for this card, with the face first. The camera waits until the face
 * check is chosen, unless the facility lets it begin at once.
 */
export const beginVerification = (session: Session, visit: Visit, at: Moment): Step => {
  const { surroundings } = session;
  if (faceOpen(visit, surroundings))
    return surroundings.settings?.faceAtOnce === true
      ? startFace(session, visit, at)
      : go(session, { name: 'choosingMethod', visit, ...patient(session, at) });
  if (canUsePin(visit)) return startPin(session, visit, at, 'face-closed');
  return startStaffCheck(session, visit, at, whyNoPin(visit));
};

/** What to do when the face path shuts in mid-visit. */
export const withoutFace = (session: Session, at: Moment, reason: Failure): Step => {
  const visit = visitOf(session.state);
  if (visit === null) return stay(session);
  const closed = { ...visit, faceClosed: reason };
  if (canUsePin(closed)) return startPin(session, closed, at, 'face-closed');
  return startStaffCheck(session, closed, at, reason);
};

export const verified = (
  session: Session,
  at: Moment,
  method: VerificationMethod,
  staffApproval: string | null = null,
): Step => {
  const visit = visitOf(session.state);
  if (visit === null) return stay(session);
  const next = proceed(
    session,
    { ...visit, verification: { state: 'verified', method, standing: true, staffApproval } },
    at,
  );
  return { session: next.session, effects: [{ type: 'StopFace' }, { type: 'ClearPinEntry' }, ...next.effects] };
};

const sign = (session: Session, visit: Visit, kind: RequestKind, at: Moment): Step =>
  go(
    session,
    kind === 'eligibility'
      ? { name: 'signing', visit, deadlineMs: at.monotonicMs + delays.signingMs }
      : {
          name: 'registering',
          visit: { ...visit, registration: 'agreed' },
          phase: 'signing',
          requestId: null,
          patience: notAsked,
          deadlineMs: at.monotonicMs + delays.signingMs,
        },
    { type: 'SignRequest', insertion: visit.insertion, kind, visit },
  );

export const signRegistration = (session: Session, visit: Visit, at: Moment): Step =>
  sign(session, visit, 'registration', at);

/** Once verified: PIN again if the card forgot it, lookup, registration, questions where they stopped, signature. */
export const proceed = (session: Session, visit: Visit, at: Moment): Step => {
  const { settings, consentCatalogue } = session.surroundings;
  const { verification } = visit;
  if (verification.state === 'open') return beginVerification(session, visit, at);
  if (!verification.standing) return startPin(session, visit, at, 'card-forgot');
  if (visit.lookup.state === 'pending' && visit.identity !== null)
    return go(session, {
      name: 'awaitingLookup',
      visit,
      deadlineMs: at.monotonicMs + (isPhone(visit) ? delays.resultMs : delays.lookupAfterVerificationMs),
    });
  const lookup = toldNow(visit.lookup, at);
  if (lookup?.registered === 'no' && visit.registration !== 'done') {
    if (visit.registration !== 'not-needed') return signRegistration(session, visit, at);
    return go(session, { name: 'registering', visit, phase: 'asking', requestId: null, ...patient(session, at) });
  }
  if (settings === null) return sendToDesk(session, at, failure('settings.missing'));
  const questions =
    visit.questions ?? questionsToBegin(consentCatalogue, settings, lookup, visit.identity?.certificateState);
  const asked: Visit = { ...visit, questions };
  const held = nobodyKeeps(session.surroundings, at);
  if (held !== null) return sendToDesk(session, at, held);
  const isLookedOver = questions[asked.questionIndex]?.kind === 'summary' && !isMixed(asked.answers);
  const answered: Visit = isLookedOver ? { ...asked, questionIndex: asked.questionIndex + 1 } : asked;
  const question = questions[answered.questionIndex];
  if (question !== undefined) {
    const preCheckIn = shownOf(question, lookup) ?? answered.preCheckIn;
    return go(session, { name: 'askingConsent', visit: { ...answered, preCheckIn }, ...patient(session, at) });
  }
  return sign(session, answered, 'eligibility', at);
};
