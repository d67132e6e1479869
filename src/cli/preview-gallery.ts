import { firstFacilitySettings, withEveryQuestion } from '../catalogue/first-settings.ts';
import { catalogueAt } from '../catalogue/load-catalogue.ts';
import type { Catalogue, MaintenanceWindow } from '../core/catalogue/catalogue.ts';
import {
  type Answers,
  answerQuestion,
  noAnswers,
  type Question,
  questionsOf,
  unbundled,
} from '../core/catalogue/consent.ts';
import { type FailureCode, failure, failureRules } from '../core/failure.ts';
import type { DrawContext } from '../core/screen/draw-screen.ts';
import { hourMs } from '../core/time-units.ts';
import type { Identity } from '../core/visit/identity.ts';
import type { Display, Session, SessionState, Surroundings, Visit, VisitResult } from '../core/visit/session.ts';
import { newVisit } from '../core/visit/session-steps.ts';
import { faceHints } from '../core/visit/verification.ts';
import { noEvidence } from '../terminal/visit/visit-tape.ts';
import type { FacilitySettings } from '../wire/facility-settings.ts';
import type { LookupResult } from '../wire/messages.ts';

/** One session to look at; `name` is the screen's name, with a dot and a variant where there are several. */
export type Exhibit = {
  readonly name: string;
  readonly session: Session;
  /** An interruption of the national service that is announced meanwhile */
  readonly maintenance?: MaintenanceWindow;
};

/** What an exhibit is drawn with: the clock of the pictures, every language, and what is announced in it. */
export const exhibitContext = (catalogue: Catalogue, { maintenance }: Exhibit): DrawContext => ({
  catalogue: { ...catalogue, maintenance: maintenance === undefined ? [] : [maintenance] },
  now: galleryNow,
  offerUnproved: true,
});

/** In Japanese at 100 %, to somebody who asked for the voice: whoever draws a screen begins with it and changes what is meant. */
export const galleryDisplay: Display = {
  language: 'ja',
  theme: 'default',
  textPercent: 100,
  voice: 'all',
  loudness: 0,
  layout: 'standard',
};

/** 2026-12-01 14:03 JST: the clock in the pictures, when the words of today hold. */
export const galleryNow = {
  // Any instant that leaves room for what lies before it.
  monotonicMs: 1_000_000,
  wallMs: Date.parse('2026-12-01T14:03:00+09:00'),
};

const never = failure('face.process-lost');

/** A card that could be read as a whole and lets everything be done. */
export const identity: Identity = {
  kind: 'my-number-card',
  authCertificate: Uint8Array.of(0),
  certificateSerial: '01',
  certificateNotAfterMs: Date.UTC(2030, 0, 1),
  certificateState: 'valid',
  pin: { state: 'usable', triesLeft: 3 },
  visual: {
    state: 'read',
    photoHash: 'photo-of-hanako',
    evidence: noEvidence,
  },
};

const lookup: LookupResult = {
  facility: 'preview',
  device: 'preview',
  lookupId: '00000000-0000-4000-8000-000000000001',
  registered: 'yes',
  certificateStatus: 'good',
  medicalSubsidy: true,
  prescription: { use: 1, timing: 2 },
  pendingDocuments: [
    { id: '1', title: '診療情報提供書', from: '見本病院', date: '2026-11-02' },
    { id: '2', title: '退院時サマリー', from: '見本病院', date: '2026-10-20' },
  ],
};

/** 薬局: e-prescriptions that wait for this patient */
const waitingPrescriptions = [
  { id: 'p1', title: '電子処方箋', from: '見本病院', date: '2026-11-20' },
  { id: 'p2', title: '電子処方箋', from: '見本医院', date: '2026-11-18' },
];

const maintenanceIn = (hours: number): MaintenanceWindow => {
  const fromMs = galleryNow.wallMs + hours * hourMs;
  return { areas: [], fromMs, untilMs: fromMs + 7 * hourMs, announceMs: 24 * hourMs };
};

const sessionId = '00000000-0000-4000-8000-000000000000';

/** Every screen this facility's settings can lead to, each in a typical state and its variants. */
export const gallery = (settings: FacilitySettings, catalogue: Catalogue, display: Display): readonly Exhibit[] => {
  const surroundings: Surroundings = {
    reader: { state: 'present' },
    cardOnBed: { insertion: sessionId, session: sessionId },
    phonesOnBed: true,
    faceTrouble: null,
    connected: true,
    disconnectedSinceMs: null,
    disconnection: failure('delivery.offline'),
    challengesReady: true,
    agentTrouble: null,
    earlier: [],
    speaking: false,
    settings,
    timeouts: settings.timeouts,
    consentCatalogue: catalogue.consents,
  };
  const visit: Visit = {
    ...newVisit({ session: sessionId, insertion: sessionId }, galleryNow),
    identity,
    lookup: { state: 'answered', result: lookup, atMs: galleryNow.monotonicMs },
  };
  const ofPhone: Visit = { ...visit, phone: 'android' };
  const shown = (name: string, state: SessionState, around: Partial<Surroundings> = {}): Exhibit => ({
    name,
    session: {
      state,
      surroundings: { ...surroundings, ...around },
      display,
      help: null,
      othersGoneAtMs: null,
      unmovedSinceMs: galleryNow.monotonicMs,
      chosenUntilMs: null,
    },
  });
  const deadlineMs = galleryNow.monotonicMs + 15_000;
  const patience = { asked: false } as const;
  const at = (name: string, questions: readonly Question[], questionIndex: number, answers: Answers): Exhibit =>
    shown(name, {
      name: 'askingConsent',
      deadlineMs,
      patience,
      visit: { ...visit, questions, questionIndex, answers },
    });

  const questions = questionsOf(catalogue.consents, settings, lookup, 'near-expiry');
  const each = unbundled(questions);
  const answered = each.reduce<Answers>(
    (answers, question, index) =>
      question.kind === 'consent-item'
        ? answerQuestion(answers, question, index % 2 === 0, galleryNow.wallMs, display.language)
        : answers,
    noAnswers,
  );
  const full: Answers = {
    ...answered,
    medicalSubsidyUse: settings.medicalSubsidy ? true : null,
    prescriptionForm: 'electronic',
    approvedDocuments: ['1'],
  };
  /** The longest list: everything on one side */
  const agreed: Answers = {
    ...full,
    consents: full.consents.map((answer) => ({ ...answer, given: true })),
  };
  const waiting: Question = { kind: 'waiting-prescriptions', documents: waitingPrescriptions };
  const nameOf = (question: Question): string =>
    question.kind === 'consent-item' ? `consent-item.${question.topic.id}` : question.kind;
  const beforehand = each.flatMap((question, index) =>
    question.kind === 'consent-item' ? [{ topic: question.topic, given: index % 2 === 0 }] : [],
  );
  const consents = [
    ...(beforehand.length === 0
      ? []
      : [at('pre-check-in', [{ kind: 'pre-check-in', answers: beforehand }], 0, noAnswers)]),
    ...questions.slice(0, 1).map((question, index) => at(nameOf(question), questions, index, noAnswers)),
    ...each.map((question, index) => at(nameOf(question), each, index, index === each.length - 1 ? full : noAnswers)),
    ...(each.some(({ kind }) => kind === waiting.kind)
      ? []
      : [at(waiting.kind, [waiting, { kind: 'summary' }], 0, noAnswers)]),
  ];

  const face = (name: string, change: Partial<Extract<SessionState, { name: 'verifyingFace' }>>): Exhibit =>
    shown(name, {
      name: 'verifyingFace',
      deadlineMs,
      patience,
      visit,
      hint: null,
      sinceMs: galleryNow.monotonicMs,
      offerOthers: false,
      trouble: null,
      ...change,
    });
  const pin = (name: string, change: Partial<Extract<SessionState, { name: 'enteringPin' }>>): Exhibit =>
    shown(name, {
      name: 'enteringPin',
      deadlineMs,
      patience,
      visit,
      entered: 2,
      triesLeft: 3,
      lastTry: 'not-the-last',
      checking: false,
      notice: 'none',
      ...change,
    });
  const phonePin = (name: string, change: Partial<Extract<SessionState, { name: 'enteringPhonePin' }>>): Exhibit =>
    shown(
      name,
      {
        name: 'enteringPhonePin',
        patience,
        deadlineMs,
        entered: 0,
        triesLeft: null,
        lastTry: 'not-the-last',
        notice: 'none',
        ...change,
      },
      { cardOnBed: null },
    );
  const accepted = (
    name: string,
    outcome: VisitResult['outcome'],
    answers: Answers = full,
    code: FailureCode | null = null,
  ): Exhibit =>
    shown(name, {
      name: 'showingResult',
      deadlineMs,
      visit: { ...visit, answers },
      result: { outcome, qualificationValidity: null, code },
      atMs: galleryNow.wallMs,
    });
  const withoutCard = (session: Session): Session => ({
    ...session,
    surroundings: { ...session.surroundings, cardOnBed: null },
  });
  const sent = { visit, requestId: sessionId, deadlineMs } as const;
  const codes = Object.keys(failureRules) as FailureCode[];

  return [
    shown('starting', { name: 'idle', deadlineMs: null }, { settings: null }),
    shown('idle', { name: 'idle', deadlineMs: null }, { cardOnBed: null }),
    ...[12, -1].map((hours) => ({
      ...shown(
        hours > 0 ? 'idle.maintenance' : 'idle.maintenance-now',
        { name: 'idle', deadlineMs: null },
        { cardOnBed: null },
      ),
      maintenance: maintenanceIn(hours),
    })),
    shown(
      'idle.told-to-staff',
      { name: 'idle', deadlineMs: null },
      { cardOnBed: null, agentTrouble: failure('files.folder-full') },
    ),
    shown(
      'idle.reconnecting',
      { name: 'idle', deadlineMs: galleryNow.monotonicMs + 5_000 },
      { cardOnBed: null, connected: false, disconnectedSinceMs: galleryNow.monotonicMs - 5_000 },
    ),
    ...(settings.smartphone
      ? [
          shown('idle.phone-reader', { name: 'idle', deadlineMs: null }, { cardOnBed: null, phonesOnBed: false }),
          shown('choose-phone', { name: 'choosingPhone', patience, deadlineMs }, { cardOnBed: null }),
          phonePin('phone-pin', {}),
          phonePin('phone-pin.wrong', { notice: 'wrong', triesLeft: 2 }),
          phonePin('phone-pin.missed', { notice: 'missed' }),
          phonePin('phone-pin.incomplete', { notice: 'incomplete', entered: 2 }),
          phonePin('pin-last-try.phone', { triesLeft: 1, lastTry: 'asking' }),
          phonePin('still-there.phone', { patience: { asked: true, sinceMs: galleryNow.monotonicMs - 5_000 } }),
          ...(['iphone', 'android', 'again'] as const).map((name) => {
            const phone = name === 'iphone' ? name : 'android';
            return shown(
              `present-phone.${name}`,
              { name: 'awaitingPhone', phone, lastTry: 'not-the-last', triesLeft: null, deadlineMs },
              { cardOnBed: null, phonesOnBed: name === 'again' },
            );
          }),
          shown('accepted.phone', { ...accepted('', 'eligible').session.state, visit: ofPhone } as SessionState),
          ...[false, true].map((leftBehind) =>
            shown(`${leftBehind ? 'card-left' : 'take-card'}.phone`, {
              ...{ name: 'awaitingCardRemoval', visit: ofPhone, leftBehind, sinceMs: galleryNow.monotonicMs },
              deadlineMs,
            } as SessionState),
          ),
          shown('reading.phone', { name: 'verifyingPhone', visit, deadlineMs }, { cardOnBed: null }),
        ]
      : []),
    shown('reading', { name: 'readingCard', visit, resuming: null, deadlineMs }),
    shown('reading.resuming', { name: 'readingCard', visit, resuming: visit, deadlineMs }),
    shown('reading.lookup', { name: 'awaitingLookup', visit, deadlineMs }),
    shown('choose-method', { name: 'choosingMethod', visit, patience, deadlineMs }),
    face('face', {}),
    face('face.others', { offerOthers: true, hint: 'no-face' }),
    ...faceHints.map((hint) => face(`face.hint-${hint}`, { hint })),
    pin('pin', {}),
    pin('pin.wrong', { notice: 'wrong', entered: 0, triesLeft: 2 }),
    pin('pin.incomplete', { notice: 'incomplete', entered: 2 }),
    pin('pin.card-forgot', { notice: 'card-forgot', entered: 4 }),
    pin('pin.face-closed', { notice: 'face-closed', entered: 0 }),
    pin('pin.checking', { entered: 4, checking: true }),
    pin('pin-last-try', { entered: 0, triesLeft: 1, lastTry: 'asking' }),
    shown('staff-check', { name: 'awaitingStaffCheck', visit, failure: null, deadlineMs }),
    shown('staff-check.pin-blocked', {
      name: 'awaitingStaffCheck',
      visit: { ...visit, faceClosed: never },
      failure: failure('card.pin-blocked'),
      deadlineMs,
    }),
    shown('registration', { name: 'registering', visit, patience, phase: 'asking', requestId: null, deadlineMs }),
    shown('registering', { name: 'registering', visit, patience, phase: 'sending', requestId: null, deadlineMs }),
    ...consents,
    at('summary.all', each, each.length - 1, agreed),
    at('summary.paper', each, each.length - 1, { ...full, prescriptionForm: 'paper' }),
    at('certificate-notice.grace', [{ kind: 'certificate-notice', state: 'grace' }], 0, noAnswers),
    shown('signing', { name: 'signing', visit, deadlineMs }),
    shown('sending', { name: 'sending', ...sent, sinceMs: galleryNow.monotonicMs, earlyResult: null }),
    shown(
      'sending.trouble',
      { name: 'sending', ...sent, sinceMs: galleryNow.monotonicMs, earlyResult: null },
      { connected: false, disconnectedSinceMs: galleryNow.monotonicMs - 15_000 },
    ),
    shown('waiting-result', { name: 'awaitingResult', ...sent }),
    accepted('accepted', 'eligible'),
    accepted('accepted.late', 'late'),
    accepted('accepted.paper', 'eligible', { ...full, prescriptionForm: 'paper' }),
    accepted('accepted.all', 'late', agreed),
    accepted('accepted.ask-desk', 'not-eligible'),
    accepted('accepted.failed', 'failed', full, 'eligibility.no-answer'),
    { ...accepted('accepted.card-gone', 'eligible'), session: withoutCard(accepted('', 'eligible').session) },
    ...[true, false].map((resume) =>
      shown(resume ? 'card-pulled' : 'card-pulled.begin-again', {
        name: 'interrupted',
        failure: failure('card.removed'),
        visit,
        resume,
        approvable: false,
        atMs: galleryNow.wallMs,
        deadlineMs,
      }),
    ),
    shown('take-card', {
      name: 'awaitingCardRemoval',
      visit,
      sinceMs: galleryNow.monotonicMs,
      leftBehind: false,
      deadlineMs,
    }),
    shown('card-left', {
      name: 'awaitingCardRemoval',
      visit,
      sinceMs: galleryNow.monotonicMs,
      leftBehind: true,
      deadlineMs,
    }),
    shown('still-there', {
      name: 'askingConsent',
      deadlineMs,
      patience: { asked: true, sinceMs: galleryNow.monotonicMs - 5_000 },
      visit,
    }),
    ...codes.map((code) =>
      shown(`desk.${code}`, {
        name: 'interrupted',
        failure: failure(code),
        visit,
        resume: false,
        approvable: false,
        atMs: galleryNow.wallMs,
        deadlineMs,
      }),
    ),
    shown(
      'outage',
      { name: 'outOfService', failure: failure('delivery.offline'), sinceMs: 0, deadlineMs: null },
      { cardOnBed: null, connected: false, disconnectedSinceMs: galleryNow.monotonicMs - 15_000 },
    ),
    shown(
      'out-of-service',
      { name: 'outOfService', failure: failure('reader.lost'), sinceMs: 0, deadlineMs: null },
      { cardOnBed: null, reader: { state: 'lost', failure: failure('reader.lost') } },
    ),
  ];
};

const consentsNow = catalogueAt(galleryNow.wallMs).consents;

/** Every question and every way switched on. */
export const gallerySettings: FacilitySettings = {
  ...withEveryQuestion(
    consentsNow,
    firstFacilitySettings(consentsNow, 'medical', 'さくら内科クリニック', '1312345670'),
  ),
  languages: ['ja', 'ja-easy', 'en', 'zh-Hans', 'zh-Hant', 'ko', 'vi', 'pt', 'tl', 'ne'],
  smartphone: true,
};
